"""What must be true after any number of operations in any order, asked of the tables alone.

Nothing here trusts a constraint or the code: overlaps are found by joining the bookings with themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core.db import Database, Tx

OVERLAPS = """SELECT a.id, b.id FROM booking a JOIN booking b ON a.caregiver_id = b.caregiver_id AND a.id <> b.id
  AND lower(a.during) < upper(b.during) AND lower(b.during) < upper(a.during)
WHERE a.status <> 'released' AND b.status <> 'released' AND (a.made_at, a.id) > (b.made_at, b.id)
  AND a.made_at >= $1"""

# An order as it stands, what it should hold, and what it does hold.
STANDING = """WITH order_now AS MATERIALIZED (
  SELECT o.id, o.status, o.provider_id, o.offer_id, o.caregiver_id, o.second_caregiver_id, i.caregivers
  FROM care_order o JOIN service_item i ON i.code = o.item_code WHERE o.updated_at >= $1
), offers AS (
  SELECT order_id, count(*) FILTER (WHERE status = 'offered') AS open,
    count(*) FILTER (WHERE status = 'accepted') AS accepted,
    count(*) FILTER (WHERE status = 'offered' AND mode <> 'grab') AS alone,
    count(DISTINCT decision_id) FILTER (WHERE status IN ('offered', 'accepted')) AS rounds,
    min(id::text) FILTER (WHERE status = 'accepted') AS taken
  FROM offer WHERE order_id IN (SELECT id FROM order_now) GROUP BY order_id
), bookings AS (
  SELECT b.order_id, array_agg(b.role || ' ' || b.status || ' ' || b.caregiver_id ORDER BY b.role) AS found,
    array_agg(DISTINCT c.provider_id) AS providers
  FROM booking b JOIN caregiver c ON c.id = b.caregiver_id
  WHERE b.status <> 'released' AND b.order_id IN (SELECT id FROM order_now) GROUP BY b.order_id
), standing AS (
  SELECT o.*, coalesce(f.open, 0) AS open, coalesce(f.accepted, 0) AS accepted, coalesce(f.alone, 0) AS alone,
    coalesce(f.rounds, 0) AS rounds, f.taken, coalesce(b.found, '{}') AS found, b.providers,
    (SELECT array_agg(role || ' ' || state ORDER BY role) FROM unnest(ARRAY['lead', 'second']) WITH ORDINALITY
      AS part (role, n), (VALUES ('held')) AS held (state) WHERE n <= o.caregivers) AS team_held,
    array_remove(ARRAY['lead booked ' || o.caregiver_id, 'second booked ' || o.second_caregiver_id], NULL) AS named
  FROM order_now o LEFT JOIN offers f ON f.order_id = o.id LEFT JOIN bookings b ON b.order_id = o.id
)"""

WRONG = {
    "twice accepted": "accepted > 1",
    "several open that nobody may grab": "alone > 1 OR (alone = 1 AND open > 1)",
    "offers of two rounds at once": "rounds > 1",
    "accepted and still open elsewhere": "accepted > 0 AND open > 0",
    "placed or cancelled, yet offered or booked": """status IN ('placed', 'cancelled')
      AND (open + accepted > 0 OR found <> '{}')""",
    "dispatched without an open offer": "status = 'dispatched' AND open = 0",
    "dispatched to one whose team is not held": """status = 'dispatched' AND alone = 1 AND
      (SELECT array_agg(split_part(f, ' ', 1) || ' ' || split_part(f, ' ', 2)) FROM unnest(found) AS f) <> team_held""",
    "to be grabbed, yet somebody is held": "status = 'dispatched' AND alone = 0 AND found <> '{}'",
    "in hand without its accepted offer": """status IN ('accepted', 'assigned', 'in_service', 'completed', 'closed')
      AND (accepted <> 1 OR taken IS DISTINCT FROM offer_id::text)""",
    "accepted and its team not held": """status = 'accepted' AND
      (SELECT array_agg(split_part(f, ' ', 1) || ' ' || split_part(f, ' ', 2)) FROM unnest(found) AS f)
      IS DISTINCT FROM team_held""",
    "assigned without exactly its bookings": """status IN ('assigned', 'in_service') AND (found <> named
      OR cardinality(named) <> caregivers)""",
    "booked at another company": "provider_id IS NOT NULL AND providers <> ARRAY[provider_id]",
    "history that ends elsewhere": """status IS DISTINCT FROM
      (SELECT h.after FROM order_history h WHERE h.order_id = standing.id ORDER BY h.seq DESC LIMIT 1)""",
    "placed and never looked at since": """status = 'placed' AND NOT EXISTS (
      SELECT FROM decision d WHERE d.order_id = standing.id AND d.made_at >= (
        SELECT max(h.at) FROM order_history h WHERE h.order_id = standing.id AND h.after = 'placed'))""",
}
"""Names of what is lost or contradictory, each with its condition."""

HISTORIES = """SELECT count(*) FROM (
  SELECT before, lag(after) OVER (PARTITION BY order_id ORDER BY seq) AS was FROM order_history
  WHERE order_id IN (SELECT id FROM care_order WHERE updated_at >= $1)) AS step
WHERE before IS DISTINCT FROM was"""

# A day's slots are a filter made of the bookings; every slot that lies wholly in a live booking is taken, no other is.
DAYS = """SELECT count(*) FROM caregiver_day d WHERE d.taken IS DISTINCT FROM coalesce((
  SELECT bit_or(slots.of_booking) FROM booking b CROSS JOIN LATERAL (SELECT
    greatest(0, ceil(extract(epoch FROM lower(b.during) - midnight.at) / 300))::int AS first,
    least(384, floor(extract(epoch FROM upper(b.during) - midnight.at) / 300))::int AS behind
    FROM (SELECT d.day::timestamp AT TIME ZONE 'Asia/Shanghai' AS at) AS midnight) AS span
  CROSS JOIN LATERAL (SELECT (repeat('0', span.first) || repeat('1', span.behind - span.first)
    || repeat('0', 384 - span.behind))::bit(384) AS of_booking) AS slots
  WHERE b.caregiver_id = d.caregiver_id AND b.status <> 'released' AND span.first < span.behind), 0::bit(384))"""

OVERLAP = "caregivers in two places"
EVER = datetime(2000, 1, 1, tzinfo=UTC)


async def overlaps(tx: Tx, since: datetime) -> set[tuple[UUID, UUID]]:
    """Pairs of live bookings of one caregiver that overlap, one of them made since then."""
    return {(row[0], row[1]) for row in await tx.fetch(OVERLAPS, since)}


async def audit(database: Database, since: datetime = EVER) -> dict[str, int]:
    """Every breach by name with how many there are; nothing when all is well.

    `since` leaves out orders that nothing has happened to after that; new bookings are held against all others.
    """
    async with database.statements() as tx:
        return await breaches(tx, since)


async def breaches(tx: Tx, since: datetime = EVER) -> dict[str, int]:
    """`audit` of what this transaction sees."""
    conditions = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in WRONG.values())
    row: Any = await tx.fetchrow(f"{STANDING} SELECT {conditions} FROM standing", since)
    found = dict(zip(WRONG, row, strict=True))
    found[OVERLAP] = len(await overlaps(tx, since))
    found["histories with a gap"] = await tx.fetchval(HISTORIES, since)
    found["days that say other than the bookings"] = await tx.fetchval(DAYS)
    return {name: count for name, count in found.items() if count}
