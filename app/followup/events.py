"""What follow-up tells whoever listens above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRecorded(Event):
    """The rating of an order that counts. It may come after the order was closed, even after it was paid."""

    name: ClassVar[str] = "rating.recorded"
    rating_id: UUID
    order_id: UUID
    provider_id: UUID
    caregiver_id: UUID | None
    score: int
    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowupClosed(Event):
    """We know what an order was worth, or have given up asking. `outcome` is reached, rated, refused,
    unreachable or passed."""

    name: ClassVar[str] = "followup.closed"
    order_id: UUID
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintOpened(Event):
    name: ClassVar[str] = "complaint.opened"
    complaint_id: UUID
    order_id: UUID | None
    provider_id: UUID | None
    division_code: str | None
    reply_due_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintDecided(Event):
    """`upheld` is full, partly or no."""

    name: ClassVar[str] = "complaint.decided"
    complaint_id: UUID
    order_id: UUID | None
    provider_id: UUID | None
    upheld: str
    at: datetime
