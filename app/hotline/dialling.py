"""Click-to-call: an operator says whom, the exchange's bridge takes it at most once and connects the two.

A request that nobody takes at once is never dialled late: the operator has dialled by hand meanwhile.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.calls import callbacks
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.elders import registration
from app.elders import service as elders
from app.hotline import presence, queries
from app.hotline.schemas import DialView, TakenDial

_NUMBER = "dial.number"
TAKEN_WITHIN, WORD_WITHIN = timedelta(seconds=20), timedelta(minutes=1)
LOOK_S = 0.25


async def request(tx: Tx, caller: Caller, about: str, about_id: UUID) -> DialView:
    """Connect the caller with an elder, or with whom a call-back task is about.

    Raises Conflict when the caller is at no telephone, NotFound out of scope, Invalid when there is no number.
    """
    extension, now, dial_id = await presence.extension_of(tx, caller), clock.now(), new_id()
    number = await _number(tx, caller, about, about_id)
    sealed = tx.vault.seal(_NUMBER, dial_id, number)
    await queries.add_dial(tx, dial_id, UUID(caller.id), extension, sealed, about, about_id, now)
    await audit.record(tx, caller, "hotline.dial", about, about_id, ("phone",))
    return await one(tx, dial_id)


async def _number(tx: Tx, caller: Caller, about: str, about_id: UUID) -> str:
    if about == "callback_task":
        found = callbacks.phone_of(tx, await callbacks.seen(tx, caller, about_id))
    else:
        if about_id not in await registration.visible_of(tx, caller, [about_id]):
            raise NotFound("elder_not_found")
        found = (await elders.door(tx, about_id)).phone
    if found is None:
        raise Invalid("no_number", "there is no number to dial", field="about_id")
    return found


async def take(database: Database, wait_s: float) -> list[TakenDial]:
    """What is to be dialled now; waits for it. Whoever is given a request here is the only one."""
    until = asyncio.get_running_loop().time() + wait_s
    while True:
        async with database.transaction() as tx:
            now = clock.now()
            await queries.expire_dials(tx, now - TAKEN_WITHIN, now - WORD_WITHIN, now)
            taken = [
                TakenDial(
                    id=row["id"], extension=row["extension"], number=tx.vault.open(_NUMBER, row["id"], row["number"])
                )
                for row in await queries.take_dials(tx, now, now - TAKEN_WITHIN)
            ]
        if taken or asyncio.get_running_loop().time() >= until:
            return taken
        await asyncio.sleep(LOOK_S)


async def settle(tx: Tx, dial_id: UUID, status: str, cause: str | None) -> DialView:
    """What the exchange made of it; said again it changes nothing. Raises Conflict for one that was never taken."""
    if not await queries.settle_dial(tx, dial_id, status, cause, clock.now()):
        row = await queries.dial(tx, dial_id)
        if row["status"] != status:
            raise Conflict("dial_settled", f"this request is {row['status']}", status=row["status"])
    return await one(tx, dial_id)


async def one(tx: Tx, dial_id: UUID) -> DialView:
    row: Any = await queries.dial(tx, dial_id)
    return DialView(**dict(row))


def _taken(tx: Tx, row: Any) -> TakenDial:
    number = tx.vault.open(_NUMBER, row["id"], row["number"])
    return TakenDial(id=row["id"], extension=row["extension"], number=number)
