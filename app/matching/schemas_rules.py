"""What is asked and answered about weights, shares, and fairness."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.text import Body, Line, View

DivisionCode = Annotated[str, Field(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")]
District = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
Urgency = Literal["any", "emergency", "urgent", "normal", "appointment"]
Weight = Annotated[int, Field(ge=0, le=100)]

_PROVIDER = "0193a8c0-0000-7000-8000-000000000001"


class WeightsBody(Body):
    """A new version of weights. `service_type`: an item's code, a category of items, or "any"."""

    service_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")] = "any"
    division_code: DivisionCode
    urgency: Urgency = "any"
    weights: Annotated[dict[str, Weight], Field(min_length=1, max_length=20)]
    max_travel_minutes: Annotated[int, Field(ge=5, le=240)] = 60
    valid_from: Day
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "service_type": "basic_care",
                    "division_code": "620302",
                    "weights": {"travel": 30, "continuity": 35, "slack": 15, "rating": 20},
                    "max_travel_minutes": 45,
                    "valid_from": "2099-01-01",
                    "reason": "照护类以熟悉的服务人员优先",
                }
            ]
        },
    )


class WeightsMade(View):
    version: int


class WeightsView(View):
    version: int
    service_type: str
    division_code: str
    urgency: str
    weights: dict[str, int]
    max_travel_minutes: int
    valid_from: date
    made_by: str
    reason: str
    made_at: datetime


class ShareBody(Body):
    """A provider's part of a district's (or a city's) orders by contract; `valid_to` is its last day."""

    provider_id: UUID
    division_code: District
    percent: Annotated[float, Field(ge=0, le=100, multiple_of=0.01)]
    source: Line
    valid_from: Day
    valid_to: Day | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "provider_id": _PROVIDER,
                    "division_code": "620302",
                    "percent": 25,
                    "source": "2026 年居家养老服务采购合同第 3 条",
                    "valid_from": "2099-01-01",
                }
            ]
        },
    )


class ShareMade(View):
    id: UUID


class ProviderShareView(View):
    """`deviation`: percentage points above the contract; null where none is agreed."""

    provider_id: UUID
    provider: str
    orders: int
    actual_percent: float
    contract_percent: float | None = None
    deviation: float | None = None
    source: str | None = None


class SharesView(View):
    division_code: str
    month: str
    orders: int
    shares: list[ProviderShareView]


class CaregiverWeekView(View):
    """Minutes and visits booked; `unpopular` counts visits that begin in the evening, at night or on a day off."""

    caregiver_id: UUID
    caregiver: str
    minutes: int
    visits: int
    evening: int
    night: int
    day_off: int
    unpopular: int


class TeamWeekView(View):
    """Gini is 0 when all have the same; spread is the most less the least."""

    provider_id: UUID
    provider: str
    gini_minutes: float
    spread_minutes: int
    gini_unpopular: float
    spread_unpopular: int
    caregivers: list[CaregiverWeekView]


class FairnessView(View):
    division_code: str
    week: date
    days_off: list[date]
    teams: list[TeamWeekView]
