"""What the provider's app and the desk say about a visit, and what they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from app.core.geo import Location
from app.core.text import Body, Line, Note, View
from app.visits.journal import Kind, Method

EventId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[a-z0-9_.:-]+$")]

Result = Literal["applied", "duplicate", "late", "needs_review", "rejected"]


class ReportedEvent(Body):
    """One thing that happened at the door, whoever reports it."""

    event_id: EventId
    type: Kind
    order_id: UUID
    occurred_at: AwareDatetime
    """By the device's clock, with offset."""
    device_seq: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    """A counter of the device that only goes up: it orders events when the clock is wrong."""
    location: Location | None = None
    method: Method
    evidence: Annotated[list[UUID], Field(default_factory=list, max_length=20)]
    """Ids that the door for uploads gave."""
    reason_code: Code | None = None
    note: Note | None = None


class ProviderEvent(ReportedEvent):
    """One thing that happened. `event_id` is the app's own; the same id again changes nothing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "event_id": "d41f-000017",
                    "type": "checked_in",
                    "order_id": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61",
                    "occurred_at": "2026-03-02T09:02:11+08:00",
                    "device_seq": 17,
                    "caregiver_id": "0197b5a2-1111-7d35-9f10-3a5b8e2c4d61",
                    "location": {"lng": 102.188, "lat": 38.5205, "crs": "gcj02", "accuracy_m": 18},
                    "method": "gps",
                    "evidence": [],
                }
            ]
        },
    )

    caregiver_id: UUID


class EventResult(View):
    """What became of one event; in the order they were sent."""

    event_id: str
    result: Result
    reason: str | None = None


class ManualEntry(Body):
    """补录: what a member of staff adds to a visit by hand. It stays marked as such for ever."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "checked_out",
                    "occurred_at": "2026-03-02T10:05:00+08:00",
                    "reason": "服务人员手机没电，已电话向老人核实",
                }
            ]
        },
    )

    type: Literal[Kind.ARRIVED, Kind.CHECKED_IN, Kind.CHECKED_OUT, Kind.FAILED]
    occurred_at: AwareDatetime
    reason: Line
    reason_code: Code | None = None


class Decision(Body):
    """A supervisor's word on a doubtful visit."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"verdict": "verified", "reason": "已致电老人核实，服务时间属实"}]},
    )

    verdict: Literal["verified", "rejected"]
    reason: Line


class PlaceView(View):
    """One end of a visit. The distance is to the elder's registered door; `place` is the verdict on it."""

    at: datetime | None = None
    method: str | None = None
    place: str
    distance_m: int | None = None
    accuracy_m: float | None = None


class VisitView(View):
    order_id: UUID
    order_number: str
    item_code: str
    elder_id: UUID
    provider_id: UUID | None = None
    caregiver_id: UUID | None = None
    caregiver_name: str | None = None
    division: str
    status: str
    departed_at: datetime | None = None
    arrived_at: datetime | None = None
    begin: PlaceView
    end: PlaceView
    minutes: int | None = None
    failed_at: datetime | None = None
    failure_reason: str | None = None
    manual: bool
    hazards: list[str]
    evidence: list[UUID]
    verification: str
    reasons: list[str]
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    version: int


class VisitEventView(View):
    """One stored event with what it was answered at the time."""

    event_id: str
    type: str
    caregiver_id: UUID
    occurred_at: datetime
    received_at: datetime
    device_seq: int | None = None
    method: str
    accuracy_m: float | None = None
    evidence: list[UUID]
    reason_code: str | None = None
    note: str | None = None
    back_filled: bool
    proved: bool | None = None
    result: str
    reason: str | None = None
    recorded_by: str


class VisitDetail(VisitView):
    events: list[VisitEventView]


class UploadView(View):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "upload_id": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61",
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "media_type": "image/jpeg",
                    "size_bytes": 182734,
                }
            ]
        },
    )

    upload_id: UUID
    sha256: str
    media_type: str
    size_bytes: int
