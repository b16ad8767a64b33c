"""What a run reads: orders that may be settled, adjustments that wait, contracts.

What may be settled, and why something may not, is one statement: `CANDIDATES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.json import dumps
from app.orders.lifecycle import BILLABLE
from app.settlement.contracts import Terms
from app.settlement.queries import CLOSED

MONTH = "to_char({} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')"

_BILLABLE = "({})".format(", ".join(f"'{outcome.value}'" for outcome in sorted(BILLABLE)))

# Every visit that has ended, with what its line would need and the reasons, if any, why it is not settled.
CANDIDATES = f"""SELECT o.id AS order_id, o.number, o.provider_id, o.division_code, o.item_code, o.outcome, o.rating,
  o.price_fen AS quoted_fen, o.price_version_id, o.payers, o.minutes AS planned_minutes, o.completed_at,
  (o.completed_at AT TIME ZONE 'Asia/Shanghai')::date AS service_day,
  {MONTH.format("o.completed_at")} AS service_period,
  i.rounding_minutes, i.min_minutes, coalesce(p.price_fen, 0) AS price_fen, p.per_minutes,
  v.minutes AS actual_minutes, v.verification,
  greatest(0, ceil(extract(epoch FROM coalesce(v.arrived_at, v.began_at) - d.due_at) / 60))::int AS late_minutes,
  upheld.yes AS complaint_upheld, c.id AS contract_id,
  array_remove(ARRAY[
    CASE WHEN o.status <> 'closed' THEN 'not_followed_up' END,
    CASE WHEN o.outcome IS NULL OR o.outcome NOT IN {_BILLABLE} THEN 'not_done' END,
    CASE WHEN v.verification = 'review' THEN 'visit_under_review' WHEN v.verification = 'rejected'
      THEN 'visit_rejected' WHEN v.verification IS DISTINCT FROM 'verified' THEN 'visit_not_verified' END,
    CASE WHEN cardinality(o.flags) > 0 THEN 'flagged' END,
    CASE WHEN o.price_fen > 0 AND p.id IS NULL THEN 'no_price' END,
    CASE WHEN p.per_minutes IS NOT NULL AND v.minutes IS NULL THEN 'no_minutes' END,
    CASE WHEN c.id IS NULL THEN 'no_contract' END,
    CASE WHEN unassessed.yes THEN 'assessment_expired' END
  ], NULL) AS reasons
FROM care_order o
JOIN service_item i ON i.code = o.item_code
LEFT JOIN price_version p ON p.id = o.price_version_id
LEFT JOIN visit v ON v.order_id = o.id
LEFT JOIN order_deadline d ON d.order_id = o.id AND d.name = 'arrive'
LEFT JOIN LATERAL (
  SELECT c.id FROM contract c
  WHERE c.provider_id = o.provider_id
    AND (o.completed_at AT TIME ZONE 'Asia/Shanghai')::date <@ daterange(c.valid_from, c.valid_to, '[]')
    AND c.division_code IN (o.division_code, left(o.division_code, 9), left(o.division_code, 6),
      left(o.division_code, 4) || '00', left(o.division_code, 2) || '0000', '000000')
  ORDER BY length(c.division_code) DESC, c.division_code DESC LIMIT 1
) c ON true
CROSS JOIN LATERAL (SELECT EXISTS (
  SELECT FROM complaint k WHERE k.order_id = o.id AND k.upheld IN ('full', 'partly')) AS yes) upheld
CROSS JOIN LATERAL (SELECT EXISTS (
  SELECT FROM jsonb_array_elements(o.payers) part JOIN scheme s ON s.code = part ->> 'scheme' AND s.requires_assessment
  WHERE NOT EXISTS (SELECT FROM entitlement e WHERE e.elder_id = o.elder_id AND e.scheme_id = s.id
    AND e.assessed_until >= (o.completed_at AT TIME ZONE 'Asia/Shanghai')::date)) AS yes) unassessed
WHERE o.provider_id IS NOT NULL AND o.status IN ('completed', 'closed')"""

# A period takes the services of its month, and older ones whose month is closed for the provider.
OF_PERIOD = f""" AND o.completed_at >= $2 AND o.completed_at < $4 AND ($5::uuid IS NULL OR o.provider_id = $5)
AND (o.completed_at >= $3 OR EXISTS (
  SELECT FROM statement e WHERE e.provider_id = o.provider_id AND e.period = {MONTH.format("o.completed_at")}
    AND e.status IN {CLOSED}))
AND NOT EXISTS (SELECT FROM statement e WHERE e.provider_id = o.provider_id AND e.period = $1 AND e.status IN {CLOSED})
AND NOT EXISTS (
  SELECT FROM statement_line l JOIN statement e ON e.id = l.statement_id
  WHERE l.order_id = o.id AND l.kind = 'service' AND NOT l.void AND NOT (e.period = $1 AND e.status = 'draft'))"""

# Orders that have no line yet, by nothing but two indexes: of a year of orders, these few are worth a closer look.
# A line whose service was moved to another month afterwards is not seen here; `OF_PERIOD` asks again without that.
LINELESS = f"""SELECT o.id FROM care_order o
WHERE o.completed_at >= $2 AND o.completed_at < $3 AND o.provider_id IS NOT NULL
  AND ($4::uuid IS NULL OR o.provider_id = $4)
  AND NOT EXISTS (SELECT FROM statement_line l WHERE l.order_id = o.id AND l.kind = 'service' AND NOT l.void
    AND l.service_period >= {MONTH.format("$2::timestamptz")})
UNION ALL
SELECT l.order_id FROM statement_line l JOIN statement e ON e.id = l.statement_id
WHERE e.period = $1 AND e.status = 'draft' AND l.kind = 'service' AND NOT l.void"""

ELIGIBLE = f"SELECT * FROM ({CANDIDATES} AND o.id = ANY($6){OF_PERIOD}) q WHERE cardinality(q.reasons) = 0"
AGAIN = f"{CANDIDATES} AND o.id = ANY($1)"

UNSETTLED = f"""SELECT q.order_id, q.number, q.provider_id, q.division_code, q.service_day,
  CASE WHEN q.closed AND cardinality(q.reasons) = 0 THEN ARRAY['next_period'] ELSE q.reasons END AS reasons
FROM (SELECT w.*, EXISTS (SELECT FROM statement e WHERE e.provider_id = w.provider_id AND e.period = $1
    AND e.status IN {CLOSED}) AS closed
  FROM ({CANDIDATES} AND o.completed_at >= $2 AND o.completed_at < $3 AND ($4::uuid IS NULL OR o.provider_id = $4)
    AND NOT EXISTS (SELECT FROM statement_line l WHERE l.order_id = o.id AND l.kind = 'service' AND NOT l.void)) w) q
WHERE ($5::uuid IS NULL OR q.order_id > $5) AND EXISTS (
  SELECT FROM unnest($6::text[], $7::text[]) AS r (low, high)
  WHERE q.division_code >= r.low AND q.division_code < r.high)
ORDER BY q.order_id LIMIT $8"""

OPEN_ADJUSTMENTS = f"""SELECT a.* FROM adjustment a
WHERE ($2::uuid IS NULL OR a.provider_id = $2)
  AND (a.target_period = $1 OR a.target_period < $1 AND EXISTS (
    SELECT FROM statement e WHERE e.provider_id = a.provider_id AND e.period = a.target_period
      AND e.status IN {CLOSED}))
  AND NOT EXISTS (SELECT FROM statement e WHERE e.provider_id = a.provider_id AND e.period = $1
    AND e.status IN {CLOSED})
  AND NOT EXISTS (
    SELECT FROM statement_line l JOIN statement e ON e.id = l.statement_id
    WHERE l.adjustment_id = a.id AND NOT l.void AND NOT (e.period = $1 AND e.status = 'draft'))"""

PUT_RUN = """INSERT INTO settlement_run (id, period, provider_id, state, started_by, started_at, fence_at, content_hash)
VALUES ($1, $2, $3, 'done', $4, $5, $5, $6)
ON CONFLICT (period, provider_id) DO UPDATE SET fence_at = excluded.fence_at, content_hash = excluded.content_hash
WHERE settlement_run.content_hash IS DISTINCT FROM excluded.content_hash RETURNING id"""


async def take_time(tx: Tx) -> None:
    """Let this transaction compute for a while between two statements; others end after 15 s of silence."""
    await tx.run("SET LOCAL idle_in_transaction_session_timeout = '5min'")


async def try_lock(tx: Tx, period: str) -> bool:
    """Take the period of this city for this transaction, or learn at once that another run has it."""
    year, month = period.split("-")
    sql = "SELECT pg_try_advisory_xact_lock(hashtext('settlement ' || current_schema()), $1)"
    return bool(await tx.fetchval(sql, int(year + month)))


async def eligible(
    tx: Tx, period: str, oldest: datetime, start: datetime, end: datetime, provider_id: UUID | None
) -> list[Any]:
    """Services that are settled in `period`. Planned for the number of orders there are: call it when SERIALIZABLE."""
    lineless = [row["id"] for row in await tx.fetch(LINELESS, period, oldest, end, provider_id)]
    return await tx.fetch(ELIGIBLE, period, oldest, start, end, provider_id, lineless)


async def candidates(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """The present facts and reasons of these orders, whatever statement they are on."""
    return {row["order_id"]: row for row in await tx.fetch(AGAIN, order_ids)}


async def unsettled(
    tx: Tx,
    period: str,
    start: datetime,
    end: datetime,
    provider_id: UUID | None,
    ranges: Sequence[tuple[str, str]],
    after: UUID | None,
    limit: int,
) -> list[Any]:
    """Services of the period on no statement, with the reasons, by order id; `ranges` of divisions."""
    low, high = [r[0] for r in ranges], [r[1] for r in ranges]
    return await tx.fetch(UNSETTLED, period, start, end, provider_id, after, low, high, limit)


async def open_adjustments(tx: Tx, period: str, provider_id: UUID | None) -> list[Any]:
    return await tx.fetch(OPEN_ADJUSTMENTS, period, provider_id)


async def contracts(tx: Tx, ids: Iterable[UUID]) -> list[Any]:
    return await tx.fetch("SELECT * FROM contract WHERE id = ANY($1)", list(ids))


async def contracts_of(tx: Tx, provider_id: UUID | None) -> list[Any]:
    sql = "SELECT * FROM contract WHERE $1::uuid IS NULL OR provider_id = $1 ORDER BY provider_id, valid_from, id"
    return await tx.fetch(sql, provider_id)


async def add_contract(tx: Tx, terms: Terms, provider_id: UUID, begin: date, end: date | None, by: str) -> None:
    """Raises an exclusion violation when another contract holds on one of these days."""
    sql = """INSERT INTO contract (id, provider_id, division_code, valid_from, valid_to, bands, unrated_bp, late_steps,
      complaint_bp, partly_visit_bp, holdback_bp, confirm_days, created_by, created_at)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8::jsonb, $9, $10, $11, $12, $13, $14)"""
    bands = dumps([[band.min_score, band.bp] for band in terms.bands])
    late = dumps([[step.over_minutes, step.bp] for step in terms.late])
    head = [terms.contract_id, provider_id, terms.division_code, begin, end, bands, terms.unrated_bp, late]
    figures = [terms.complaint_bp, terms.partly_visit_bp, terms.holdback_bp, terms.confirm_days]
    await tx.run(sql, *head, *figures, by, clock.now())


async def put_run(
    tx: Tx, run_id: UUID, period: str, provider_id: UUID | None, actor: str, at: datetime, content_hash: bytes
) -> UUID:
    """The one run of this period and provider; nothing is written when its result has not changed."""
    await tx.run(PUT_RUN, run_id, period, provider_id, actor, at, content_hash)
    sql = "SELECT id FROM settlement_run WHERE period = $1 AND provider_id IS NOT DISTINCT FROM $2"
    found: UUID = await tx.fetchval(sql, period, provider_id)
    return found


async def run(tx: Tx, run_id: UUID) -> Any | None:
    return await tx.fetchrow("SELECT * FROM settlement_run WHERE id = $1", run_id)
