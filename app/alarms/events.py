"""What alarms tells the rooms above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClosed(Event):
    """It is over. `care_request_ids`: how it had come in, as far as no other incident still needs it."""

    name: ClassVar[str] = "incident.closed"
    incident_id: UUID
    care_request_ids: tuple[UUID, ...]
    note: str
    """How it ended, in the operator's words."""
    actor: str
    at: datetime
