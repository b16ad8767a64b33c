"""Background work of the spine."""

from __future__ import annotations

from app.core import clock
from app.core.db import Tx
from app.orders import queries
from app.orders.events import DeadlineMissed


async def announce_missed_deadlines(tx: Tx) -> int:
    """Tell, once, of every deadline that passed unmet; returns how many."""
    now = clock.now()
    missed = await queries.take_missed(tx, now)
    for row in missed:
        await tx.publish(DeadlineMissed(order_id=row["order_id"], deadline=row["name"], due_at=row["due_at"], at=now))
    return len(missed)
