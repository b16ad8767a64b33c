"""What others may need to know about providers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSuspended(Event):
    """No new orders; open ones need another provider."""

    name: ClassVar[str] = "provider.suspended"
    provider_id: UUID
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderReinstated(Event):
    name: ClassVar[str] = "provider.reinstated"
    provider_id: UUID
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaregiverChanged(Event):
    """Somebody came, or what is known of a caregiver is different: certificates, shifts, absences, home, status."""

    name: ClassVar[str] = "caregiver.changed"
    provider_id: UUID
    caregiver_id: UUID
    at: datetime
