"""What others may need to know about elders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ElderDeparted(Event):
    """The elder has died or moved away: nothing more can be ordered, and benefits end."""

    name: ClassVar[str] = "elder.departed"
    elder_id: UUID
    status: str
    """deceased or moved"""
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRevoked(Event):
    """The card the elder carried is void, lost or replaced: whatever else leads to the elder as it did ends, too."""

    name: ClassVar[str] = "elder.card_revoked"
    elder_id: UUID
    actor: str
    at: datetime
