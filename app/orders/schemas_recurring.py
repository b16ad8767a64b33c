"""What the world sees of a recurring plan."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.text import Body, Line, Note, View, Word

_ID = "0193a8c0-0000-7000-8000-000000000001"

Minute = Annotated[int, Field(ge=0, le=1440, description="Minutes after midnight in Asia/Shanghai")]
Weekdays = Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(max_length=7)]
Holidays = Literal["keep", "skip", "next_workday"]


class SlotBody(Body):
    """One visit of the day. `windows`: where the visit has to lie, the wanted one first. `follows`: the position of
    the visit it comes after, `least` to `most` minutes from start to start (a meal after insulin)."""

    windows: Annotated[list[tuple[Minute, Minute]], Field(min_length=1, max_length=4)]
    item_code: Word | None = None
    minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    follows: Annotated[int, Field(ge=0, le=7)] | None = None
    least: Annotated[int, Field(ge=0, le=1440)] = 0
    most: Annotated[int, Field(ge=0, le=1440)] = 0


Slots = Annotated[list[SlotBody], Field(min_length=1, max_length=8)]


class PlanBody(Body):
    """`weekdays` (1 is Monday) every `every` weeks; without weekdays, every `every` days from `valid_from` on."""

    elder_id: UUID
    item_code: Word
    minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    every: Annotated[int, Field(ge=1, le=366)] = 1
    weekdays: Weekdays = Field(default_factory=list)
    slots: Slots
    valid_from: date
    valid_to: date | None = None
    holidays: Holidays = "keep"
    caregiver_id: UUID | None = None
    provider_id: UUID | None = None
    requester_name: Word | None = None
    requester_relation: Word | None = None
    note: Note | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "elder_id": _ID, "item_code": "bath_home", "weekdays": [1, 3, 5], "valid_from": "2026-03-02",
                    "slots": [{"windows": [[540, 720]]}], "holidays": "next_workday", "requester_name": "王芳",
                    "requester_relation": "child", "note": "浴室在二楼",
                }
            ]
        },
    )  # fmt: skip


class PlanChange(Body):
    """Only what is named is changed."""

    item_code: Word | None = None
    minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    every: Annotated[int, Field(ge=1, le=366)] | None = None
    weekdays: Weekdays | None = None
    slots: Slots | None = None
    valid_to: date | None = None
    holidays: Holidays | None = None
    caregiver_id: UUID | None = None
    provider_id: UUID | None = None
    note: Note | None = None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"weekdays": [2, 4], "slots": [{"windows": [[840, 1020]]}]}]}
    )


class RestBody(Body):
    """No visits from `first_day` to `last_day`, both included; without a last day until further notice.

    `all_plans`: everything this elder has, as in a hospital stay; else this plan alone.
    """

    first_day: date
    last_day: date | None = None
    reason: Word
    all_plans: bool = False

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"first_day": "2026-03-09", "last_day": "2026-03-20", "reason": "hospital", "all_plans": True}]
        },
    )


class RestEnd(Body):
    """The last day without visits; one before the first says that the rest never came."""

    last_day: date

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"last_day": "2026-03-14"}]})


class PlanEnd(Body):
    reason: Line

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "家属接走同住"}]})


class RestView(View):
    id: UUID
    plan_id: UUID | None = None
    first_day: date
    last_day: date | None = None
    reason: str
    made_by: str
    made_at: datetime


class SlotView(View):
    windows: list[list[int]]
    item_code: str | None = None
    minutes: int | None = None
    follows: int | None = None
    least: int = 0
    most: int = 0


class PlanView(View):
    id: UUID
    elder_id: UUID
    elder_name: str
    division: str
    item_code: str
    minutes: int
    every: int
    weekdays: list[int]
    slots: list[SlotView]
    valid_from: date
    valid_to: date | None = None
    holidays: str
    caregiver_id: UUID | None = None
    provider_id: UUID | None = None
    requester_name: str | None = None
    requester_relation: str | None = None
    rests: list[RestView]
    made_through: date
    made_by: str
    made_at: datetime
    ended_at: datetime | None = None
    ended_reason: str | None = None
    version: int


class OccurrenceView(View):
    """One visit. `state`: ordered, failed (`reason` says why; it is tried again), withdrawn, or expected (beyond the
    days whose orders are made)."""

    day: date
    slot: int
    state: str
    reason: str | None = None
    order_id: UUID | None = None
    number: str | None = None
    order_status: str | None = None
