"""What the doors of the desk at the telephones take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.calls.schemas import CallView
from app.core.text import Body, Line, Note, View, Word
from app.elders.schemas import ElderView
from app.orders.schemas import OrderView

Extension = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,20}$")]


def _examples(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": list(examples)})


class BehindView(View):
    """An elder the number may belong to. `relation`: whose the number is, `self` or a relative's; `household` when it
    is not the elder's but that of somebody who shares a phone with one it belongs to."""

    elder: ElderView
    relation: str
    open_orders: list[OrderView]
    last_orders: list[OrderView]
    """The last three that are over, newest first: "again" begins with one of them."""


class CaregiverBehindView(View):
    """A caregiver with this number: somebody at work, not somebody asking for help."""

    id: UUID
    name: str
    provider_id: UUID
    provider_name: str


class ScreenView(View):
    """Who may be calling. The number shown chooses records for the operator and proves nothing."""

    call: CallView
    behind: list[BehindView]
    elsewhere: int
    """Elders with this number outside the operator's divisions; a person of the other desk may help."""
    caregivers: list[CaregiverBehindView]
    calls_before: list[CallView]
    """The number's last five calls, newest first."""
    nuisance: NuisanceView | None = None
    """What the list of nuisance numbers says of it; a hint, no more."""


class PresenceBody(Body):
    """`take_over`: whoever sits at the extension by the book has only forgotten to leave."""

    extension: Extension
    state: Literal["ready", "paused", "wrap_up"] = "ready"
    reason: Line | None = None
    take_over: bool = False

    model_config = _examples({"extension": "8001", "state": "ready"})


class OperatorView(View):
    staff_id: UUID
    name: str
    extension: str
    state: Literal["ready", "paused", "wrap_up", "talking"]
    reason: str | None = None
    since: datetime
    """In the state they chose; of `talking`, the call says since when."""
    call_id: UUID | None = None


class QueueView(View):
    queue: str
    waiting: int
    ringing: int
    talking: int
    longest_wait_s: int | None = None


class DeskView(View):
    """Who is there, and what is on the line."""

    operators: list[OperatorView]
    queues: list[QueueView]


class DialBody(Body):
    """Whom to be connected with: an elder by the first phone on record, or whom a call-back task is about."""

    about: Literal["elder", "callback_task"]
    about_id: UUID

    model_config = _examples({"about": "callback_task", "about_id": "0197a6c0-0000-7000-8000-000000000002"})


class DialView(View):
    id: UUID
    extension: str
    about: str
    about_id: UUID
    status: Literal["requested", "taken", "started", "failed", "expired"]
    requested_at: datetime
    taken_at: datetime | None = None
    settled_at: datetime | None = None
    cause: str | None = None


class TakenDial(View):
    """For the exchange's bridge alone: ring `extension`, and when it is picked up, `number`."""

    id: UUID
    extension: str
    number: str


class DialsWanted(Body):
    """`wait`: seconds to wait for one."""

    wait: Annotated[int, Field(ge=0, le=25)] = 0

    model_config = _examples({"wait": 5})


class TakenDials(View):
    dials: list[TakenDial]


class DialOutcome(Body):
    """`started`: the exchange has begun to ring; whether anybody answers is told as a call."""

    result: Literal["started", "failed"]
    cause: Word | None = None

    model_config = _examples({"result": "failed", "cause": "USER_NOT_REGISTERED"})


class RecordingView(View):
    id: UUID
    status: Literal["due", "kept", "refused", "missing", "forgotten"]
    reason: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    keep_until: date | None = None
    created_at: datetime


class SourceBody(Body):
    """`bases`: folders of this machine, or addresses; nothing is fetched from anywhere else."""

    bases: Annotated[list[Line], Field(min_length=1, max_length=10)]
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 180

    model_config = _examples({"bases": ["https://pbx.example/recordings/"], "keep_days": 180})


class SourceView(View):
    source: str
    source_instance: str
    bases: list[str]
    keep_days: int
    updated_at: datetime


class NuisanceBody(Body):
    reason: Line

    model_config = _examples({"reason": "反复拨打骚扰，已多次劝告"})


class NuisanceDecision(Body):
    listed: bool
    valid_until: date | None = None

    model_config = _examples({"listed": True, "valid_until": "2026-12-24"})


class NuisanceView(View):
    id: UUID
    phone: str
    """Masked."""
    call_id: UUID
    reason: str
    status: Literal["proposed", "listed", "declined", "lifted"]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    valid_until: date | None = None


class ItemBody(Body):
    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
    label: Line
    points: Annotated[int, Field(ge=1, le=100)]
    critical: bool = False


class SheetBody(Body):
    valid_from: date
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=40)]

    model_config = _examples(
        {
            "valid_from": "2027-01-01",
            "items": [
                {"code": "greeting", "label": "规范问候", "points": 40},
                {"code": "emergency", "label": "识别险情", "points": 60, "critical": True},
            ],
        }
    )


class SheetView(View):
    valid_from: date
    items: list[ItemBody]


class CheckBody(Body):
    """`points` by item of the sheet that was in force when the call was answered."""

    points: Annotated[dict[str, Annotated[int, Field(ge=0, le=100)]], Field(max_length=40)]
    note: Note | None = None

    model_config = _examples({"points": {"greeting": 10, "listening": 12}, "note": "语速偏快"})


class CheckView(View):
    """`failed`: a critical item was missed, and `total` is 0."""

    id: UUID
    call_id: UUID
    agent: str | None = None
    agent_staff_id: UUID | None = None
    sheet_from: date
    points: dict[str, int]
    total: int
    failed: bool
    missed: list[str]
    note: str | None = None
    checked_by: UUID
    checked_at: datetime


class SampleView(View):
    """`seed` draws the same calls again."""

    seed: str
    calls: list[CallView]
