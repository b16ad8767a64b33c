"""Dispatch's SQL: one statement finds, refuses with a reason and pre-sorts; one statement holds and offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps
from app.orders.queries import COLUMNS as ORDER_COLUMNS
from app.orders.queries import OrderRow
from app.orders.queries import row as order_row

NEAREST = 24
"""How many survivors are scored, the elder's known caregivers and then the nearest first."""

# The CASE stops at the first rule that fails, so the costly probe of bookings runs for the few that are left.
# `LIMIT 1` keeps that probe an index look-up per caregiver: as a plain EXISTS the planner may turn it into one
# scan over every booking that overlaps the hour, which is fine at a thousand rows and ruinous at a million.
CANDIDATES = """WITH enterprise AS MATERIALIZED (
  SELECT p.id, p.name, CASE
    WHEN p.status <> 'active' THEN 'provider_suspended'
    WHEN p.id = ANY($2::uuid[]) THEN 'provider_excluded'
    WHEN NOT EXISTS (SELECT 1 FROM provider_item pi WHERE pi.provider_id = p.id AND pi.item_code = $3)
      THEN 'item_not_offered'
    WHEN p.daily_capacity IS NOT NULL AND p.daily_capacity <= (
      SELECT count(*) FROM offer f
      WHERE f.provider_id = p.id AND f.service_day = $4 AND f.status IN ('offered', 'accepted')) THEN 'provider_full'
    WHEN p.monthly_quota IS NOT NULL AND p.monthly_quota <= (
      SELECT count(*) FROM offer f
      WHERE f.provider_id = p.id AND f.service_day >= date_trunc('month', $4::date)::date
        AND f.service_day < (date_trunc('month', $4::date) + interval '1 month')::date
        AND f.status IN ('offered', 'accepted')) THEN 'provider_full'
  END AS failed
  FROM provider p
  WHERE p.status <> 'exited' AND ($15::uuid IS NULL OR p.id = $15) AND EXISTS (
    SELECT 1 FROM provider_area a WHERE a.provider_id = p.id AND a.division_code = ANY($1::text[]))
), pool AS MATERIALIZED (
  SELECT c.id, c.provider_id, c.name, e.name AS provider_name, c.home_lng, c.home_lat, c.travel_mode, CASE
    WHEN e.failed IS NOT NULL THEN e.failed
    WHEN c.status <> 'active' THEN 'caregiver_inactive'
    WHEN $5::text IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM caregiver_certificate q WHERE q.caregiver_id = c.id AND q.kind = $5
        AND q.valid_from <= $4 AND (q.valid_to IS NULL OR q.valid_to >= $4)) THEN 'certificate'
    WHEN c.sex <> (SELECT wish.gender_wish FROM elder wish WHERE wish.id = $6) THEN 'gender_wish'
    WHEN EXISTS (SELECT 1 FROM blocked_pair b WHERE b.elder_id = $6 AND b.caregiver_id = c.id) THEN 'blocked_pair'
    WHEN NOT EXISTS (
      SELECT 1 FROM caregiver_shift s WHERE s.caregiver_id = c.id AND s.weekday = $7
        AND s.starts_minute <= $8 AND s.ends_minute >= $9) THEN 'off_shift'
    WHEN EXISTS (
      SELECT 1 FROM caregiver_absence v WHERE v.caregiver_id = c.id AND v.starts_at < $11 AND v.ends_at > $10)
      THEN 'absent'
    WHEN (SELECT true FROM booking b WHERE b.caregiver_id = c.id AND b.status <> 'released'
        AND b.during && tstzrange($10, $11) LIMIT 1) THEN 'busy'
  END AS failed
  FROM enterprise e JOIN caregiver c ON c.provider_id = e.id
  WHERE $16::uuid IS NULL OR c.id = $16
), near AS MATERIALIZED (
  SELECT pool.*, coalesce(k.visits, 0) AS visits
  FROM pool LEFT JOIN continuity k ON k.elder_id = $6 AND k.caregiver_id = pool.id
  WHERE pool.failed IS NULL
  ORDER BY (k.visits IS NULL), (home_lng - $12) ^ 2 + (home_lat - $13) ^ 2 LIMIT $14
)
SELECT CASE WHEN row_number() OVER () = 1 THEN (SELECT json_object_agg(why, n) FROM (
          SELECT coalesce(failed, '') AS why, count(*) AS n FROM pool GROUP BY failed) AS counted) END AS refusals,
  near.id, near.provider_id, near.name, near.provider_name, near.home_lng, near.home_lat, near.travel_mode,
  near.visits, coalesce(r.ratings, 0) AS ratings, coalesce(r.score_sum, 0) AS score_sum,
  coalesce((SELECT sum(b.minutes) FROM booking b WHERE b.caregiver_id = near.id AND b.status <> 'released'
    AND b.during && tstzrange($17, $18)), 0)::int AS week_minutes
FROM (SELECT 1) AS always LEFT JOIN near ON true LEFT JOIN scorecard r ON r.caregiver_id = near.id"""

HOLD_AND_OFFER = """WITH held AS (
  INSERT INTO booking (id, caregiver_id, order_id, status, during, starts_at, minutes, made_at)
  VALUES ($1, $2, $3, 'held', tstzrange($4, $5), $6, $7, $8)
  ON CONFLICT DO NOTHING RETURNING id
), made AS (
  INSERT INTO offer (id, order_id, provider_id, caregiver_id, decision_id, mode, attempt, status, service_day,
    starts_at, made_at, deadline_at)
  SELECT $9, $3, $10, $2, $11, $12, $13, 'offered', $14, $6, $8, $15 FROM held RETURNING id
), decided AS (
  INSERT INTO decision (id, order_id, mode, made_by, reason, weights_version, starts_at, excluded, funnel, ranked,
    chosen_caregiver_id, chosen_provider_id, made_at)
  SELECT $11, $3, $12, $16, $17, $18, $6, $19, $20, $21, $2, $10, $8 FROM held
)
SELECT id FROM made"""

DECIDE = """INSERT INTO decision (id, order_id, mode, made_by, reason, weights_version, starts_at, excluded, funnel,
  ranked, made_at)
VALUES ($1, $2, 'auto', $3, $4, $5, $6, $7, $8, '[]', $9)"""

OFFER = """SELECT id, order_id, provider_id, caregiver_id, decision_id, mode, attempt, status, service_day, starts_at,
  made_at, deadline_at, closed_at, reason_code FROM offer WHERE id = $1"""
OFFER_NAMES = ("id", "order_id", "provider_id", "caregiver_id", "status", "starts_at", "deadline_at")
LOCKED_OFFER = f"""SELECT {ORDER_COLUMNS}, {", ".join(f"f.{name} AS f_{name}" for name in OFFER_NAMES)}
FROM offer f JOIN care_order o ON o.id = f.order_id WHERE f.id = $1 FOR NO KEY UPDATE OF o, f"""
OPEN_OFFER = OFFER.replace("WHERE id = $1", "WHERE order_id = $1 AND status IN ('offered', 'accepted')") + (
    " ORDER BY made_at DESC LIMIT 1"
)
PAST_OFFERS = "SELECT provider_id, status, mode FROM offer WHERE order_id = $1"

TAKE_OFFER = """WITH taken AS (
  UPDATE offer SET status = 'accepted', closed_at = $2 WHERE id = $1 AND status = 'offered' RETURNING order_id
), kept AS (
  UPDATE booking b SET status = CASE WHEN b.caregiver_id = $3 THEN 'booked' ELSE 'released' END
  FROM taken WHERE b.order_id = taken.order_id AND b.status = 'held' AND $3::uuid IS NOT NULL
  RETURNING b.caregiver_id, b.status
)
SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM kept WHERE status = 'booked') AS booked"""

CLOSE_OFFER = """WITH closed AS (
  UPDATE offer SET status = $2, closed_at = $3, reason_code = $4, note = $5
  WHERE id = $1 AND status = ANY($6::text[]) RETURNING order_id
), freed AS (
  UPDATE booking b SET status = 'released' FROM closed WHERE b.order_id = closed.order_id AND b.status <> 'released'
)
SELECT count(*) FROM closed"""

FREE = "UPDATE booking SET status = 'released' WHERE order_id = $1 AND status <> 'released'"

BOOK = """INSERT INTO booking (id, caregiver_id, order_id, status, during, starts_at, minutes, made_at)
VALUES ($1, $2, $3, 'booked', tstzrange($4, $5), $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id"""

# Whoever moves an order from one caregiver to another touches the time of both. Taking both rows first, in one
# order for everybody, keeps two such moves from waiting for each other.
LOCK_CAREGIVERS = """SELECT id FROM caregiver WHERE id = $2 OR id IN (
  SELECT caregiver_id FROM booking WHERE order_id = $1 AND status <> 'released')
ORDER BY id FOR NO KEY UPDATE"""

BLOCKING_BOOKING = """SELECT order_id, starts_at, minutes FROM booking
WHERE caregiver_id = $1 AND status <> 'released' AND during && tstzrange($2, $3) LIMIT 1"""

OVERDUE = """SELECT id, order_id FROM offer WHERE status = 'offered' AND deadline_at <= $1
ORDER BY deadline_at LIMIT $2"""

WAITING = """SELECT o.id FROM care_order o
WHERE o.status = 'placed' AND o.flags = '{}' AND o.updated_at <= $1
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.order_id = o.id AND d.made_at > $1)
ORDER BY o.id LIMIT $2"""

WEIGHTS = """SELECT version, division_code, urgency, weights, valid_from FROM dispatch_weights"""

SEED_WEIGHTS = """INSERT INTO dispatch_weights (division_code, urgency, weights, valid_from)
SELECT $1, $2, $3, $4 WHERE NOT EXISTS (
  SELECT 1 FROM dispatch_weights WHERE division_code = $1 AND urgency = $2)"""

DECISIONS = """SELECT id, mode, made_by, reason, weights_version, starts_at, excluded, funnel, ranked,
  chosen_caregiver_id, chosen_provider_id, made_at FROM decision WHERE order_id = $1 ORDER BY made_at, id"""

BLOCK = """INSERT INTO blocked_pair (elder_id, caregiver_id, asked_by, reason, since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (elder_id, caregiver_id) DO UPDATE SET reason = excluded.reason, asked_by = excluded.asked_by"""
UNBLOCK = "DELETE FROM blocked_pair WHERE elder_id = $1 AND caregiver_id = $2"


@dataclass(frozen=True, slots=True)
class Search:
    """What the candidates statement asks: an order's needs at one begin time. Minutes are of the local day."""

    lineage: list[str]
    excluded: list[UUID]
    item_code: str
    day: date
    certificate: str | None
    elder_id: UUID
    weekday: int
    from_minute: int
    to_minute: int
    from_at: datetime
    to_at: datetime
    lng: float | None
    lat: float | None
    week_from: datetime
    week_to: datetime
    provider_id: UUID | None = None
    caregiver_id: UUID | None = None


async def candidates(tx: Tx, s: Search) -> list[Any]:
    """Survivors with what the objectives need; the first row carries `refusals`. One row with `id` null if none."""
    return await tx.fetch(
        CANDIDATES, s.lineage, s.excluded, s.item_code, s.day, s.certificate, s.elder_id, s.weekday,
        s.from_minute, s.to_minute, s.from_at, s.to_at, s.lng or 0.0, s.lat or 0.0, NEAREST, s.provider_id,
        s.caregiver_id, s.week_from, s.week_to,
    )  # fmt: skip


async def hold_and_offer(tx: Tx, values: Sequence[Any], funnel: Any, ranked: Any) -> bool:
    """Hold the caregiver, make the offer and keep the decision, or nothing; False when the time is taken."""
    return await tx.fetchval(HOLD_AND_OFFER, *values, dumps(funnel), dumps(ranked)) is not None


async def decide(tx: Tx, values: Sequence[Any], funnel: Any, at: datetime) -> None:
    """Keep the decision that nobody is left."""
    await tx.run(DECIDE, *values, dumps(funnel), at)


async def locked_offer(tx: Tx, offer_id: UUID) -> tuple[OrderRow, dict[str, Any]] | None:
    """The offer's order and the offer, both locked, the order first as everywhere."""
    found = await tx.fetchrow(LOCKED_OFFER, offer_id)
    if found is None:
        return None
    return order_row(found), {name: found[f"f_{name}"] for name in OFFER_NAMES}


async def offer(tx: Tx, offer_id: UUID) -> Any:
    return await tx.fetchrow(OFFER, offer_id)


async def open_offer(tx: Tx, order_id: UUID) -> Any:
    return await tx.fetchrow(OPEN_OFFER, order_id)


async def past_offers(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(PAST_OFFERS, order_id)


async def take_offer(tx: Tx, offer_id: UUID, at: datetime, caregiver_id: UUID | None) -> tuple[bool, bool]:
    """Accept: (was it still open, was this caregiver already held and is now booked)."""
    row = await tx.fetchrow(TAKE_OFFER, offer_id, at, caregiver_id)
    return bool(row and row["taken"]), bool(row and row["booked"])


async def close_offer(
    tx: Tx, offer_id: UUID, status: str, at: datetime, reason: str | None, note: str | None, before: list[str]
) -> bool:
    return bool(await tx.fetchval(CLOSE_OFFER, offer_id, status, at, reason, note, before))


async def free(tx: Tx, order_id: UUID) -> None:
    await tx.run(FREE, order_id)


async def book(tx: Tx, values: Sequence[Any]) -> bool:
    return await tx.fetchval(BOOK, *values) is not None


async def lock_caregivers(tx: Tx, order_id: UUID, caregiver_id: UUID) -> None:
    """Lock the caregivers an order has now and the one it shall have."""
    await tx.fetch(LOCK_CAREGIVERS, order_id, caregiver_id)


async def blocking_booking(tx: Tx, caregiver_id: UUID, from_at: datetime, to_at: datetime) -> Any:
    return await tx.fetchrow(BLOCKING_BOOKING, caregiver_id, from_at, to_at)


async def overdue(tx: Tx, now: datetime, limit: int) -> list[Any]:
    return await tx.fetch(OVERDUE, now, limit)


async def waiting(tx: Tx, quiet_since: datetime, limit: int) -> list[UUID]:
    """Placed orders that nobody has tried to dispatch since `quiet_since`."""
    return [row["id"] for row in await tx.fetch(WAITING, quiet_since, limit)]


async def all_weights(tx: Tx) -> list[dict[str, Any]]:
    return [dict(row) for row in await tx.fetch(WEIGHTS)]


async def seed_weights(tx: Tx, division_code: str, urgency: str, weights: dict[str, int], day: date) -> None:
    await tx.run(SEED_WEIGHTS, division_code, urgency, dumps(weights), day)


async def decisions(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(DECISIONS, order_id)


async def block(tx: Tx, elder_id: UUID, caregiver_id: UUID, actor: str, reason: str, at: datetime) -> None:
    await tx.run(BLOCK, elder_id, caregiver_id, actor, reason, at)


async def unblock(tx: Tx, elder_id: UUID, caregiver_id: UUID) -> int:
    return await tx.run(UNBLOCK, elder_id, caregiver_id)
