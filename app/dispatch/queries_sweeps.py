"""The SQL of what dispatch's sweeps look for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.dispatch.offers import IN_OTHERS_HANDS

# An order that somebody is busy with this moment is looked at next time.
OVERDUE = """WITH due AS (
  SELECT id, order_id FROM offer WHERE status = 'offered' AND deadline_at <= $1 ORDER BY deadline_at LIMIT $2
), free AS (
  SELECT o.id FROM care_order o WHERE o.id IN (SELECT order_id FROM due) ORDER BY o.id FOR NO KEY UPDATE SKIP LOCKED
)
SELECT due.id, due.order_id FROM due JOIN free ON free.id = due.order_id ORDER BY due.order_id, due.id"""

WAITING = """SELECT o.id FROM care_order o LEFT JOIN LATERAL (
  SELECT d.made_at, d.reason FROM decision d WHERE d.order_id = o.id ORDER BY d.made_at DESC, d.id DESC LIMIT 1
) AS last ON true
WHERE o.status = 'placed' AND o.flags = '{}' AND (o.channel <> 'plan' OR o.wanted_from < $4) AND (
  last.reason = $2 OR (o.updated_at <= $1 AND (last.made_at <= $1 OR last.made_at IS NULL)))
ORDER BY o.id LIMIT $3 FOR NO KEY UPDATE OF o SKIP LOCKED"""


async def overdue(tx: Tx, now: datetime, limit: int) -> list[Any]:
    """Offers past their deadline, their orders locked."""
    return await tx.fetch(OVERDUE, now, limit)


async def waiting(tx: Tx, quiet_since: datetime, held_from: datetime, limit: int) -> list[UUID]:
    """Placed orders that nobody has tried to dispatch since `quiet_since`, or just when others were busy; locked.

    Orders of plans that are wanted at `held_from` or later wait for their round.
    """
    return [row["id"] for row in await tx.fetch(WAITING, quiet_since, IN_OTHERS_HANDS, limit, held_from)]
