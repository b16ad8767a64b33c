"""What the spine tells the rooms above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Event
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Event):
    """A new order, made in this transaction, waits for a provider."""

    name: ClassVar[str] = "order.placed"
    order: OrderRow
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAdvanced(Event):
    """An order moved. `provider_id` is the provider before the move, who must hear of losing it."""

    name: ClassVar[str] = "order.advanced"
    order_id: UUID
    before: Status
    after: Status
    provider_id: UUID | None
    offer_id: UUID | None
    version: int
    actor: str
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFlagged(Event):
    """A flag was raised or dropped."""

    name: ClassVar[str] = "order.flagged"
    order_id: UUID
    flag: str
    raised: bool
    provider_id: UUID | None
    version: int
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersTouched(Event):
    """What a board shows of these orders changed without a move: delivery, the window, a deadline that was met."""

    name: ClassVar[str] = "order.touched"
    order_ids: tuple[UUID, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineMissed(Event):
    """A deadline passed unmet; announced once."""

    name: ClassVar[str] = "order.deadline_missed"
    order_id: UUID
    deadline: str
    due_at: datetime
    at: datetime
