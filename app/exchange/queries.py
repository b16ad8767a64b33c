"""The edge's own reads: offers beside the events that name them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.db import Tx

OFFERS = """SELECT id, provider_id, order_id, status, mode, caregiver_id, second_caregiver_id, starts_at, made_at,
  deadline_at, reason_code, delivery FROM offer WHERE id = ANY($1::uuid[])"""


# Of an order that several may grab nobody is the provider yet.
TO_GRAB = """SELECT order_id FROM offer
WHERE provider_id = $1 AND order_id = ANY($2::uuid[]) AND status = 'offered' AND mode = 'grab'"""


async def to_grab(tx: Tx, provider_id: UUID, order_ids: list[UUID]) -> list[UUID]:
    """Those of the orders that this provider may grab now."""
    return [row["order_id"] for row in await tx.fetch(TO_GRAB, provider_id, order_ids)]


async def offers(tx: Tx, offer_ids: list[UUID]) -> dict[UUID, Any]:
    if not offer_ids:
        return {}
    return {row["id"]: row for row in await tx.fetch(OFFERS, offer_ids)}
