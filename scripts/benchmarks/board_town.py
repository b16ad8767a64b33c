"""A town with thousands of open orders, made at once, and somebody who changes them through the rooms, steadily."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.core.db import Database
from app.core.errors import Error
from app.core.http import SYSTEM
from app.orders import flags
from app.orders import service as orders
from app.orders.lifecycle import SUSPENDED
from benchmarks.town import COMMUNITY, ITEM

MAKE = """WITH made AS (
  INSERT INTO care_order (id, number, status, item_code, elder_id, division_code, urgency, channel, wanted_from,
    wanted_to, minutes, price_fen, payers, copay_fen, flags, delivery, placed_by, placed_at, updated_at, version,
    provider_id, caregiver_id, assigned_at)
  SELECT gen_random_uuid(), '2611' || lpad(n::text, 9, '0'), 'assigned', $2, e.id, $3, 'normal', 'hotline',
    now() + n * interval '5 seconds', now() + n * interval '5 seconds' + interval '2 hours', 60, 3600, '[]', 3600,
    '{}', 'none', 'system:bench', now(), now(), 1, c.provider_id, c.id, now()
  FROM generate_series(1, $1) AS n
  JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS at, count(*) OVER () AS all FROM elder) e
    ON e.at = n % e.all
  JOIN (SELECT id, provider_id, row_number() OVER (ORDER BY id) - 1 AS at, count(*) OVER () AS all FROM caregiver) c
    ON c.at = n % c.all
  RETURNING id, wanted_from
), history AS (
  INSERT INTO order_history (order_id, seq, after, actor, at) SELECT id, 1, 'placed', 'system:bench', now() FROM made
)
INSERT INTO order_deadline (order_id, name, due_at, announced_at)
SELECT id, 'arrive', wanted_from - interval '20 minutes', now() FROM made"""
IDS = "SELECT o.id FROM care_order o JOIN order_deadline d ON d.order_id = o.id ORDER BY d.due_at, o.id"


async def fill(database: Database, count: int) -> list[UUID]:
    """So many open orders, some of them late; their ids, the most pressing first."""
    async with database.transaction() as tx:
        await tx.run(MAKE, count, ITEM, COMMUNITY)
        await tx.run("ANALYZE care_order")
        return [row["id"] for row in await tx.fetch(IDS)]


@dataclass
class Changer:
    """Changes orders `rate` times a second, and keeps when each version was committed."""

    database: Database
    ids: Sequence[UUID]
    rate: float
    rng: random.Random
    committed: dict[tuple[str, int], float] = field(default_factory=dict)
    failed: int = 0

    async def run(self, seconds: float) -> None:
        end, due = time.time() + seconds, time.time()
        running: set[asyncio.Task[None]] = set()
        while time.time() < end:
            due += 1 / self.rate
            task = asyncio.create_task(self._one(self.rng.choice(self.ids)))
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.sleep(max(0.0, due - time.time()))
        await asyncio.gather(*running)

    async def _one(self, order_id: UUID) -> None:
        try:
            async with self.database.transaction() as tx:
                order = await orders.locked(tx, order_id)
                change = flags.drop if SUSPENDED in order.flags else flags.add
                changed = await change(tx, order_id, SUSPENDED, SYSTEM.actor)
            self.committed[(str(order_id), changed.version)] = time.time()
        except Error:
            self.failed += 1


def spread(times: Sequence[float]) -> str:
    """In words, of delays in seconds."""
    if not times:
        return "none"
    kept = sorted(times)
    p50, p95, p99 = (1000 * kept[int((len(kept) - 1) * q)] for q in (0.5, 0.95, 0.99))
    return f"p50 {p50:.0f} ms  p95 {p95:.0f} ms  p99 {p99:.0f} ms  worst {1000 * kept[-1]:.0f} ms  ({len(kept)})"


def p95(times: Sequence[float]) -> float:
    return sorted(times)[int((len(times) - 1) * 0.95)] if times else float("inf")
