"""What dispatch tells the rooms and edges above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade(Event):
    """A provider is asked; it has until `deadline_at`."""

    name: ClassVar[str] = "offer.made"
    offer_id: UUID
    order_id: UUID
    provider_id: UUID
    deadline_at: datetime
    version: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAccepted(Event):
    """A provider took the order and will name its caregiver later; one named at once is CaregiverAssigned."""

    name: ClassVar[str] = "offer.accepted"
    offer_id: UUID
    order_id: UUID
    provider_id: UUID
    version: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferClosed(Event):
    """An offer ended without (or after) acceptance: refused, expired or withdrawn."""

    name: ClassVar[str] = "offer.closed"
    offer_id: UUID
    order_id: UUID
    provider_id: UUID
    how: str
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaregiverAssigned(Event):
    """Who comes is named and booked: one caregiver, or a lead and a second."""

    name: ClassVar[str] = "order.caregiver_assigned"
    order_id: UUID
    provider_id: UUID
    caregiver_id: UUID
    second_caregiver_id: UUID | None
    starts_at: datetime
    version: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyFound(Event):
    """No candidate is left, or the attempts are used up: a person has to look."""

    name: ClassVar[str] = "order.nobody_found"
    order_id: UUID
    decision_id: UUID
    at: datetime
