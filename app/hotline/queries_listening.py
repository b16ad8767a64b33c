"""SQL of recordings and of checks of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps

ADD_RECORDING = """INSERT INTO recording (id, call_id, reference, status, created_at)
VALUES ($1, $2, $3, 'due', $4) ON CONFLICT (call_id, reference) DO NOTHING"""
# Somebody is on the line. A call of which only the recording is known is none of these.
_LIVING = "c.outcome IS NULL AND coalesce(c.queued_at, c.offered_at, c.answered_at) IS NOT NULL AS is_living"
RECORDING = f"""SELECT r.id, r.status, {_LIVING} FROM recording r JOIN call c ON c.id = r.call_id
WHERE r.call_id = $1 AND r.reference = $2"""
DUE_RECORDING = f"""SELECT r.id, r.reference, r.status, c.first_at, s.bases, s.keep_days, {_LIVING}
FROM recording r JOIN call c ON c.id = r.call_id
LEFT JOIN recording_source s ON s.source = c.source AND s.source_instance = c.source_instance WHERE r.id = $1"""
KEEP = """UPDATE recording SET status = 'kept', file_name = $2, media_type = $3, size_bytes = $4, sha256 = $5,
  keep_until = $6, settled_at = $7, reason = NULL WHERE id = $1 AND status IN ('due', 'missing') RETURNING id"""
SETTLE = """UPDATE recording SET status = $2, reason = $3, settled_at = $4
WHERE id = $1 AND status IN ('due', 'missing')"""
REOPEN = """UPDATE recording r SET status = 'due', reason = NULL, settled_at = NULL FROM call c
WHERE c.id = r.call_id AND c.source = $1 AND c.source_instance = $2 AND r.status = 'refused' AND r.reason = $3
  AND c.first_at >= $4 RETURNING r.id"""
OF_CALL = """SELECT id, status, reason, media_type, size_bytes, sha256, keep_until, file_name, created_at
FROM recording WHERE call_id = $1 ORDER BY id"""
OUT_OF_DATE = """SELECT id, file_name FROM recording WHERE status = 'kept' AND keep_until < $1 ORDER BY id LIMIT 500
FOR UPDATE SKIP LOCKED"""
FORGET = """UPDATE recording SET status = 'forgotten', file_name = NULL, settled_at = $2 WHERE id = ANY($1::uuid[])"""
SOURCES = "SELECT source, source_instance, bases, keep_days, updated_at FROM recording_source ORDER BY 1, 2"
PUT_SOURCE = """INSERT INTO recording_source (source, source_instance, bases, keep_days, updated_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (source, source_instance)
DO UPDATE SET bases = excluded.bases, keep_days = excluded.keep_days, updated_at = excluded.updated_at"""

SEED_SHEET = "INSERT INTO score_sheet (valid_from, items) VALUES ($1, $2) ON CONFLICT DO NOTHING"
PUT_SHEET = """INSERT INTO score_sheet (valid_from, items) VALUES ($1, $2)
ON CONFLICT (valid_from) DO UPDATE SET items = excluded.items
WHERE NOT EXISTS (SELECT 1 FROM call_check WHERE sheet_from = excluded.valid_from) RETURNING valid_from"""
SHEET = "SELECT valid_from, items FROM score_sheet WHERE valid_from <= $1 ORDER BY valid_from DESC LIMIT 1"
# Every agent's calls in an order that nobody chooses and everybody can repeat; then one call each, in turn.
SAMPLE = """SELECT id FROM (
  SELECT c.id, row_number() OVER (PARTITION BY c.agent ORDER BY md5($4::text || c.id::text)) AS turn
  FROM call c LEFT JOIN call_check k ON k.call_id = c.id
  WHERE c.outcome = 'answered' AND c.first_at >= $1 AND c.first_at < $2 AND k.id IS NULL) drawn
ORDER BY turn, md5($4::text || id::text) LIMIT $3"""
ADD_CHECK = """INSERT INTO call_check (id, call_id, agent, agent_staff_id, sheet_from, points, total, missed, note,
  checked_by, checked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (call_id) DO NOTHING RETURNING id"""
_CHECKS = """SELECT id, call_id, agent, agent_staff_id, sheet_from, points, total, missed, note, checked_by, checked_at
FROM call_check"""
CHECK = f"{_CHECKS} WHERE call_id = $1"
CHECKS = f"""{_CHECKS} WHERE ($1::text IS NULL OR agent = $1) AND ($2::uuid IS NULL OR agent_staff_id = $2)
  AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"""


async def add_recording(tx: Tx, recording_id: UUID, call_id: UUID, reference: str, now: datetime) -> None:
    """One we know stays as it is."""
    await tx.run(ADD_RECORDING, recording_id, call_id, reference, now)


async def recording(tx: Tx, call_id: UUID, reference: str) -> Any:
    """(id, status, is_living) of one; None when there is none."""
    return await tx.fetchrow(RECORDING, call_id, reference)


async def due_recording(tx: Tx, recording_id: UUID) -> Any:
    """What is to be fetched, and where from it may be."""
    return await tx.fetchrow(DUE_RECORDING, recording_id)


async def keep(tx: Tx, *values: Any) -> bool:
    """False when it has been fetched meanwhile."""
    return await tx.fetchval(KEEP, *values) is not None


async def settle(tx: Tx, recording_id: UUID, status: str, reason: str, now: datetime) -> None:
    await tx.run(SETTLE, recording_id, status, reason, now)


async def reopen(tx: Tx, source: str, instance: str, reason: str, since: datetime) -> list[UUID]:
    """Make what an exchange's calls since then were refused for this reason due again: the recordings' ids."""
    return [row["id"] for row in await tx.fetch(REOPEN, source, instance, reason, since)]


async def of_call(tx: Tx, call_id: UUID) -> list[Any]:
    return await tx.fetch(OF_CALL, call_id)


async def out_of_date(tx: Tx, day: date) -> list[Any]:
    return await tx.fetch(OUT_OF_DATE, day)


async def forget(tx: Tx, recording_ids: Sequence[UUID], now: datetime) -> None:
    await tx.run(FORGET, list(recording_ids), now)


async def sources(tx: Tx) -> list[Any]:
    return await tx.fetch(SOURCES)


async def put_source(tx: Tx, source: str, instance: str, bases: Sequence[str], keep_days: int, now: datetime) -> None:
    await tx.run(PUT_SOURCE, source, instance, dumps(list(bases)), keep_days, now)


async def seed_sheet(tx: Tx, valid_from: date, items: Sequence[Mapping[str, Any]]) -> None:
    await tx.run(SEED_SHEET, valid_from, dumps(list(items)))


async def put_sheet(tx: Tx, valid_from: date, items: Sequence[Mapping[str, Any]]) -> bool:
    """False when calls have been judged by the one of that day already."""
    return await tx.fetchval(PUT_SHEET, valid_from, dumps(list(items))) is not None


async def sheet(tx: Tx, day: date) -> Any:
    return await tx.fetchrow(SHEET, day)


async def sample(tx: Tx, begin: datetime, end: datetime, count: int, seed: str) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(SAMPLE, begin, end, count, seed)]


async def add_check(tx: Tx, *values: Any) -> bool:
    """False when somebody has judged this call before."""
    return await tx.fetchval(ADD_CHECK, *values) is not None


async def check(tx: Tx, call_id: UUID) -> Any:
    return await tx.fetchrow(CHECK, call_id)


async def checks(tx: Tx, agent: str | None, staff_id: UUID | None, after: UUID | None, limit: int) -> list[Any]:
    return await tx.fetch(CHECKS, agent, staff_id, after, limit)
