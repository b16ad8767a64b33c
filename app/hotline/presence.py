"""Who is at the telephones, and what waits for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import audit, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller
from app.core.ids import new_id
from app.hotline import queries
from app.hotline.schemas import DeskView, OperatorView, QueueView
from app.orders import service as orders

TOLD_AGAIN = timedelta(seconds=3)
GONE_AFTER = timedelta(seconds=8)
"""Whoever has not said so for this long has no page open any more, or no network."""


async def enter(
    tx: Tx, caller: Caller, extension: str, state: str, reason: str | None = None, *, take_over: bool = False
) -> None:
    """Be in `state` at `extension` from now on.

    Raises Conflict when somebody else is there, unless they have only forgotten to leave and it is taken over.
    """
    staff_id, now = UUID(caller.id), clock.now()
    await queries.leave(tx, staff_id, now)
    if take_over and (other := await queries.free(tx, extension, now)) is not None:
        await audit.record(tx, caller, "hotline.take_over", "staff", other, ("extension",))
    if not await queries.enter(tx, new_id(), staff_id, extension, state, reason, now):
        raise Conflict("extension_taken", "somebody else is at this extension", extension=extension)


async def leave(tx: Tx, caller: Caller) -> None:
    await queries.leave(tx, UUID(caller.id), clock.now())


async def extension_of(tx: Tx, caller: Caller) -> str:
    """Raises Conflict for an operator who is not at a telephone."""
    row = await queries.present(tx, UUID(caller.id))
    if row is None:
        raise Conflict("not_at_a_telephone", "say first at which extension you are")
    return str(row["extension"])


async def desk(tx: Tx) -> DeskView:
    """Operators and queues as of now."""
    now = clock.now()
    return DeskView(
        operators=[_operator(row) for row in await queries.operators(tx)],
        queues=[_queue(row, now) for row in await queries.queues(tx)],
    )


async def send_home(tx: Tx) -> int:
    """End the presence of whoever has no session any more."""
    return await queries.gone(tx, clock.now())


async def look(tx: Tx, caller: Caller, order_id: UUID) -> list[str]:
    """I have this order before me; names of the others who have. Raises NotFound out of scope."""
    await _see(tx, caller, order_id)
    now, me = clock.now(), UUID(caller.id)
    await queries.look(tx, order_id, me, now, now - TOLD_AGAIN)
    return await queries.viewers(tx, order_id, me, now - GONE_AFTER)


async def look_away(tx: Tx, caller: Caller, order_id: UUID) -> None:
    await queries.look_away(tx, order_id, UUID(caller.id))


async def forget_viewers(tx: Tx) -> int:
    """Whose page went away without saying so."""
    return await queries.forget_viewers(tx, clock.now() - timedelta(minutes=1))


async def _see(tx: Tx, caller: Caller, order_id: UUID) -> None:
    scope.see(caller, (await orders.get(tx, order_id)).division_code)


def _operator(row: Any) -> OperatorView:
    talks = row["call_id"] is not None
    return OperatorView(
        staff_id=row["staff_id"], name=row["name"], extension=row["extension"],
        state="talking" if talks else row["state"], reason=None if talks else row["reason"], since=row["from_at"],
        call_id=row["call_id"],
    )  # fmt: skip


def _queue(row: Any, now: datetime) -> QueueView:
    since = row["longest_since"]
    return QueueView(
        queue=row["queue"], waiting=row["waiting"], ringing=row["ringing"], talking=row["talking"],
        longest_wait_s=max(0, int((now - since).total_seconds())) if since is not None else None,
    )  # fmt: skip
