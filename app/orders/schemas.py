"""What the world sees of an order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict

from app.core.text import Body, Line, View, Word


class ItemView(View):
    code: str
    name: str


class ElderView(View):
    """Masked unless the reader has the order in hand; then with the door address and a phone."""

    id: UUID
    name: str
    sex: str
    address: str | None = None
    phone: str | None = None
    lng: float | None = None
    lat: float | None = None
    crs: str | None = None
    care_notes: str | None = None


class WindowView(View):
    from_: datetime
    to: datetime | None = None

    model_config = ConfigDict(
        populate_by_name=True, alias_generator=lambda name: name.rstrip("_"), serialize_by_alias=True
    )


class DeadlineView(View):
    name: str
    due_at: datetime
    met_at: datetime | None = None
    late: bool


class PayerView(View):
    payer: str
    scheme: str | None = None
    amount_fen: int
    reason: str | None = None


class PartyView(View):
    id: UUID
    name: str


class OrderView(View):
    id: UUID
    number: str
    status: str
    outcome: str | None = None
    outcome_reason: str | None = None
    delivery: str
    item: ItemView
    elder: ElderView
    urgency: str
    channel: str
    division: str
    window: WindowView
    minutes: int
    deadlines: list[DeadlineView]
    price_fen: int
    copay_fen: int
    payers: list[PayerView]
    provider: PartyView | None = None
    caregiver: PartyView | None = None
    second_caregiver: PartyView | None = None
    visit: dict[str, Any] | None = None
    rating: int | None = None
    flags: list[str]
    rework_of: UUID | None = None
    care_request_id: UUID | None = None
    placed_at: datetime
    completed_at: datetime | None = None
    version: int


class HistoryView(View):
    seq: int
    before: str | None = None
    after: str
    actor: str
    reason: str | None = None
    facts: dict[str, Any] | None = None
    at: datetime


class ActionView(View):
    action: str
    method: str
    path: str


class Cancellation(Body):
    reason_code: Word
    by: Literal["elder", "family", "centre", "provider"]

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason_code": "elder_in_hospital", "by": "family"}]}
    )


class Reason(Body):
    reason: Line

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "老人住院，暂缓服务"}]})
