"""What goes in and out of the providers' doors."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from app.core.geo import Location
from app.core.text import Body, Line, View, Word

Moment = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC))]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
DivisionCode = Annotated[str, Field(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")]
ProviderKind = Literal["company", "nonprofit", "institution", "station", "individual"]
ProviderStatus = Literal["active", "suspended", "exited"]
CaregiverStatus = Literal["active", "inactive"]
Sex = Literal["male", "female", "unknown"]
TravelMode = Literal["walk", "ebike", "bus", "car"]
CertificateKind = Literal[
    "health_certificate", "nursing_assistant", "nurse", "rehabilitation_therapist", "social_worker",
    "psychological_counsellor", "home_adaptation_assessor", "background_check", "insurance",
]  # fmt: skip
ItemCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
CreditCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class ProviderBody(Body):
    """A provider that joins. `areas` are divisions served with everything below them."""

    name: Word
    uscc: CreditCode
    kind: ProviderKind
    phone: Word
    division_code: DivisionCode
    areas: Annotated[list[DivisionCode], Field(min_length=1, max_length=500)]
    items: Annotated[list[ItemCode], Field(min_length=1, max_length=200)]
    location: Location | None = None
    daily_capacity: Annotated[int, Field(ge=0, le=100_000)] | None = None
    monthly_quota: Annotated[int, Field(ge=0, le=1_000_000)] | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "金川安康居家服务有限公司",
                    "uscc": "91620302MA0000000K",
                    "kind": "company",
                    "phone": "0935-8220001",
                    "division_code": "620302",
                    "areas": ["620302"],
                    "items": ["clean_home", "bath_home"],
                    "daily_capacity": 40,
                }
            ]
        },
    )


class ProviderChange(Body):
    """Only what is named changes; null clears a limit. `areas` and `items` replace the whole list."""

    name: Word | None = None
    phone: Word | None = None
    areas: Annotated[list[DivisionCode], Field(min_length=1, max_length=500)] | None = None
    items: Annotated[list[ItemCode], Field(min_length=1, max_length=200)] | None = None
    location: Location | None = None
    daily_capacity: Annotated[int, Field(ge=0, le=100_000)] | None = None
    monthly_quota: Annotated[int, Field(ge=0, le=1_000_000)] | None = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"daily_capacity": 60}]})


class Reason(Body):
    reason: Line

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "连续两月投诉成立"}]})


class ScoreView(View):
    """`score` is 1..5, pulled towards the prior while there are few ratings."""

    ratings: int
    completed: int
    score: float


class ProviderView(View):
    id: UUID
    name: str
    uscc: str
    kind: str
    status: str
    status_reason: str | None = None
    phone: str
    division_code: str
    areas: list[str]
    items: list[str]
    lng: float | None = None
    lat: float | None = None
    daily_capacity: int | None = None
    monthly_quota: int | None = None
    record: ScoreView
    version: int
    created_at: datetime
    updated_at: datetime


class ShiftBody(Body):
    """Minutes after midnight, Asia/Shanghai; weekday 1 is Monday. A shift over midnight is two shifts."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    starts_minute: Annotated[int, Field(ge=0, le=1439)]
    ends_minute: Annotated[int, Field(ge=1, le=1440)]


class ShiftsBody(Body):
    """The whole week: what is not in the list is no longer worked."""

    shifts: Annotated[list[ShiftBody], Field(max_length=50)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"shifts": [{"weekday": 1, "starts_minute": 480, "ends_minute": 1080}]}]},
    )


class CertificateBody(Body):
    """`valid_to` is the last day; null: without end."""

    kind: CertificateKind
    number: Word | None = None
    valid_from: Day
    valid_to: Day | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "nursing_assistant", "valid_from": "2025-03-01", "valid_to": "2028-02-29"}]
        },
    )


class AbsenceBody(Body):
    starts_at: Moment
    ends_at: Moment
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "starts_at": "2026-12-01T08:00:00+08:00",
                    "ends_at": "2026-12-03T20:00:00+08:00",
                    "reason": "病假",
                }
            ]
        },
    )


class CaregiverBody(Body):
    name: Word
    sex: Sex = "unknown"
    phone: Word
    division_code: DivisionCode
    home: Location | None = None
    travel_mode: TravelMode = "ebike"
    dialect: Word | None = None
    certificates: Annotated[list[CertificateBody], Field(max_length=20, default_factory=list)]
    shifts: Annotated[list[ShiftBody], Field(max_length=50, default_factory=list)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "王秀兰",
                    "sex": "female",
                    "phone": "13800000002",
                    "division_code": "620302001",
                    "certificates": [{"kind": "nursing_assistant", "valid_from": "2025-03-01"}],
                    "shifts": [{"weekday": 1, "starts_minute": 480, "ends_minute": 1080}],
                }
            ]
        },
    )


class CaregiverChange(Body):
    name: Word | None = None
    sex: Sex | None = None
    phone: Word | None = None
    division_code: DivisionCode | None = None
    home: Location | None = None
    travel_mode: TravelMode | None = None
    dialect: Word | None = None
    status: CaregiverStatus | None = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "inactive"}]})


class CertificateView(View):
    id: UUID
    kind: str
    name: str
    number: str | None = None
    valid_from: date
    valid_to: date | None = None


class ShiftView(View):
    weekday: int
    starts_minute: int
    ends_minute: int


class AbsenceView(View):
    id: UUID
    starts_at: datetime
    ends_at: datetime
    reason: str


class CaregiverView(View):
    """The phone is masked; where the caregiver lives is not shown."""

    id: UUID
    provider_id: UUID
    name: str
    sex: str
    phone: str
    division_code: str
    travel_mode: str
    dialect: str | None = None
    status: str
    certificates: list[CertificateView]
    shifts: list[ShiftView]
    record: ScoreView


class CreatedView(View):
    id: UUID
