"""What the desk sends about incidents, and what it sees."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from app.alarms.incidents import Finding, Severity, Status, Step
from app.core.text import Body, View

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Code = Literal["pressed_by_mistake", "testing", "device_fault", "cooking_or_steam", "withdrawn", "other"]


class Verification(Body):
    finding: Finding
    code: Code | None = None
    """Why it was a false alarm."""
    note: Note | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"finding": "false_alarm", "code": "pressed_by_mistake", "note": "电话核实"}]},
    )


class CallMade(Body):
    """Whom the operator called about it: `120`, `110`, `119`, or in words a relative or a neighbour."""

    whom: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    note: Note | None = None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"whom": "120", "note": "已派车，约 8 分钟"}]}
    )


class Identity(Body):
    """Whom it is about, as the operator found out."""

    elder_id: UUID

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"elder_id": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61"}]}
    )


class Closure(Body):
    note: Note

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "老人送医，家属已到院"}]})


class StepView(View):
    step: Step
    due_at: datetime
    taken_at: datetime | None = None
    told: int | None = None
    """How many people were told; null when nobody needed to be by then: it was over, or (operators) taken on."""


class AlarmView(View):
    kind: str
    channel: str
    care_request_id: UUID | None = None
    at: datetime


class EntryView(View):
    what: str
    facts: dict[str, str | None] | None = None
    note: str | None = None
    actor: str
    at: datetime


class IncidentView(View):
    id: UUID
    status: Status
    severity: Severity
    kind: str
    elder_id: UUID | None = None
    division: str | None = None
    first_at: datetime
    last_at: datetime
    alarms: int
    lng: float | None = None
    lat: float | None = None
    place: str | None = None
    """`device`, `home` or `division`: whose position it is, WGS-84."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    finding: Finding | None = None
    code: str | None = None
    verified_at: datetime | None = None
    closed_at: datetime | None = None


class LivingView(IncidentView):
    """With the names of whom it is about, where, and who has taken it on."""

    elder_name: str | None = None
    """Masked."""
    division_name: str | None = None
    operator: str | None = None


class HelperView(View):
    """Somebody on duty near by. `phone` of a station; a caregiver is reached by the provider."""

    kind: Literal["caregiver", "station"]
    id: UUID
    name: str
    phone: str | None = None
    distance_m: int


class HelpersView(View):
    """The nearest first; empty where the incident has no place."""

    items: list[HelperView]


class IncidentDetail(IncidentView):
    """With its ladder, its reports and what was done, each in the order of time."""

    steps: list[StepView]
    reports: list[AlarmView]
    entries: list[EntryView]
