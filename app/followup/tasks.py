"""Sweeps of follow-up."""

from __future__ import annotations

from app.core import clock
from app.core.db import Tx
from app.followup import queries, service
from app.jobs import feed

BATCH = 200
DESK = "desk"


async def auto_pass(tx: Tx) -> int:
    """Let pass what nobody drew and nobody rated in time; returns how many passed."""
    waiting = await queries.passing(tx, clock.now(), BATCH)
    # Ascending ids: two workers that meet on the same orders must not wait in a circle.
    return sum([await service.let_pass(tx, order_id) for order_id in sorted(waiting)])


async def announce_due(tx: Tx) -> int:
    """Tell the desk, once per planned call, that somebody may be called now; returns how many."""
    ready = await queries.announce(tx, clock.now(), BATCH)
    for row in ready:
        facts = {
            "followup_id": str(row["id"]),
            "division": row["division_code"],
            "due_at": row["due_at"].isoformat(),
            "attempts": row["attempts"],
        }
        await feed.append(tx, DESK, "followup.due", order_id=row["order_id"], facts=facts)
    return len(ready)
