"""What the desk asks of rounds and reads about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.catalog.schemas import Day, DivisionCode
from app.core.text import Body, View
from app.rounds.planning import MOST_BUDGET_S

PlanStatusWord = Literal["draft", "solving", "ready", "failed", "published", "discarded"]


class PlanBody(Body):
    """Plan a day: of a division with everything below it, or of one provider. `budget_cpu_s` is processor time."""

    service_day: Day
    division: DivisionCode | None = None
    provider_id: UUID | None = None
    budget_cpu_s: Annotated[float, Field(gt=0, le=MOST_BUDGET_S)] | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"service_day": "2027-03-04", "division": "620302", "budget_cpu_s": 20}]},
    )


class PlanBegun(View):
    id: UUID


class CostView(View):
    """Seconds of travel, and what is left out; `total` by the plan's own weights."""

    travel: int
    unserved: int
    unserved_weight: int
    preference: int
    total: float


class StopView(View):
    order_id: UUID
    order_number: str | None = None
    item: str | None = None
    role: str
    fixed: bool
    """Booked elsewhere; the plan leaves it as it is."""
    arrives_at: datetime
    starts_at: datetime
    ends_at: datetime
    """With the turnaround."""


class RoundView(View):
    caregiver_id: UUID
    caregiver: str | None = None
    provider_id: UUID | None = None
    provider: str | None = None
    leaves_at: datetime
    back_at: datetime
    breaks: list[datetime]
    stops: list[StopView]


class AsideView(View):
    order_id: UUID
    order_number: str | None = None
    reason: str
    label: str


class StepView(View):
    solver: str
    cpu_s: float
    cost: float


class PlanHead(View):
    id: UUID
    service_day: date
    division_code: str
    provider_id: UUID | None = None
    status: PlanStatusWord
    version: int
    budget_cpu_s: float
    progress: float
    step: str | None = None
    fingerprint: str | None = None
    cost_before: CostView | None = None
    cost_after: CostView | None = None
    bound: float | None = None
    steps: list[StepView]
    failure: str | None = None
    failure_label: str | None = None
    failure_detail: str | None = None
    violations: list[dict[str, str]]
    made_by: str
    made_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


class PlanView(PlanHead):
    rounds: list[RoundView]
    unserved: list[AsideView]


class PublishedView(View):
    """How many orders stay as they are, get other people or another time, are offered, lose their place, wait."""

    id: UUID
    status: PlanStatusWord
    keep: int
    assign: int
    offer: int
    take_back: int
    wait: int


class DisruptionBody(Body):
    """What broke the day. caregiver_ill names `caregiver_id`, `from_at` and `to_at`; emergency `order_id`; overrun
    `order_id` of the visit that goes on and the `minutes` it takes longer."""

    round_plan_id: UUID | None = None
    service_day: Day | None = None
    division: DivisionCode | None = None
    provider_id: UUID | None = None
    kind: Literal["caregiver_ill", "emergency", "overrun"]
    caregiver_id: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    order_id: UUID | None = None
    minutes: Annotated[int, Field(ge=1, le=480)] | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "service_day": "2027-03-04",
                    "division": "620302",
                    "kind": "caregiver_ill",
                    "caregiver_id": "0193a8c0-0000-7000-8000-000000000001",
                    "from_at": "2027-03-04T08:00:00+08:00",
                    "to_at": "2027-03-04T20:00:00+08:00",
                }
            ]
        },
    )


class ChangedVisit(View):
    """One visit that a repair touches; `minutes` it moves by, earlier below 0."""

    order_id: UUID
    how: Literal["assign", "offer", "take_back"]
    others: bool
    minutes: int


class RepairView(View):
    """One choice: what it costs, saves and whom it disturbs."""

    level: str
    cost: CostView
    saved: float
    rescued: int
    """Visits without anybody that have somebody again."""
    handed_over: int
    """Other visits that somebody else comes to."""
    moved: int
    """Other visits that stay with whom they had, and begin more than 15 minutes earlier or later."""
    dropped: int
    """Other visits that nobody comes to any more."""
    unserved: int
    visits: int
    """Visits with other people or at another time."""
    caregivers: list[UUID]
    """Whose day changes."""
    changes: list[ChangedVisit]


class LostVisit(View):
    """A visit that needs somebody: how many caregivers have room for it as the day stands, how many may not do it, do
    not work then, or have no gap for it; and which repairs save it.
    """

    order_id: UUID
    role: str
    has_room: int
    not_allowed: int
    out_of_shift: int
    no_gap: int
    saved_by: list[str]


class DisruptionView(View):
    id: UUID
    service_day: date
    division_code: str
    provider_id: UUID | None = None
    round_plan_id: UUID | None = None
    kind: str
    what: dict[str, Any]
    status: Literal["searching", "open", "failed", "chosen"]
    version: int
    failure: str | None = None
    failure_label: str | None = None
    failure_detail: str | None = None
    chosen: str | None = None
    lost: list[LostVisit]
    """The dearest first."""
    frontier: list[RepairView]
    made_by: str
    made_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None


class Choice(Body):
    level: Literal["pinned", "6", "12", "24", "full"]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"level": "12"}]})
