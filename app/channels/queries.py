"""The edge's own reads."""

from __future__ import annotations

from uuid import UUID

from app.core.db import Tx

HAS_FAMILY = """SELECT EXISTS (SELECT 1 FROM family_member m JOIN care_order o ON o.elder_id = m.elder_id
WHERE o.id = $1 AND m.approved_at IS NOT NULL)"""


async def has_approved_family(tx: Tx, order_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_FAMILY, order_id))
