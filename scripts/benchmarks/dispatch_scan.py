"""The same match without the caregiver's day: every rule and objective asked of the tables that hold the truth.

For everybody, one after the other, with plain predicates; no box, no bitmap. Slots are counted as the rows of
`caregiver_day` count them, so that both give the same points.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

from app.matching import queries_search as matching
from app.matching.queries_travel import kilometres, way
from app.matching.slots import LOOK, SLOT_MINUTES
from app.providers.ratings import PRIOR_SCORE, PRIOR_WEIGHT

_SECONDS = SLOT_MINUTES * 60
_MIDNIGHT = "($5::date::timestamp AT TIME ZONE 'Asia/Shanghai')"
_KM = kilometres("$13::float8", "$14::float8", "c.home_lng", "c.home_lat")
_MODE = "array_position(ARRAY['walk', 'ebike', 'bus', 'car'], c.travel_mode)"
_WAY = way("apart.km", _MODE, "$15", "$16", "$17::int")

SCAN = f"""WITH enterprise AS MATERIALIZED (
  SELECT p.id, coalesce(w.median_minutes, 0) AS median_minutes, coalesce(g.gap, 0) AS share_gap, CASE
    WHEN p.status <> 'active' THEN 'provider_suspended'
    WHEN p.id = ANY($2::uuid[]) THEN 'provider_excluded'
    WHEN NOT EXISTS (SELECT 1 FROM provider_item i WHERE i.provider_id = p.id AND i.item_code = $3)
      THEN 'item_not_offered'
    WHEN p.daily_capacity <= (SELECT count(*) FROM offer f WHERE f.provider_id = p.id AND f.service_day = $5
      AND f.status IN ('offered', 'accepted')) THEN 'provider_full'
    WHEN p.monthly_quota <= (SELECT count(*) FROM offer f WHERE f.provider_id = p.id
      AND f.service_day >= date_trunc('month', $5::date)::date
      AND f.service_day < (date_trunc('month', $5::date) + interval '1 month')::date
      AND f.status IN ('offered', 'accepted')) THEN 'provider_full'
  END AS failed
  FROM provider p LEFT JOIN provider_week w ON w.week = $19 AND w.provider_id = p.id
  LEFT JOIN unnest($20::uuid[], $21::float8[]) AS g (provider_id, gap) ON g.provider_id = p.id
  WHERE p.status <> 'exited' AND EXISTS (
    SELECT 1 FROM provider_area a WHERE a.provider_id = p.id AND a.division_code = ANY($1::text[]))
), judged AS MATERIALIZED (
  SELECT c.id, c.provider_id, c.sex, c.dialect, e.median_minutes, e.share_gap, apart.way, CASE
    WHEN e.failed IS NOT NULL THEN e.failed
    WHEN c.status <> 'active' THEN 'caregiver_inactive'
    WHEN $4::text IS NOT NULL AND NOT EXISTS (SELECT 1 FROM caregiver_certificate q WHERE q.caregiver_id = c.id
      AND q.kind = $4 AND q.valid_from <= $5 AND (q.valid_to IS NULL OR q.valid_to >= $5)) THEN 'certificate'
    WHEN c.sex <> (SELECT o.gender_wish FROM elder o WHERE o.id = $6) THEN 'gender_wish'
    WHEN EXISTS (SELECT 1 FROM blocked_pair b WHERE b.elder_id = $6 AND b.caregiver_id = c.id) THEN 'blocked_pair'
    WHEN NOT EXISTS (SELECT 1 FROM caregiver_shift s WHERE s.caregiver_id = c.id
      AND s.weekday = extract(isodow FROM $5::date) AND s.starts_minute <= $7 AND s.ends_minute >= $8) THEN 'off_shift'
    WHEN EXISTS (SELECT 1 FROM caregiver_absence v WHERE v.caregiver_id = c.id AND v.starts_at < $10::timestamptz
      AND v.ends_at > $9::timestamptz) THEN 'absent'
    WHEN (SELECT true FROM booking b WHERE b.caregiver_id = c.id AND b.status <> 'released'
      AND b.during && tstzrange($9, $10) LIMIT 1) THEN 'busy'
    WHEN apart.way > $18 THEN 'too_far'
    WHEN (SELECT true FROM booking b WHERE b.caregiver_id = c.id AND b.status <> 'released'
      AND b.during && tstzrange($9 - apart.way * interval '1 minute', $9) LIMIT 1) THEN 'busy'
  END AS failed
  FROM enterprise e JOIN caregiver c ON c.provider_id = e.id
  CROSS JOIN LATERAL (SELECT {_WAY} AS way FROM (SELECT {_KM} AS km OFFSET 0) AS apart OFFSET 0) AS apart
), timed AS MATERIALIZED (
  SELECT j.*, coalesce(k.visits, 0) AS visits,
    ({PRIOR_SCORE * PRIOR_WEIGHT} + coalesce(r.score_sum, 0)) / ({PRIOR_WEIGHT} + coalesce(r.ratings, 0))::float8
      AS rating,
    coalesce((SELECT sum(b.minutes) FROM booking b WHERE b.caregiver_id = j.id AND b.status <> 'released'
      AND b.during && tstzrange($19::date::timestamp AT TIME ZONE 'Asia/Shanghai' - interval '3 hours',
        ($19::date + 7)::timestamp AT TIME ZONE 'Asia/Shanghai' + interval '3 hours')
      AND b.starts_at >= $19::date::timestamp AT TIME ZONE 'Asia/Shanghai'
      AND b.starts_at < ($19::date + 7)::timestamp AT TIME ZONE 'Asia/Shanghai'), 0) AS week_minutes,
    (SELECT count(*) FROM caregiver_certificate q WHERE q.caregiver_id = j.id AND q.kind = ANY($22::text[])
      AND q.valid_from <= $5 AND (q.valid_to IS NULL OR q.valid_to >= $5)) AS spare,
    least({LOOK}, coalesce($11 - (SELECT floor(extract(epoch FROM max(upper(b.during)) - {_MIDNIGHT}) / {_SECONDS})
      FROM booking b WHERE b.caregiver_id = j.id AND b.status <> 'released'
      AND b.during && tstzrange({_MIDNIGHT}, $9)), {LOOK})) AS before,
    least({LOOK}, coalesce((SELECT ceil(extract(epoch FROM min(lower(b.during)) - {_MIDNIGHT}) / {_SECONDS})
      FROM booking b WHERE b.caregiver_id = j.id AND b.status <> 'released'
      AND b.during && tstzrange($10, $10::timestamptz + interval '3 hours')) - $12, {LOOK})) AS after,
    CASE WHEN o.gender_wish IS NULL AND o.dialect IS NULL THEN 1 ELSE
      (coalesce(j.sex = o.gender_wish, false)::int + coalesce(j.dialect = o.dialect, false)::int)::float8
      / ((o.gender_wish IS NOT NULL)::int + (o.dialect IS NOT NULL)::int) END AS wishes
  FROM judged j JOIN elder o ON o.id = $6
  LEFT JOIN continuity k ON k.elder_id = $6 AND k.caregiver_id = j.id
  LEFT JOIN scorecard r ON r.caregiver_id = j.id
  WHERE j.failed IS NULL
), measured AS (
  SELECT id AS caregiver_id, way AS travel_minutes, visits,
    greatest(0, least({SLOT_MINUTES} * before - way, {SLOT_MINUTES} * after)) AS slack_minutes,
    week_minutes - median_minutes AS ahead_minutes, rating, share_gap, spare, wishes FROM timed
)
SELECT caregiver_id, {matching.score("$23")} AS score,
  (SELECT count(*) FROM judged) AS looked_at
FROM measured ORDER BY score DESC, uuid_hash_extended(caregiver_id, $24)
LIMIT {matching.KEPT}"""


async def scan(
    connection: asyncpg.Connection, s: matching.Search, certificate: str | None, surplus: list[str], minute: int,
    minutes: int,
) -> list[tuple[UUID, float]]:  # fmt: skip
    """Everybody who passes, best first, with the score; the same question as `queries_search.candidates`."""
    rows: list[Any] = await connection.fetch(
        SCAN, s.lineage, s.excluded, s.item_code, certificate, s.day, s.elder_id, minute, minute + minutes,
        s.starts_at, s.ends_at, s.first_slot, s.end_slot, s.lng, s.lat, s.per_km, s.fixed, s.unknown_minutes,
        s.max_travel_minutes, s.week, *s.shares, surplus, s.weights, s.seed,
    )  # fmt: skip
    return [(row["caregiver_id"], row["score"]) for row in rows]
