"""Numbers whose calls are no calls for help. A hint on the screen of whoever answers; no call is stopped by it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.calls import queries as calls
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.http import Caller
from app.core.ids import new_id
from app.core.text import masked_phone
from app.hotline import queries
from app.hotline.schemas import NuisanceView

_PHONE = "nuisance_number.phone"
LONGEST = timedelta(days=90)
"""A number changes hands, and people change: the list forgets. A house rule; no source states one."""


async def propose(tx: Tx, caller: Caller, call_id: UUID, reason: str) -> NuisanceView:
    """Raises Invalid for a call without a number, Conflict when the number is known already."""
    call = await calls.one(tx, call_id)
    if call["caller"] is None:
        raise Invalid("number_withheld", "this call showed no number")
    number_id = new_id()
    sealed = tx.vault.seal(_PHONE, number_id, tx.vault.open("call.caller", call["id"], call["caller"]))
    index = call["caller_index"]
    if not await queries.propose(tx, number_id, sealed, index, call_id, reason, caller.actor, clock.now()):
        raise Conflict("nuisance_known", "this number is proposed or listed already")
    return view(tx, await queries.locked_nuisance(tx, number_id))


async def decide(tx: Tx, caller: Caller, number_id: UUID, *, listed: bool, valid_until: date | None) -> NuisanceView:
    """List a proposed number for a while, or decline it. Raises Forbidden for whoever proposed it."""
    row = await queries.locked_nuisance(tx, number_id)
    if row["status"] != "proposed":
        raise Conflict("nuisance_decided", f"this number is {row['status']}", status=row["status"])
    if row["proposed_by"] == caller.actor:
        raise Forbidden("two_persons", "whoever proposes a number does not list it")
    today = clock.today()
    until = valid_until or today + LONGEST
    if listed and not today <= until <= today + LONGEST:
        raise Invalid("until_impossible", f"at most {LONGEST.days} days", field="valid_until")
    return await _write(tx, caller, number_id, "listed" if listed else "declined", until if listed else None)


async def lift(tx: Tx, caller: Caller, number_id: UUID) -> NuisanceView:
    """It was none after all. Raises Conflict unless it is listed."""
    row = await queries.locked_nuisance(tx, number_id)
    if row["status"] != "listed":
        raise Conflict("nuisance_not_listed", f"this number is {row['status']}", status=row["status"])
    if row["proposed_by"] == caller.actor:
        raise Forbidden("two_persons", "whoever proposed a number does not decide about it")
    return await _write(tx, caller, number_id, "lifted", row["valid_until"])


async def of_number(tx: Tx, index: bytes) -> NuisanceView | None:
    """What the list says of a number today."""
    row = await queries.listed(tx, index, clock.today())
    return view(tx, row) if row is not None else None


async def forget(tx: Tx) -> int:
    """Lift what has been listed long enough."""
    return await queries.lift_old(tx, clock.today())


def view(tx: Tx, row: Any) -> NuisanceView:
    phone = masked_phone(tx.vault.open(_PHONE, row["id"], row["phone"]))
    return NuisanceView(**{**dict(row), "phone": phone})


async def _write(tx: Tx, caller: Caller, number_id: UUID, status: str, until: date | None) -> NuisanceView:
    await queries.decide(tx, number_id, status, caller.actor, clock.now(), until)
    await audit.record(tx, caller, f"hotline.nuisance_{status}", "nuisance_number", number_id)
    return view(tx, await queries.locked_nuisance(tx, number_id))
