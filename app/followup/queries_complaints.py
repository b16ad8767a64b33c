"""SQL of complaints."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

Row = Any
"""One complaint with all its columns."""

OPEN = """INSERT INTO complaint (id, order_id, elder_id, provider_id, division_code, care_request_id, urgency, source,
  reason_code, detail, rating_id, status, reply_due_at, close_due_at, rework_order_id, opened_by, opened_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', $12, $13, $14, $15, $16, 1)"""
OPEN_OF_ORDER = "SELECT id FROM complaint WHERE order_id = $1 AND status <> 'decided'"
OF_REQUEST = "SELECT id FROM complaint WHERE care_request_id = $1"
REQUEST = "SELECT division_code, urgency FROM care_request WHERE id = $1"
PLACE = "SELECT order_id, division_code FROM complaint WHERE id = $1"
LOCK = "SELECT * FROM complaint WHERE id = $1 FOR UPDATE"
REPLY = """UPDATE complaint SET status = 'replied', replied_at = $2, reply = $3, version = version + 1 WHERE id = $1"""
DECIDE = """UPDATE complaint SET status = 'decided', upheld = $2, measures = $3, decided_by = $4, decided_at = $5,
  rework_order_id = coalesce($6, rework_order_id), replied_at = coalesce(replied_at, $5), version = version + 1
WHERE id = $1"""
REWORK = "UPDATE complaint SET rework_order_id = $2, version = version + 1 WHERE id = $1 AND rework_order_id IS NULL"
SHOWN = """SELECT k.*, o.number AS order_number, e.name AS elder_name, p.name AS provider_name
FROM complaint k LEFT JOIN care_order o ON o.id = k.order_id LEFT JOIN elder e ON e.id = k.elder_id
LEFT JOIN provider p ON p.id = k.provider_id"""


async def open_(tx: Tx, *values: Any) -> None:
    await tx.run(OPEN, *values)


async def open_of_order(tx: Tx, order_id: UUID) -> UUID | None:
    found: UUID | None = await tx.fetchval(OPEN_OF_ORDER, order_id)
    return found


async def of_request(tx: Tx, care_request_id: UUID) -> UUID | None:
    found: UUID | None = await tx.fetchval(OF_REQUEST, care_request_id)
    return found


async def request(tx: Tx, care_request_id: UUID) -> Any:
    return await tx.fetchrow(REQUEST, care_request_id)


async def place(tx: Tx, complaint_id: UUID) -> Any:
    """Order and division of a complaint, not locked: the order's lock comes first."""
    return await tx.fetchrow(PLACE, complaint_id)


async def lock(tx: Tx, complaint_id: UUID) -> Any:
    return await tx.fetchrow(LOCK, complaint_id)


async def reply(tx: Tx, complaint_id: UUID, at: datetime, sealed: bytes) -> None:
    await tx.run(REPLY, complaint_id, at, sealed)


async def decide(
    tx: Tx, complaint_id: UUID, upheld: str, measures: bytes, actor: str, at: datetime, rework: UUID | None
) -> None:
    await tx.run(DECIDE, complaint_id, upheld, measures, actor, at, rework)


async def link_rework(tx: Tx, complaint_id: UUID, order_id: UUID) -> None:
    await tx.run(REWORK, complaint_id, order_id)


async def shown(tx: Tx, complaint_id: UUID) -> Any:
    return await tx.fetchrow(SHOWN + " WHERE k.id = $1", complaint_id)


async def find(
    tx: Tx,
    *,
    ranges: list[tuple[str, str]],
    status: str | None,
    provider_id: UUID | None,
    order_id: UUID | None,
    overdue_at: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[Any]:
    """Complaints within division `ranges` or of no known division, newest first."""
    args: list[Any] = [status, provider_id, order_id, overdue_at, before, limit]
    places = ["k.division_code IS NULL"]
    for low, high in ranges:
        args.extend((low, high))
        places.append(f"(k.division_code >= ${len(args) - 1} AND k.division_code < ${len(args)})")
    return await tx.search(
        f"""{SHOWN} WHERE ({" OR ".join(places)}) AND ($1::text IS NULL OR k.status = $1)
          AND ($2::uuid IS NULL OR k.provider_id = $2) AND ($3::uuid IS NULL OR k.order_id = $3)
          AND ($4::timestamptz IS NULL OR (k.status <> 'decided'
            AND (k.close_due_at < $4 OR (k.replied_at IS NULL AND k.reply_due_at < $4))))
          AND ($5::uuid IS NULL OR k.id < $5)
        ORDER BY k.id DESC LIMIT $6""",
        *args,
    )
