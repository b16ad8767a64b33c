"""What intake tells the rooms above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintReceived(Event):
    """Somebody complains. `order_id` is the order they speak of, if they named one; `words` is plain text."""

    name: ClassVar[str] = "complaint.received"
    care_request_id: UUID
    elder_id: UUID | None
    order_id: UUID | None
    channel: str
    words: str | None
    taken_by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyReceived(Event):
    """Somebody needs help at once. `elder_id` is null for an unknown caller or an unbound device."""

    name: ClassVar[str] = "emergency.received"
    care_request_id: UUID
    elder_id: UUID | None
    channel: str
    contact_id: UUID | None
    at: datetime
    order_id: UUID | None = None
    """The order at whose visit it was seen."""
    words: str | None = None
    """What was said, in plain text."""
    alarm: str | None = None
    """What a device reported, or what kind of danger was seen; null when somebody just asked for help."""
    device: str | None = None
    lng: float | None = None
    lat: float | None = None
    """Where the device is, WGS-84."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRepeated(Event):
    """A device reported the same emergency again."""

    name: ClassVar[str] = "emergency.repeated"
    care_request_id: UUID
    contact_id: UUID
    elder_id: UUID | None
    alarm: str
    device: str
    lng: float | None
    lat: float | None
    at: datetime
