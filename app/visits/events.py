"""What visits tell the rooms above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitChanged(Event):
    """The visit of an order looks different than before: it moved on, or was verified, or turned doubtful."""

    name: ClassVar[str] = "visit.changed"
    order_id: UUID
    provider_id: UUID | None
    status: str
    verification: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardReported(Event):
    """A caregiver noticed something dangerous at an elder's home; told once per report. `code` is the app's own,
    `occurred_at` by its clock and perhaps hours before `at`, when we received it."""

    name: ClassVar[str] = "visit.hazard_reported"
    order_id: UUID
    elder_id: UUID
    caregiver_id: UUID
    code: str
    note: str | None
    occurred_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCompleted(Event):
    """The visit is over and the order completed; told once per order. `at` is when the visit ended.

    `minutes` is None for a visit that failed or whose clock cannot be believed.
    """

    name: ClassVar[str] = "service.completed"
    order_id: UUID
    provider_id: UUID
    caregiver_id: UUID
    elder_id: UUID
    division_code: str
    urgency: str
    outcome: str
    minutes: int | None
    verification: str
    at: datetime
