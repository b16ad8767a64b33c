"""SQL of devices and whom they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

BIND = """INSERT INTO elder_device (id, vendor, number, kind, place, elder_id, bound_at, bound_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (vendor, number) WHERE unbound_at IS NULL DO NOTHING RETURNING id"""
HOLDER = "SELECT id, elder_id FROM elder_device WHERE vendor = $1 AND number = $2 AND unbound_at IS NULL"
UNBIND = """UPDATE elder_device SET unbound_at = $3, unbound_by = $4
WHERE id = $1 AND elder_id = $2 AND unbound_at IS NULL RETURNING id"""
OF_ELDER = """SELECT id, vendor, number, kind, place, elder_id, bound_at, unbound_at, seen_at, battery
FROM elder_device WHERE elder_id = $1 ORDER BY unbound_at NULLS FIRST, id DESC LIMIT 100"""
SEEN = """UPDATE elder_device SET seen_at = greatest(seen_at, $3), battery = coalesce($4, battery)
WHERE vendor = $1 AND number = $2 AND unbound_at IS NULL RETURNING elder_id, place"""


async def bind(tx: Tx, *values: Any) -> bool:
    """False when the device is bound already."""
    return await tx.fetchval(BIND, *values) is not None


async def holder(tx: Tx, vendor: str, number: str) -> Any:
    """The binding in force, or None."""
    return await tx.fetchrow(HOLDER, vendor, number)


async def unbind(tx: Tx, device_id: UUID, elder_id: UUID, at: datetime, by: str) -> bool:
    return await tx.fetchval(UNBIND, device_id, elder_id, at, by) is not None


async def of_elder(tx: Tx, elder_id: UUID) -> list[Any]:
    return await tx.fetch(OF_ELDER, elder_id)


async def seen(tx: Tx, vendor: str, number: str, at: datetime, battery: int | None) -> Any:
    """Note a sign of life; the binding, or None."""
    return await tx.fetchrow(SEEN, vendor, number, at, battery)
