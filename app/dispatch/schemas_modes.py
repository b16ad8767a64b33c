"""What the desk sees and says about ways of offering."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.catalog.schemas import Day, DivisionCode
from app.core.text import Body, Line, View, Word

_PROVIDER = "0193a8c0-0000-7000-8000-000000000001"

AnyUrgency = Literal["any", "emergency", "urgent", "normal", "appointment"]


class OfferedView(View):
    """One offer of an order: who was asked, how far it came, what was answered."""

    id: UUID
    provider_id: UUID
    caregiver_id: UUID | None = None
    second_caregiver_id: UUID | None = None
    decision_id: UUID
    mode: str
    attempt: int
    status: str
    reason_code: str | None = None
    starts_at: datetime
    made_at: datetime
    deadline_at: datetime
    closed_at: datetime | None = None
    delivery: str
    sent_at: datetime | None = None
    fetched_at: datetime | None = None


class ModeRule(Body):
    """How orders go out from `valid_from` on. `breadth`: how many may grab at once, for `grab` alone."""

    division_code: DivisionCode
    item_code: Word = "any"
    urgency: AnyUrgency = "any"
    mode: Literal["ranked", "grab", "fixed"]
    breadth: Annotated[int, Field(ge=2, le=10)] | None = None
    valid_from: Day
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "division_code": "620302",
                    "item_code": "meal_delivery",
                    "urgency": "any",
                    "mode": "grab",
                    "breadth": 3,
                    "valid_from": "2027-01-01",
                    "reason": "送餐企业多，抢单更快",
                }
            ]
        },
    )


class ModeRuleView(View):
    version: int
    division_code: str
    item_code: str
    urgency: str
    mode: str
    breadth: int | None = None
    valid_from: date
    made_by: str
    made_at: datetime
    reason: str


class ModeRuleSet(View):
    version: int


class FixedProviderBody(Body):
    """One provider for a division, an item or "any", a scheme or "any"; both days included."""

    provider_id: UUID
    division_code: DivisionCode
    item_code: Word = "any"
    scheme_code: Word = "any"
    contract_number: Line
    valid_from: Day
    valid_to: Day | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "provider_id": _PROVIDER,
                    "division_code": "620302",
                    "item_code": "bath_home",
                    "scheme_code": "any",
                    "contract_number": "金民采〔2026〕17 号",
                    "valid_from": "2027-01-01",
                    "valid_to": "2027-12-31",
                }
            ]
        },
    )


class FixedProviderView(View):
    id: UUID
    provider_id: UUID
    provider: str
    division_code: str
    item_code: str
    scheme_code: str
    contract_number: str
    valid_from: date
    valid_to: date | None = None
    made_by: str
    made_at: datetime


class FixedProviderMade(View):
    id: UUID


class FixedProviderEnd(Body):
    last_day: Day
    reason: Line

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"last_day": "2027-06-30", "reason": "双方协商终止"}]}
    )
