"""The edge's own reads: offers beside the events that name them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.db import Tx

OFFERS = """SELECT id, provider_id, order_id, status, caregiver_id, starts_at, made_at, deadline_at, reason_code
FROM offer WHERE id = ANY($1::uuid[])"""


async def offers(tx: Tx, offer_ids: list[UUID]) -> dict[UUID, Any]:
    if not offer_ids:
        return {}
    return {row["id"]: row for row in await tx.fetch(OFFERS, offer_ids)}
