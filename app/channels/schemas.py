"""What comes through the doors in JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.calls.record import OF_THE_SOURCE, CallEventFacts, EventType
from app.calls.service import Reported
from app.core.geo import Location
from app.core.text import Body, Instant, Line, View, Word

Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
MAX_EVENTS = 500


class PhoneEvent(Body):
    """One event of an exchange. `event_id` or `seq` tells two events of one type and call apart; without them the
    time and the agent do. `caller` is what the exchange shows; a withheld number is left out."""

    source: Word
    source_instance: Word = "default"
    call_id: Reference | None = None
    event_id: Reference | None = None
    seq: Annotated[int | None, Field(ge=0, le=2**53)] = None
    type: Literal[
        "call.queued", "agent.offered", "agent.missed", "call.answered", "call.ended", "call.abandoned",
        "recording.ready", "voicemail.left", "source.lost", "source.restored",
    ]  # fmt: skip
    at: Instant
    caller: Annotated[str | None, StringConstraints(max_length=80)] = None
    called: Annotated[str | None, StringConstraints(max_length=80)] = None
    queue: Word | None = None
    agent: Word | None = None
    duration_s: Annotated[float | None, Field(ge=0, le=7 * 86_400, allow_inf_nan=False)] = None
    recording_ref: Annotated[str | None, StringConstraints(max_length=500)] = None
    cause: Annotated[str | None, StringConstraints(max_length=120)] = None
    open_calls: Annotated[list[Reference] | None, Field(max_length=5000)] = None
    """With `source.restored`: every call the exchange has now. Whatever else we thought open has ended."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "source": "freeswitch",
                    "source_instance": "pbx-1",
                    "call_id": "5f0c2b1e-8a53-4a55-9c1b-6a1d2d7f0a01",
                    "type": "agent.offered",
                    "at": "2026-11-24T09:00:00.520+08:00",
                    "caller": "13800000001",
                    "called": "12349",
                    "queue": "home-care",
                    "agent": "8001",
                }
            ]
        },
    )

    @model_validator(mode="after")
    def _of_a_call(self) -> PhoneEvent:
        if self.call_id is None and EventType(self.type) not in OF_THE_SOURCE:
            raise ValueError("an event of a call names its call_id")
        if self.open_calls is not None and self.type != "source.restored":
            raise ValueError("open_calls belong to source.restored")
        return self

    def reported(self) -> Reported:
        facts = CallEventFacts(
            type=EventType(self.type), key=self._key(), at=self.at, caller=self.caller or None,
            called=self.called or None, queue=self.queue, agent=self.agent, recording_ref=self.recording_ref or None,
            cause=self.cause or None,
        )  # fmt: skip
        there = None if self.open_calls is None else frozenset(self.open_calls)
        return Reported(self.source, self.source_instance, self.call_id or "", facts, there)

    def _key(self) -> str:
        if self.event_id is not None:
            return f"id:{self.event_id}"
        if self.seq is not None:
            return f"seq:{self.seq}"
        return f"at:{self.at.timestamp():.6f}/{self.agent or ''}"


class PhoneEvents(Body):
    events: Annotated[list[PhoneEvent], Field(min_length=1, max_length=MAX_EVENTS)]


class PhoneResult(View):
    call_id: str | None
    type: str
    result: Literal["applied", "duplicate"]


class PhoneResults(View):
    results: list[PhoneResult]


class DeviceAlarm(Body):
    """One message of a device. A `type` we do not know is an alarm to be looked at, never dropped.

    `occurred_at` is the device's own clock and decides nothing.
    """

    device_id: Reference
    msg_id: Reference
    type: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=40)]
    occurred_at: Instant | None = None
    location: Location | None = None
    battery: Annotated[int | None, Field(ge=0, le=100)] = None
    note: Line | None = None
    raw: dict[str, Any] | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "device_id": "860000000000015",
                    "msg_id": "7f21",
                    "type": "sos",
                    "occurred_at": "2026-11-24T03:12:09+08:00",
                    "location": {"lng": 102.19, "lat": 38.52, "crs": "gcj02"},
                    "battery": 81,
                }
            ]
        },
    )


class DeviceReceipt(View):
    """`care_request_id` is null for messages that are no alarm (test, restore, low battery, offline); a mere sign of
    life is not even kept, and has no `contact_id`; nor has yet what is kept outside of a database that is away."""

    contact_id: UUID | None = None
    fresh: bool
    care_request_id: UUID | None = None


class Heartbeat(Body):
    device_id: Reference
    battery: Annotated[int | None, Field(ge=0, le=100)] = None


class Heartbeats(Body):
    devices: Annotated[list[Heartbeat], Field(min_length=1, max_length=MAX_EVENTS)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"devices": [{"device_id": "860000000000015", "battery": 81}]}]},
    )


class HeartbeatsView(View):
    """How many of them are bound to somebody."""

    known: int


class WechatAccountBody(Body):
    appid: Word
    token: Word
    aes_key: Annotated[str, StringConstraints(min_length=43, max_length=43)]
    kind: Literal["official", "mini_program"] = "official"
    secret: Annotated[str | None, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)] = None
    """The AppSecret; left out, the one on record stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "appid": "wx0000000000000000",
                    "token": "a-token-of-your-own",
                    "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
                }
            ]
        },
    )


class WechatAccountView(View):
    account: str
    appid: str
    kind: str
    active: bool


class WechatTemplateBody(Body):
    """`way`: a template message, a subscription notice of an official account, or one of a mini-program. `page` is
    what a tap opens: an address for the first, a page for the others."""

    template_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
    way: Literal["template", "subscription", "mini_program"]
    page: Annotated[str | None, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"template_id": "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc", "way": "template"}]
        },
    )


class WechatTemplateView(View):
    account: str
    code: str
    template_id: str
    way: str
    page: str | None


class WechatCodeBody(Body):
    """What `wx.login` gave the mini-program: good once, for five minutes."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "0716AVll20uHk94SLDml27"}]})


class ElderCardBody(Body):
    account: Word

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"account": "jinchang"}]})


class ElderCardView(View):
    """`url` is what the QR code says; it is drawn by whoever prints the card."""

    url: str
    expires_at: Instant
