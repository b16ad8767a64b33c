"""What provider systems receive."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.text import View
from app.orders.schemas import OrderView


class OfferView(View):
    id: UUID
    status: str
    caregiver_id: UUID | None = None
    starts_at: datetime
    made_at: datetime
    deadline_at: datetime
    reason_code: str | None = None


class FeedEvent(View):
    """`order` is the full present snapshot, or null once the order is no longer this provider's business."""

    id: str
    seq: int
    type: str
    occurred_at: datetime
    order_id: UUID | None = None
    order: OrderView | None = None
    offer: OfferView | None = None
    facts: dict[str, Any] | None = None


class FeedPage(View):
    events: list[FeedEvent]
    next_cursor: str
