"""The edge's own reads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.db import Tx

HAS_FAMILY = """SELECT EXISTS (SELECT 1 FROM family_member m JOIN care_order o ON o.elder_id = m.elder_id
WHERE o.id = $1 AND m.approved_at IS NOT NULL)"""

MAKERS = "SELECT vendor, form, datum, token FROM device_maker ORDER BY vendor"
CODES = "SELECT vendor, code, type FROM device_code"
PUT_MAKER = """INSERT INTO device_maker (vendor, form, datum, token, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (vendor) DO UPDATE SET form = $2, datum = $3, token = $4, updated_at = $5"""
PUT_CODE = """INSERT INTO device_code (vendor, code, type, updated_at)
SELECT vendor, $2, $3, $4 FROM device_maker WHERE vendor = $1
ON CONFLICT (vendor, code) DO UPDATE SET type = $3, updated_at = $4 RETURNING vendor"""


async def makers(tx: Tx) -> list[Any]:
    return await tx.fetch(MAKERS)


async def codes(tx: Tx) -> list[Any]:
    return await tx.fetch(CODES)


async def put_maker(tx: Tx, *values: Any) -> None:
    await tx.run(PUT_MAKER, *values)


async def put_code(tx: Tx, *values: Any) -> bool:
    """False without such a maker."""
    return await tx.fetchval(PUT_CODE, *values) is not None


async def has_approved_family(tx: Tx, order_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_FAMILY, order_id))
