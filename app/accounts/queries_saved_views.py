"""SQL of saved views."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

OF_STAFF = "SELECT id, name, query FROM saved_view WHERE staff_id = $1 AND page = $2 ORDER BY name"
COUNT = "SELECT count(*) FROM saved_view WHERE staff_id = $1 AND page = $2 AND name <> $3"
SAVE = """INSERT INTO saved_view (id, staff_id, page, name, query, saved_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (staff_id, page, name) DO UPDATE SET query = excluded.query, saved_at = excluded.saved_at"""
FORGET = "DELETE FROM saved_view WHERE id = $1 AND staff_id = $2"


async def of_staff(tx: Tx, staff_id: UUID, page: str) -> list[Any]:
    return await tx.fetch(OF_STAFF, staff_id, page)


async def others(tx: Tx, staff_id: UUID, page: str, name: str) -> int:
    """How many views of this page have another name."""
    return int(await tx.fetchval(COUNT, staff_id, page, name))


async def save(tx: Tx, view_id: UUID, staff_id: UUID, page: str, name: str, query: str, at: datetime) -> None:
    await tx.run(SAVE, view_id, staff_id, page, name, query, at)


async def forget(tx: Tx, view_id: UUID, staff_id: UUID) -> bool:
    return await tx.run(FORGET, view_id, staff_id) == 1
