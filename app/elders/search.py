"""Finding an elder by whatever the caller says: a name, how it sounds, a phone, an ID number, four last digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from pypinyin import lazy_pinyin

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller
from app.core.phones import parse_phone
from app.elders import id_numbers, names, queries_search, seals
from app.elders.models import Elder
from app.regions import divisions

MAX_CANDIDATES = 500
"""How many short-index hits are opened at most: a bound on work, far above what the index yields."""


class Kind(StrEnum):
    NAME = "name"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    LAST4 = "last4"


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Rank 0 is exactly what was asked for, 1 begins with it, 2 only sounds like it."""

    rank: int
    id: UUID


def kind_of(q: str) -> Kind:
    """What `q` looks like. Fifteen or eighteen places are an ID number, four the end of one or of a phone."""
    text = re.sub(r"[\s\-()（）]", "", q).upper()
    if re.fullmatch(r"[0-9]{17}[0-9X]|[0-9]{15}", text):
        return Kind.ID_NUMBER
    if re.fullmatch(r"[0-9]{3}[0-9X]", text):
        return Kind.LAST4
    if re.fullmatch(r"\+?[0-9]{5,}", text):
        return Kind.PHONE
    return Kind.NAME


async def search(tx: Tx, caller: Caller, q: str, *, division: str | None, after: Hit | None, limit: int) -> list[Hit]:
    """Up to `limit` elders within the caller's divisions (and `division`), best first.

    Raises Invalid when nothing can be searched for (a phone of two digits, a name of punctuation).
    """
    kind = kind_of(q)
    if kind is Kind.NAME:
        return await _by_name(tx, caller, q, division, after, limit)
    if kind is Kind.LAST4:
        ids = await _by_last4(tx, caller, q.strip().upper(), division)
    elif kind is Kind.PHONE:
        phone = parse_phone(q).e164
        indexes = seals.phone_index(tx.vault, phone), seals.family_phone_index(tx.vault, phone)
        ids = await queries_search.by_phone(tx, _within(caller, division), *indexes)
    else:
        number = id_numbers.parse(q, clock.today()).number
        index = seals.id_number_index(tx.vault, number)
        ids = await queries_search.by_id_number(tx, _within(caller, division), index)
    hits = sorted(Hit(0, elder_id) for elder_id in ids)
    return [hit for hit in hits if after is None or hit > after][:limit]


async def _by_name(tx: Tx, caller: Caller, q: str, division: str | None, after: Hit | None, limit: int) -> list[Hit]:
    typed = names.compact(q)
    if not typed:
        raise Invalid("nothing_to_search", "give a name, a phone or an ID number", field="q")
    sounds = {*names.readings(q), "".join(lazy_pinyin(typed))} if names.is_han(typed) else set()
    position = (after.rank, after.id) if after else None
    rows = await queries_search.by_name(tx, _within(caller, division), typed, sorted(sounds), position, limit)
    return [Hit(row.rank, row.elder_id) for row in rows]


async def _by_last4(tx: Tx, caller: Caller, last4: str, division: str | None) -> list[UUID]:
    """The short index only narrows down; the numbers are opened and compared."""
    visible = _within(caller, division)
    districts = await _districts(tx, visible, division)
    vault = tx.vault
    by_id = [seals.id_last4_index(vault, district, last4) for district in districts]
    by_phone = [seals.phone_last4_index(vault, district, last4) for district in districts]
    found = set()
    for row in await queries_search.by_id_last4(tx, visible, by_id, MAX_CANDIDATES):
        if vault.open(seals.ID_NUMBER, row.id, row.id_number).endswith(last4):
            found.add(row.id)
    for row in await queries_search.by_phone_last4(tx, visible, by_phone, MAX_CANDIDATES):
        if vault.open(seals.PHONE, row.phone_id, row.phone).endswith(last4):
            found.add(row.id)
    return sorted(found)


async def _districts(tx: Tx, visible: Any, division: str | None) -> Sequence[str]:
    """The districts whose short indexes are to be tried."""
    if division is not None and division[4:6] != "00":
        return [division[:6]]
    return await queries_search.districts(tx, visible)


def _within(caller: Caller, division: str | None) -> Any:
    """A condition on the elder's division: the caller's scope, narrowed to `division` when that is given."""
    column = Elder.division_code
    visible = scope.within(column, caller)
    if division is None:
        return visible
    if not divisions.is_code(division):
        raise Invalid("division_malformed", "a division code has 6, 9 or 12 digits", field="division")
    ((low, high),) = divisions.scope_ranges([division])
    return visible & (column >= low) & (column < high)


async def page(
    tx: Tx,
    caller: Caller,
    *,
    division: str | None,
    status: str | None,
    tag: str | None,
    before: UUID | None,
    limit: int,
) -> Sequence[UUID]:
    """Elders newest first, without searching."""
    return await queries_search.newest(
        tx, _within(caller, division), status=status, tag=tag, day=clock.today(), before=before, limit=limit
    )
