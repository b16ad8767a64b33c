"""What rounds tell the edges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsPublished(Event):
    """A day's plan, or a repair of one, became bookings. Each visit's own change is told by its own event."""

    name: ClassVar[str] = "rounds.published"
    round_plan_id: UUID
    service_day: date
    division_code: str
    counts: dict[str, int]
    """How many orders were kept, assigned, offered, taken back, and left waiting."""
    at: datetime
