"""Dispatch's sweeps. Each handles a bounded batch, so that one transaction stays short."""

from __future__ import annotations

from datetime import timedelta

from app.core import clock, log
from app.core.db import Tx
from app.core.errors import Error
from app.dispatch import queries, service

BATCH = 20
TRY_AGAIN_AFTER = timedelta(minutes=5)


async def expire_offers(tx: Tx) -> int:
    """Close offers past their deadline and go on to the next provider; returns how many."""
    due = await queries.overdue(tx, clock.now(), BATCH)
    expired = 0
    # One order of locking for everybody, so that two sweeps cannot wait for each other.
    for row in sorted(due, key=lambda r: r["order_id"]):
        try:
            async with tx.savepoint():
                expired += await service.expire(tx, row["id"], row["order_id"])
        except Error as refusal:  # one order that cannot move must not hold up all the others
            log.get("dispatch").error("expiry_failed", order_id=str(row["order_id"]), code=refusal.code)
    return expired


async def dispatch_waiting(tx: Tx) -> int:
    """Try placed orders again that nobody could take: shifts begin, absences end, others cancel."""
    waiting = await queries.waiting(tx, clock.now() - TRY_AGAIN_AFTER, BATCH)
    return sum([(await service.dispatch(tx, order_id)) is not None for order_id in waiting])
