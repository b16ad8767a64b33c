"""What calls tell the rooms above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReady(Event):
    """The exchange has a recording of a call, and says where; told again when the call is over."""

    name: ClassVar[str] = "call.recording_ready"
    call_id: UUID
    reference: str
