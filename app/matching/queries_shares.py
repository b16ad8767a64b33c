"""The SQL of fairness and contracts: what teams and providers have done, and what was agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

# Minutes by day come from the bookings; only rows whose figure has changed are written.
COUNT_WEEKS = """WITH week AS (
  SELECT b.caregiver_id, (b.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS day, sum(b.minutes)::int AS minutes
  FROM booking b WHERE b.status <> 'released' AND b.starts_at >= $1::date::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND b.starts_at < ($1::date + 7)::timestamp AT TIME ZONE 'Asia/Shanghai'
  GROUP BY b.caregiver_id, 2
), total AS (SELECT caregiver_id, sum(minutes)::int AS minutes FROM week GROUP BY caregiver_id)
UPDATE caregiver_day d SET week_minutes = fresh.minutes
FROM (
  SELECT r.caregiver_id, r.day, coalesce(t.minutes, 0) - coalesce(w.minutes, 0) AS minutes FROM caregiver_day r
  LEFT JOIN total t ON t.caregiver_id = r.caregiver_id
  LEFT JOIN week w ON w.caregiver_id = r.caregiver_id AND w.day = r.day
  WHERE r.day >= $1 AND r.day < $1::date + 7
) AS fresh
WHERE d.caregiver_id = fresh.caregiver_id AND d.day = fresh.day AND d.week_minutes <> fresh.minutes"""

COUNT_MEDIANS = """INSERT INTO provider_week (week, provider_id, median_minutes)
SELECT $1, c.provider_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY coalesce(t.minutes, 0))
FROM caregiver c LEFT JOIN (
  SELECT b.caregiver_id, sum(b.minutes)::int AS minutes FROM booking b
  WHERE b.status <> 'released' AND b.starts_at >= $1::date::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND b.starts_at < ($1::date + 7)::timestamp AT TIME ZONE 'Asia/Shanghai'
  GROUP BY b.caregiver_id) AS t ON t.caregiver_id = c.id
WHERE c.status = 'active' GROUP BY c.provider_id
ON CONFLICT (week, provider_id) DO UPDATE SET median_minutes = excluded.median_minutes
WHERE provider_week.median_minutes <> excluded.median_minutes"""

_MONTH_ORDERS = """SELECT left(o.division_code, 6) AS division_code, f.provider_id, count(*)::int AS orders
FROM offer f JOIN care_order o ON o.id = f.order_id
WHERE f.service_day >= $1 AND f.service_day < ($1 + interval '1 month')::date AND f.status IN ('offered', 'accepted')
GROUP BY 1, 2"""
COUNT_MONTH = f"""WITH fresh AS ({_MONTH_ORDERS}), gone AS (
  DELETE FROM provider_month m WHERE m.month = $1 AND NOT EXISTS (
    SELECT 1 FROM fresh WHERE fresh.division_code = m.division_code AND fresh.provider_id = m.provider_id)
)
INSERT INTO provider_month (month, division_code, provider_id, orders)
SELECT $1, division_code, provider_id, orders FROM fresh
ON CONFLICT (month, division_code, provider_id) DO UPDATE SET orders = excluded.orders
WHERE provider_month.orders <> excluded.orders"""

# Days from $1 on; the months they lie in are counted whole.
COUNT_LOADS = """WITH daily AS (
  SELECT f.provider_id, f.service_day, count(*)::int AS orders FROM offer f
  WHERE f.status IN ('offered', 'accepted') AND f.service_day >= date_trunc('month', $1::date)::date
  GROUP BY f.provider_id, f.service_day
), fresh AS (
  SELECT provider_id, service_day, orders AS day,
    sum(orders) OVER (PARTITION BY provider_id, date_trunc('month', service_day))::int AS month FROM daily
), gone AS (
  DELETE FROM provider_load l WHERE NOT EXISTS (SELECT 1 FROM fresh WHERE fresh.service_day >= $1
    AND fresh.service_day = l.service_day AND fresh.provider_id = l.provider_id)
)
INSERT INTO provider_load (service_day, provider_id, day, month)
SELECT service_day, provider_id, day, month FROM fresh WHERE service_day >= $1
ON CONFLICT (service_day, provider_id) DO UPDATE SET day = excluded.day, month = excluded.month
WHERE (provider_load.day, provider_load.month) <> (excluded.day, excluded.month)"""

AGREED = """SELECT id, provider_id, division_code, share_bp, source, valid_from, valid_to, made_by, made_at
FROM contract_share WHERE division_code = ANY($1::text[]) AND valid_from <= $3
  AND (valid_to IS NULL OR valid_to >= $2) ORDER BY division_code, share_bp DESC, provider_id"""
AGREE = """INSERT INTO contract_share (id, provider_id, division_code, share_bp, source, valid_from, valid_to, made_by,
  made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
END_SHARE = """UPDATE contract_share SET valid_to = $4 WHERE provider_id = $1 AND division_code = $2
  AND valid_from < $3 AND (valid_to IS NULL OR valid_to >= $3)"""

TALLIED = """SELECT provider_id, sum(orders)::int AS orders FROM provider_month
WHERE month = $1 AND division_code >= $2 AND division_code < $3 GROUP BY provider_id"""
COUNTED = f"""SELECT provider_id, sum(orders)::int AS orders FROM ({_MONTH_ORDERS}) AS month
WHERE division_code >= $2 AND division_code < $3 GROUP BY provider_id"""
PROVIDER_NAMES = "SELECT id, name FROM provider WHERE id = ANY($1::uuid[])"

# Evenings and nights by the clock, and whole days off; `$4` are the days of the week that are not worked.
WEEK_OF_TEAMS = """SELECT c.provider_id, p.name AS provider, c.id AS caregiver_id, c.name AS caregiver,
  coalesce(b.minutes, 0)::int AS minutes, coalesce(b.visits, 0)::int AS visits,
  coalesce(b.evening, 0)::int AS evening, coalesce(b.night, 0)::int AS night, coalesce(b.day_off, 0)::int AS day_off,
  coalesce(b.unpopular, 0)::int AS unpopular
FROM provider p JOIN caregiver c ON c.provider_id = p.id AND c.status = 'active'
LEFT JOIN LATERAL (
  SELECT sum(v.minutes) AS minutes, count(*) AS visits, count(*) FILTER (WHERE v.evening) AS evening,
    count(*) FILTER (WHERE v.night) AS night, count(*) FILTER (WHERE v.day_off) AS day_off,
    count(*) FILTER (WHERE v.evening OR v.night OR v.day_off) AS unpopular
  FROM (
    SELECT k.minutes, extract(hour FROM l.at) >= 18 AND extract(hour FROM l.at) < 22 AS evening,
      extract(hour FROM l.at) >= 22 OR extract(hour FROM l.at) < 6 AS night, l.at::date = ANY($4::date[]) AS day_off
    FROM booking k CROSS JOIN LATERAL (SELECT k.starts_at AT TIME ZONE 'Asia/Shanghai' AS at) AS l
    WHERE k.caregiver_id = c.id AND k.status = 'booked'
      AND k.during && tstzrange($2::date::timestamp AT TIME ZONE 'Asia/Shanghai' - interval '1 day',
        $3::date::timestamp AT TIME ZONE 'Asia/Shanghai' + interval '1 day')
      AND l.at >= $2::date AND l.at < $3::date
  ) AS v
) AS b ON true
WHERE p.status <> 'exited' AND p.id IN (SELECT a.provider_id FROM provider_area a WHERE a.division_code = ANY($1))
ORDER BY p.name, p.id, minutes DESC, c.id"""


async def count_weeks(tx: Tx, mondays: Sequence[date]) -> None:
    """Count what caregivers and teams have booked in these weeks."""
    for week in mondays:
        await tx.run(COUNT_WEEKS, week)
        await tx.run(COUNT_MEDIANS, week)


async def count_month(tx: Tx, month: date) -> None:
    """Count providers' live offers by district in the month that begins on `month`."""
    await tx.run(COUNT_MONTH, month)


async def count_loads(tx: Tx, since: date) -> None:
    """Count providers' live offers by day from `since` on, and in the months of these days."""
    await tx.run(COUNT_LOADS, since)


async def agreed(tx: Tx, places: Sequence[str], first: date, last: date) -> list[Any]:
    """Contract shares in these divisions that hold on any day from `first` to `last`."""
    return await tx.fetch(AGREED, list(places), first, last)


async def agree(
    tx: Tx, share_id: UUID, provider_id: UUID, division_code: str, share_bp: int, source: str,
    valid: tuple[date, date | None], made: tuple[str, datetime],
) -> None:  # fmt: skip
    await tx.run(AGREE, share_id, provider_id, division_code, share_bp, source, *valid, *made)


async def end_before(tx: Tx, provider_id: UUID, division_code: str, first: date, last: date) -> None:
    """End what was agreed earlier on the day `last`, the one before `first`."""
    await tx.run(END_SHARE, provider_id, division_code, first, last)


async def tallied(tx: Tx, month: date, codes: tuple[str, str]) -> dict[UUID, int]:
    """Orders by provider in districts from `codes[0]` to before `codes[1]`, as last counted."""
    return {row["provider_id"]: row["orders"] for row in await tx.fetch(TALLIED, month, *codes)}


async def counted(tx: Tx, month: date, codes: tuple[str, str]) -> dict[UUID, int]:
    """The same, counted now."""
    return {row["provider_id"]: row["orders"] for row in await tx.fetch(COUNTED, month, *codes)}


async def provider_names(tx: Tx, provider_ids: Sequence[UUID]) -> dict[UUID, str]:
    return {row["id"]: row["name"] for row in await tx.fetch(PROVIDER_NAMES, list(provider_ids))}


async def week_of_teams(tx: Tx, places: Sequence[str], week: date, end: date, days_off: Sequence[date]) -> list[Any]:
    """Every caregiver of the providers that serve `places`, with minutes and unpopular visits of one week."""
    return await tx.fetch(WEEK_OF_TEAMS, list(places), week, end, list(days_off))
