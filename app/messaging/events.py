"""What messaging tells the rooms above."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftToVoice(Event):
    """Nothing written reached them, or nothing written would do: a person has to call. `phone` is E.164."""

    name: ClassVar[str] = "message.left_to_voice"
    message_id: UUID
    template: str
    order_id: UUID | None
    division_code: str | None
    phone: str = field(repr=False)
    words: str = field(repr=False)
    urgent: bool
    at: datetime
