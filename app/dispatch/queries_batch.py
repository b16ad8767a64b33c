"""The SQL of scarcity and of the orders that wait for each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core.db import Tx
from app.dispatch.batch import Switch
from app.orders.queries import COLUMNS as ORDER_COLUMNS
from app.orders.queries import OrderRow
from app.orders.queries import row as order_row

COMPETE_S = 2 * 3600
"""Orders wanted at the same time want the same caregivers; those of another hour or day do not."""

# What came lately was also touched lately, and that there is an index for.
ARRIVALS = f"""SELECT DISTINCT ON (division_code, item_code) division_code, item_code, orders, wanted_at FROM (
  SELECT left(o.division_code, 6) AS division_code, o.item_code, count(*) AS orders,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.wanted_at) AS wanted_at
  FROM care_order o CROSS JOIN LATERAL (SELECT greatest(o.wanted_from, $2) AS wanted_at) AS w
  WHERE o.updated_at >= $1 AND o.placed_at >= $1 AND o.status <> 'cancelled' AND o.channel <> 'plan'
  GROUP BY 1, 2, floor(extract(epoch FROM w.wanted_at - $2) / {COMPETE_S})
) AS wanted ORDER BY division_code, item_code, orders DESC, wanted_at"""

# Counted only as far as it matters: whether somebody is free for every order and more is enough to know.
FREE = """SELECT count(*) FROM (
  SELECT 1 FROM provider p
  JOIN provider_item i ON i.provider_id = p.id AND i.item_code = $2
  JOIN caregiver c ON c.provider_id = p.id AND c.status = 'active'
  WHERE p.status = 'active'
    AND EXISTS (SELECT 1 FROM provider_area a WHERE a.provider_id = p.id AND a.division_code = ANY($1::text[]))
    AND ($3::text IS NULL OR EXISTS (
      SELECT 1 FROM caregiver_certificate q WHERE q.caregiver_id = c.id AND q.kind = $3
        AND q.valid_from <= $4 AND (q.valid_to IS NULL OR q.valid_to >= $4)))
    AND EXISTS (
      SELECT 1 FROM caregiver_shift s WHERE s.caregiver_id = c.id AND s.weekday = extract(isodow FROM $4::date)
        AND s.starts_minute <= $5 AND s.ends_minute > $5)
    AND NOT EXISTS (
      SELECT 1 FROM caregiver_absence v WHERE v.caregiver_id = c.id AND v.starts_at <= $6 AND v.ends_at > $6)
    AND (SELECT true FROM booking b WHERE b.caregiver_id = c.id AND b.status <> 'released' AND b.during @> $6 LIMIT 1)
      IS NULL
  LIMIT $7) AS free"""

SCARCITY = "SELECT division_code, item_code, pressure, batching, measured_at FROM scarcity"

NOTE = """INSERT INTO scarcity (division_code, item_code, pressure, batching, measured_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (division_code, item_code)
DO UPDATE SET pressure = excluded.pressure, batching = excluded.batching, measured_at = excluded.measured_at"""

FORGET = "DELETE FROM scarcity WHERE measured_at < $1"

SWITCHES = "SELECT version, division_code, opens, closes, longest_wait, valid_from FROM batch_switch"

SEED_SWITCH = """INSERT INTO batch_switch (division_code, opens, closes, longest_wait, valid_from)
SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM batch_switch WHERE division_code = $1)"""

# Whoever is being written by somebody else is left for the next batch: this transaction holds many orders, and must
# not wait for one while it does.
WAITING = f"""SELECT {ORDER_COLUMNS} FROM care_order o
WHERE o.status = 'placed' AND o.flags = '{{}}' AND o.urgency <> ALL($2::text[]) AND o.updated_at > $1
  AND (o.channel <> 'plan' OR o.wanted_from < $4)
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.order_id = o.id AND d.made_at >= o.updated_at)
ORDER BY o.id LIMIT $3 FOR NO KEY UPDATE OF o SKIP LOCKED"""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Orders of one item that came to one district lately and are wanted at about the same time: the most there are,
    and when the middle one of them is wanted."""

    division_code: str
    item_code: str
    orders: int
    wanted_at: datetime


async def arrivals(tx: Tx, since: datetime, now: datetime) -> list[Arrivals]:
    return [Arrivals(*row) for row in await tx.fetch(ARRIVALS, since, now)]


async def free(
    tx: Tx, places: Sequence[str], item_code: str, certificate: str | None, day: date, minute: int, at: datetime,
    limit: int,
) -> int:  # fmt: skip
    """Caregivers who could do this item and have nothing at `at`; counted up to `limit`."""
    return int(await tx.fetchval(FREE, places, item_code, certificate, day, minute, at, limit))


async def scarcity(tx: Tx) -> list[Any]:
    return await tx.fetch(SCARCITY)


async def note(tx: Tx, division_code: str, item_code: str, pressure: float, batching: bool, at: datetime) -> None:
    await tx.run(NOTE, division_code, item_code, pressure, batching, at)


async def forget(tx: Tx, before: datetime) -> int:
    return await tx.run(FORGET, before)


async def switches(tx: Tx) -> list[Any]:
    return await tx.fetch(SWITCHES)


async def seed_switch(tx: Tx, division_code: str, switch: Switch, day: date) -> None:
    """The shipped switch, unless this division has one."""
    await tx.run(SEED_SWITCH, division_code, switch.opens, switch.closes, switch.longest_wait, day)


async def waiting(tx: Tx, since: datetime, never: Sequence[str], limit: int, held_from: datetime) -> list[OrderRow]:
    """Orders placed since then that nobody has decided on; locked, without those somebody else has locked.

    Orders of plans that are wanted at `held_from` or later wait for their round.
    """
    return [order_row(row) for row in await tx.fetch(WAITING, since, never, limit, held_from)]
