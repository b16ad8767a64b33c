"""The orders behind an indicator, names for groups, and the day's places on a map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.insight.queries import CONDITIONS, FACTS, Within

PROVIDERS = "SELECT id, name FROM provider WHERE id = ANY($1::uuid[])"
ALL_PROVIDERS = "SELECT id, name FROM provider ORDER BY name, id"
DIVISIONS = "SELECT code, name FROM division WHERE code = ANY($1::text[])"
PLACES = """SELECT o.id, o.number, o.status, o.urgency, o.wanted_from, o.division_code,
  round(o.lng::numeric, 3)::float AS lng, round(o.lat::numeric, 3)::float AS lat, i.name AS item,
  coalesce(d.due_at < coalesce(d.met_at, $5), false) AS late
FROM care_order o JOIN service_item i ON i.code = o.item_code
LEFT JOIN order_deadline d ON d.order_id = o.id AND d.name = 'arrive'
WHERE o.wanted_from >= $1 AND o.wanted_from < $2 AND o.status <> 'cancelled'
  AND EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE o.division_code >= r.low AND o.division_code < r.high)
ORDER BY o.wanted_from, o.id LIMIT $6"""
INCIDENTS = """SELECT id, status, severity, kind, first_at, division_code,
  round(lng::numeric, 3)::float AS lng, round(lat::numeric, 3)::float AS lat
FROM incident WHERE first_at >= $1 AND first_at < $2
  AND EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE division_code >= r.low AND division_code < r.high)
ORDER BY first_at DESC LIMIT $5"""
OPEN_INCIDENTS = """SELECT count(*) FROM incident WHERE status = 'open' AND (division_code IS NULL
  OR EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS r (low, high)
    WHERE division_code >= r.low AND division_code < r.high))"""
STREETS = "SELECT code, name, lng, lat FROM division WHERE length(code) = 9 AND lng IS NOT NULL ORDER BY code"
LINE = """SELECT l.id, l.service_period, l.gross_fen, l.quality_fen, l.penalty_fen, l.payable_fen, l.copay_fen,
  l.due_fen, l.coefficient_bp, l.inputs, l.parts, s.id AS statement_id, s.number AS statement_number,
  s.status AS statement_status, s.period
FROM statement_line l JOIN statement s ON s.id = l.statement_id
WHERE l.order_id = $1 AND l.kind = 'service' AND NOT l.void"""
FOLLOWUP = (
    "SELECT status, outcome, solved, due_at, closed_at, attempts, selected_because FROM followup WHERE order_id = $1"
)
RATINGS = "SELECT source, score, solved, tags, counts, at FROM rating WHERE order_id = $1 ORDER BY at"
COMPLAINTS = """SELECT id, status, reason_code, upheld, opened_at, replied_at, decided_at FROM complaint
WHERE order_id = $1 ORDER BY opened_at"""
DISTANCES = "SELECT event_id, lng, lat FROM visit_event WHERE order_id = $1 AND lng IS NOT NULL"
FILES = (
    "SELECT id, media_type, size_bytes, sha256, created_at FROM upload WHERE id = ANY($1::uuid[]) ORDER BY created_at"
)


async def orders(
    tx: Tx, where: Within, code: str, now: datetime, *, counted: bool | None, before: UUID | None, limit: int
) -> list[Any]:
    """The orders in an indicator's whole, newest first; `counted` says which of them are in the part, and as an
    argument asks for those only."""
    part, whole = CONDITIONS[code]
    sql = f"""SELECT * FROM (
        SELECT id, number, status, outcome, division_code, provider_id, wanted_from, coalesce({part}, false) AS counted
        FROM ({FACTS}) f WHERE ({whole}) AND ($8::uuid IS NULL OR id < $8) AND $3::timestamptz IS NOT NULL) AS behind
      WHERE $7::boolean IS NULL OR counted = $7 ORDER BY id DESC LIMIT $9"""
    args = (where.begin, where.end, now, where.lows, where.highs, where.provider_id)
    return await tx.search(sql, *args, counted, before, limit)


async def provider_names(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, str]:
    return {row["id"]: row["name"] for row in await tx.fetch(PROVIDERS, list(ids))}


async def providers(tx: Tx) -> list[Any]:
    """All providers, to choose from."""
    return await tx.fetch(ALL_PROVIDERS)


async def division_names(tx: Tx, codes: Iterable[str]) -> dict[str, str]:
    return {row["code"]: row["name"] for row in await tx.fetch(DIVISIONS, list(codes))}


async def places(tx: Tx, where: Within, now: datetime, limit: int) -> list[Any]:
    """Orders with their places, to within a hundred metres: a map shows where help goes, not whose door it is."""
    return await tx.search(PLACES, where.begin, where.end, where.lows, where.highs, now, limit)


async def incident_places(tx: Tx, where: Within, limit: int) -> list[Any]:
    return await tx.search(INCIDENTS, where.begin, where.end, where.lows, where.highs, limit)


async def open_incidents(tx: Tx, where: Within) -> int:
    """Incidents that nobody has taken on, whenever they came in."""
    return int(await tx.fetchval(OPEN_INCIDENTS, where.lows, where.highs))


async def streets(tx: Tx) -> list[Any]:
    return await tx.fetch(STREETS)


async def line(tx: Tx, order_id: UUID) -> Any | None:
    """The statement line of an order, with its statement."""
    return await tx.fetchrow(LINE, order_id)


async def followup(tx: Tx, order_id: UUID) -> Any | None:
    return await tx.fetchrow(FOLLOWUP, order_id)


async def ratings(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(RATINGS, order_id)


async def complaints(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(COMPLAINTS, order_id)


async def positions(tx: Tx, order_id: UUID) -> dict[str, tuple[float, float]]:
    """Where the device was, by event id."""
    return {row["event_id"]: (row["lng"], row["lat"]) for row in await tx.fetch(DISTANCES, order_id)}


async def files(tx: Tx, ids: Sequence[UUID]) -> list[Any]:
    return await tx.fetch(FILES, list(ids))
