"""What provider systems receive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.text import Body, View
from app.orders.schemas import OrderView
from app.visits.schemas import EventResult, ProviderEvent


class OfferView(View):
    """`mode` grab: others are asked too, and whoever accepts first has it. `caregiver_id` is who is suggested."""

    id: UUID
    status: str
    mode: str
    caregiver_id: UUID | None = None
    second_caregiver_id: UUID | None = None
    starts_at: datetime
    made_at: datetime
    deadline_at: datetime
    reason_code: str | None = None
    delivery: str


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


class EventBatch(Body):
    """Events of any orders, in any order, up to 200 at a time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "event_id": "d41f-000017",
                            "type": "checked_in",
                            "order_id": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61",
                            "occurred_at": "2026-03-02T09:02:11+08:00",
                            "device_seq": 17,
                            "caregiver_id": "0197b5a2-1111-7d35-9f10-3a5b8e2c4d61",
                            "location": {"lng": 102.188, "lat": 38.5205, "crs": "gcj02", "accuracy_m": 18},
                            "method": "gps",
                        }
                    ]
                }
            ]
        },
    )

    events: Annotated[list[ProviderEvent], Field(min_length=1, max_length=200)]


class EventResults(View):
    results: list[EventResult]


class FeedPage(View):
    events: list[FeedEvent]
    next_cursor: str
