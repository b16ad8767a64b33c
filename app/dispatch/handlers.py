"""What dispatch does when others tell it something."""

from __future__ import annotations

from app.core import log
from app.core.db import Tx
from app.core.http import SYSTEM
from app.core.sqlstate import as_unavailable, is_retryable
from app.dispatch import batching, service
from app.orders import queries_reading as order_queries
from app.orders import service as orders
from app.orders.events import DeadlineMissed, OrderAdvanced, OrderFlagged, OrderPlaced
from app.orders.lifecycle import RELEASABLE, SUSPENDED, Status
from app.orders.recurring import waits_for_round
from app.providers.events import ProviderSuspended


async def on_order_placed(tx: Tx, event: OrderPlaced) -> None:
    """Match at once, unless the order waits for the round of its day, or to be weighed against others.

    If matching itself fails the order still stands, and the sweep tries again.
    """
    if waits_for_round(event.order.channel, event.order.wanted_from, event.at):
        return
    try:
        async with tx.savepoint():
            if not await batching.keeps_back(tx, event.order):
                await service.dispatch_locked(tx, event.order)
    except Exception as failure:
        if is_retryable(failure) or as_unavailable(failure) is not None:
            raise
        log.get("dispatch").error("matching_failed", order_id=str(event.order.id), error=repr(failure))


async def on_order_advanced(tx: Tx, event: OrderAdvanced) -> None:
    """A cancelled order's offer is withdrawn and its caregiver freed."""
    if event.after is Status.CANCELLED:
        await service.withdraw_for_cancelled(tx, event.order_id)


async def on_order_flagged(tx: Tx, event: OrderFlagged) -> None:
    """An order that may go on is dispatched again if it still waits."""
    if not event.raised and event.flag == SUSPENDED:
        order = await orders.locked(tx, event.order_id)
        if not waits_for_round(order.channel, order.wanted_from, event.at):
            await service.dispatch_locked(tx, order)


async def on_deadline_missed(tx: Tx, event: DeadlineMissed) -> None:
    """A provider that accepted but names nobody loses the order; other missed deadlines are for people."""
    if event.deadline != "designate":
        return
    order = await orders.locked(tx, event.order_id)
    if order.status == Status.ACCEPTED and not order.flags:
        order = await service.take_back(tx, order, SYSTEM.actor, "designation_overdue")
        await service.dispatch_locked(tx, order, holding=True)


async def on_provider_suspended(tx: Tx, event: ProviderSuspended) -> None:
    """Its open orders go to others; a visit that has begun is finished by whoever is there."""
    for order_id in await order_queries.of_provider(tx, event.provider_id, [status.value for status in RELEASABLE]):
        order = await orders.locked(tx, order_id)
        if order.provider_id == event.provider_id and order.status in RELEASABLE and not order.flags:
            order = await service.take_back(tx, order, event.actor, "provider_suspended")
            await service.dispatch_locked(tx, order, holding=True)
