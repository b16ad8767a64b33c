"""The SQL of matching: one statement finds, refuses with a reason and pre-sorts; then weights and decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps

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

WEIGHTS = """SELECT version, division_code, urgency, weights, valid_from FROM dispatch_weights"""

SEED_WEIGHTS = """INSERT INTO dispatch_weights (division_code, urgency, weights, valid_from)
SELECT $1, $2, $3, $4 WHERE NOT EXISTS (
  SELECT 1 FROM dispatch_weights WHERE division_code = $1 AND urgency = $2)"""

DECISIONS = """SELECT id, mode, mode_version, made_by, reason, weights_version, starts_at, excluded, funnel, ranked,
  chosen_caregiver_id, chosen_second_id, chosen_provider_id, made_at
FROM decision WHERE order_id = $1 ORDER BY made_at, id"""


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


async def all_weights(tx: Tx) -> list[dict[str, Any]]:
    return [dict(row) for row in await tx.fetch(WEIGHTS)]


async def seed_weights(tx: Tx, division_code: str, urgency: str, weights: dict[str, int], day: date) -> None:
    await tx.run(SEED_WEIGHTS, division_code, urgency, dumps(weights), day)


async def decisions(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(DECISIONS, order_id)
