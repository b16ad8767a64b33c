"""An elder's ID number in the register: its columns, what is odd about it, and that nobody else has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller
from app.core.sqlstate import constraint_of
from app.elders import id_numbers, queries, seals
from app.elders.id_numbers import IdNumber


async def read(tx: Tx, caller: Caller, elder_id: UUID, typed: str | None) -> IdNumber | None:
    """The number as typed for this elder. Raises Conflict when it is on file for somebody else."""
    if not typed:
        return None
    identity = id_numbers.parse(typed, clock.today())
    holder = await queries.holder_of_id_number(tx, seals.id_number_index(tx.vault, identity.number))
    if holder is not None and holder.id != elder_id:
        known = {"elder_id": str(holder.id)} if scope.sees(caller, holder.division_code) else {}
        raise Conflict("elder_exists", "this ID number is already on file", **known)
    return identity


def columns(tx: Tx, elder_id: UUID, identity: IdNumber | None, division_code: str) -> dict[str, Any]:
    """The number sealed, and what finds it."""
    if identity is None:
        return dict.fromkeys(("id_number", "id_number_raw", "id_number_index", "last4_index"))
    return {
        "id_number": tx.vault.seal(seals.ID_NUMBER, elder_id, identity.number),
        "id_number_raw": tx.vault.seal(seals.ID_NUMBER_RAW, elder_id, identity.raw),
        "id_number_index": seals.id_number_index(tx.vault, identity.number),
        "last4_index": seals.id_last4_index(tx.vault, division_code, identity.number),
    }


def warnings_of(identity: IdNumber | None, sex: str | None, born: date | None) -> tuple[str, ...]:
    """What is odd about the number by itself, and against what the file says (a lunar birthday, a typing slip)."""
    if identity is None:
        return ()
    found = list(identity.warnings)
    if identity.birth_date and born and identity.birth_date != born:
        found.append("birth_date_differs")
    if identity.sex and sex in {"male", "female"} and identity.sex != sex:
        found.append("sex_differs")
    return tuple(found)


@asynccontextmanager
async def first_with_number(tx: Tx) -> AsyncIterator[None]:
    """The check in `read` is courtesy: two desks may enter the same person at once, and the index lets one through."""
    try:
        async with tx.savepoint():
            yield
    except IntegrityError as taken:
        if constraint_of(taken) != "ix_elder_id_number_index":
            raise
        raise Conflict("elder_exists", "this ID number is already on file") from taken
