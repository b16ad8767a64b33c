"""Dispatch's sweeps. Each handles a bounded batch, so that one transaction stays short."""

from __future__ import annotations

from datetime import timedelta

from app.core import clock, log
from app.core.db import Tx
from app.core.errors import Error
from app.dispatch import queries_sweeps as queries
from app.dispatch import service
from app.matching import queries_bookings
from app.orders.recurring import held_from

BATCH = 20
TRY_AGAIN_AFTER = timedelta(minutes=5)


async def expire_offers(tx: Tx) -> int:
    """Close offers past their deadline and go on to the next provider; returns how many."""
    due = await queries.overdue(tx, clock.now(), BATCH)
    expired = 0
    # All at once and in one order, as everybody takes them: then this long transaction waits for nobody later on.
    await queries_bookings.lock_caregivers(tx, [row["order_id"] for row in due])
    for row in due:
        try:
            async with tx.savepoint():
                expired += await service.expire(tx, row["id"], row["order_id"])
        except Error as refusal:  # one order that cannot move must not hold up all the others
            log.get("dispatch").error("expiry_failed", order_id=str(row["order_id"]), code=refusal.code)
    return expired


async def dispatch_waiting(tx: Tx) -> int:
    """Try placed orders again that nobody could take: shifts begin, absences end, others cancel. Orders of recurring
    plans that no round has taken by the cut-off of the day before come here for the first time."""
    now = clock.now()
    waiting = await queries.waiting(tx, now - TRY_AGAIN_AFTER, held_from(now), BATCH)
    tried = [await service.dispatch(tx, order_id, holding=number > 0) for number, order_id in enumerate(waiting)]
    return sum(offer_id is not None for offer_id in tried)
