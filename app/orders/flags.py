"""What holds an order without being a status of it: suspended by the desk, a complaint, an exception of its visit."""

from __future__ import annotations

from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller
from app.orders import queries
from app.orders.events import OrderFlagged
from app.orders.lifecycle import SUSPENDABLE, SUSPENDED, Status
from app.orders.queries import OrderRow


async def add(tx: Tx, order_id: UUID, flag: str, actor: str, reason: str | None = None) -> OrderRow:
    """Raise a flag; raising it twice changes nothing."""
    order = await queries.lock(tx, order_id)
    return order if flag in order.flags else await _flag(tx, order, [*order.flags, flag], flag, True, actor, reason)


async def drop(tx: Tx, order_id: UUID, flag: str, actor: str, reason: str | None = None) -> OrderRow:
    """Lower a flag; lowering one that is not raised changes nothing."""
    order = await queries.lock(tx, order_id)
    kept = [f for f in order.flags if f != flag]
    return order if kept == order.flags else await _flag(tx, order, kept, flag, False, actor, reason)


async def suspend(tx: Tx, caller: Caller, order_id: UUID, reason: str) -> OrderRow:
    """Hold an order nobody has begun. Raises Conflict."""
    order = await queries.lock(tx, order_id)
    if Status(order.status) not in SUSPENDABLE:
        raise Conflict("order_state", f"an order that is {order.status} cannot be suspended", status=order.status)
    return await add(tx, order_id, SUSPENDED, caller.actor, reason)


async def resume(tx: Tx, caller: Caller, order_id: UUID, reason: str) -> OrderRow:
    """Let a held order go on. Raises Conflict for one that is not held."""
    order = await queries.lock(tx, order_id)
    if SUSPENDED not in order.flags:
        raise Conflict("order_state", "this order is not suspended", status=order.status)
    return await drop(tx, order_id, SUSPENDED, caller.actor, reason)


async def _flag(
    tx: Tx, order: OrderRow, flags: list[str], flag: str, raised: bool, actor: str, reason: str | None
) -> OrderRow:
    now = clock.now()
    flagged = await queries.set_flags(tx, order, flags, now, actor, reason, {"flag": flag, "raised": raised})
    await tx.publish(
        OrderFlagged(
            order_id=order.id,
            flag=flag,
            raised=raised,
            provider_id=order.provider_id,
            version=flagged.version,
            actor=actor,
            at=now,
        )
    )
    return flagged
