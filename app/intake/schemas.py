"""What is asked of intake, and what it answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from app.core.text import Body, Line, Note, View, Word
from app.intake.requests import Channel, Kind, Status, Urgency

EXAMPLE_ELDER = "0197a6c0-0000-7000-8000-000000000001"
EXAMPLE_REQUEST = "0197a6c0-0000-7000-8000-000000000002"

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _storable(at: datetime) -> datetime:
    if not _EARLIEST <= at <= _LATEST:
        raise ValueError("between the years 2000 and 2100")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_storable)]
"""A time with its offset."""

Division = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$")]
ItemCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
PhoneText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=40)]
ExternalId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Minutes = Annotated[int, Field(ge=1, le=24 * 60)]
Relation = Literal[
    "self", "spouse", "child", "grandchild", "sibling", "relative", "friend", "neighbour", "community", "guardian",
    "other",
]  # fmt: skip
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def _examples(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": list(examples)})


class Window(Body):
    """When help is wanted; without `to` it is wanted at `from`."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant | None = None

    model_config = _examples({"from": "2026-11-24T09:00:00+08:00", "to": "2026-11-24T11:00:00+08:00"})


Wanted = Literal["asap"] | Window


def span(wanted: Wanted) -> tuple[datetime | None, datetime | None]:
    """(from, to); as soon as possible is (None, None)."""
    return (None, None) if isinstance(wanted, str) else (wanted.from_, wanted.to)


class RequesterBody(Body):
    """Who asks. `phone` as typed."""

    name: Word | None = None
    phone: PhoneText | None = None
    relation: Relation = "self"


class ElderWords(Body):
    """How the caller describes an elder who is not registered yet."""

    name: Word | None = None
    phone: PhoneText | None = None
    address: Line | None = None
    sex: Literal["male", "female", "unknown"] | None = None
    birth_year: Annotated[int | None, Field(ge=1890, le=2100)] = None
    division: Division | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ElderWords:
        if not self.model_dump(exclude_none=True):
            raise ValueError("say at least one thing about the elder")
        return self


class Wish(Body):
    """What every channel may say about what is wanted."""

    kind: Kind = Kind.SERVICE
    item_code: ItemCode | None = None
    wanted: Wanted = "asap"
    urgency: Urgency = Urgency.NORMAL
    minutes: Minutes | None = None
    note: Note | None = None


class CareRequestBody(Wish):
    channel: Channel = Channel.HOTLINE
    external_id: ExternalId | None = None
    caller: RequesterBody = Field(default_factory=RequesterBody)
    elder_id: UUID | None = None
    elder: ElderWords | None = None
    address: Line | None = None
    order_id: UUID | None = None
    call_id: UUID | None = None

    model_config = _examples(
        {
            "channel": "hotline",
            "caller": {"name": "王芳", "phone": "13800000001", "relation": "child"},
            "elder_id": EXAMPLE_ELDER,
            "kind": "service",
            "item_code": "meal_delivery",
            "wanted": {"from": "2026-11-24T11:00:00+08:00", "to": "2026-11-24T12:00:00+08:00"},
            "urgency": "normal",
            "note": "少盐，软一些",
        }
    )

    @model_validator(mode="after")
    def _one_elder(self) -> CareRequestBody:
        if self.elder_id is not None and self.elder is not None:
            raise ValueError("name the elder by elder_id or describe them, not both")
        return self


class AppRequestBody(Wish):
    """From another app. `external_id` is that app's own number: the same number is the same request."""

    external_id: ExternalId
    caller: RequesterBody = Field(default_factory=RequesterBody)
    elder_id: UUID | None = None
    elder: ElderWords | None = None
    address: Line | None = None

    model_config = _examples(
        {
            "external_id": "A-20261124-0007",
            "caller": {"name": "李强", "phone": "13800000002", "relation": "neighbour"},
            "elder": {"name": "李奶奶", "address": "上海路12号3单元", "division": "620302"},
            "kind": "service",
            "note": "想请人上门做饭",
        }
    )


class FamilyRequestBody(Wish):
    elder_id: UUID
    order_id: UUID | None = None

    model_config = _examples(
        {"elder_id": EXAMPLE_ELDER, "item_code": "bath_home", "wanted": "asap", "note": "周末最好"}
    )


class OrderBody(Body):
    """Request and confirmation in one step."""

    elder_id: UUID
    item_code: ItemCode
    wanted: Wanted = "asap"
    urgency: Urgency = Urgency.NORMAL
    minutes: Minutes | None = None
    note: Note | None = None
    channel: Channel = Channel.HOTLINE
    caller: RequesterBody = Field(default_factory=RequesterBody)
    call_id: UUID | None = None

    model_config = _examples(
        {
            "elder_id": EXAMPLE_ELDER,
            "item_code": "clean_home",
            "wanted": {"from": "2026-11-24T09:00:00+08:00", "to": "2026-11-24T11:00:00+08:00"},
            "urgency": "normal",
            "caller": {"name": "王芳", "phone": "13800000001", "relation": "child"},
        }
    )


class Confirmation(Body):
    """What the operator found out; what is left out stays as the request says."""

    elder_id: UUID | None = None
    item_code: ItemCode | None = None
    wanted: Wanted | None = None
    urgency: Urgency | None = None
    minutes: Minutes | None = None
    note: Note | None = None

    model_config = _examples({}, {"elder_id": EXAMPLE_ELDER, "item_code": "meal_delivery"})


class Rejection(Body):
    reason: Line

    model_config = _examples({"reason": "不在服务区域内，已告知属地热线"})


class Merge(Body):
    into: UUID

    model_config = _examples({"into": EXAMPLE_REQUEST})


class Answer(Body):
    answer: Text

    model_config = _examples({"answer": "高龄津贴由户籍所在街道办理，带身份证和户口簿"})


class Classification(Body):
    kind: Kind

    model_config = _examples({"kind": "consultation"})


class RequestReveal(Body):
    fields: Annotated[list[Literal["caller_phone", "address", "elder_words"]], Field(min_length=1, max_length=3)]
    reason: Line

    model_config = _examples({"fields": ["caller_phone"], "reason": "回电核实服务时间"})


class QuoteBody(Body):
    elder_id: UUID
    item_code: ItemCode
    starts_at: Instant
    minutes: Minutes | None = None

    model_config = _examples(
        {"elder_id": EXAMPLE_ELDER, "item_code": "bath_home", "starts_at": "2026-11-24T09:00:00+08:00"}
    )


class CallbackResult(Body):
    """`no_answer` keeps the task due for another try."""

    result: Literal["reached", "no_answer", "wrong_number", "number_withheld", "called_again"]
    note: Note | None = None

    model_config = _examples({"result": "reached", "note": "想订午餐，已登记"})


class PersonView(View):
    id: UUID
    name: str


class RequesterView(View):
    name: str | None = None
    phone: str | None = None
    """Masked."""
    relation: str | None = None


class WindowView(View):
    from_: Annotated[datetime | None, Field(alias="from")] = None
    to: datetime | None = None

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class DuplicateView(View):
    """An open request or order that may be the same wish; `reasons` strongest first."""

    what: Literal["request", "order"]
    id: UUID
    number: str | None = None
    kind: str
    item_code: str | None = None
    status: str
    wanted_from: datetime | None = None
    created_at: datetime
    reasons: list[str]


class CareRequestView(View):
    id: UUID
    channel: str
    kind: str
    status: str
    urgency: str
    elder: PersonView | None = None
    described_elder: bool = False
    caller: RequesterView
    item_code: str | None = None
    wanted: Literal["asap"] | WindowView
    minutes: int | None = None
    note: str | None = None
    division: str | None = None
    about_order_id: UUID | None = None
    order_id: UUID | None = None
    merged_into: UUID | None = None
    answer: str | None = None
    reason: str | None = None
    missing: list[str]
    next: list[Status]
    call_id: UUID | None = None
    taken_by: str
    created_at: datetime
    updated_at: datetime
    version: int


class TakenView(CareRequestView):
    """With what an operator should look at before going on."""

    duplicates: list[DuplicateView]
    suggested_elders: list[PersonView]
    """Who may be meant, by the caller's number; a number is not an identity."""


class RevealedView(View):
    caller_phone: str | None = None
    address: str | None = None
    elder_words: ElderWords | None = None


class OwnRequestView(View):
    """A request as whoever made it from outside sees it."""

    id: UUID
    external_id: str | None = None
    kind: str
    status: str
    elder_id: UUID | None = None
    item_code: str | None = None
    order_id: UUID | None = None
    answer: str | None = None
    created_at: datetime


class QuotePayerView(View):
    payer: str
    scheme: str | None = None
    amount_fen: int
    reason: str


class QuoteView(View):
    price_fen: int
    minutes: int
    payers: list[QuotePayerView]
    copay_fen: int
    quota_after: int | None = None
    """Fen left of the month's quotas after this service; null when the elder has none."""
    warnings: list[str]


class FamilyElderView(View):
    id: UUID
    name: str
    relation: str


class CallbackView(View):
    id: UUID
    call_id: UUID
    reason: str
    status: str
    phone: str | None = None
    """Masked in lists, plain for the operator who opens the task."""
    due_at: datetime
    late: bool
    result: str | None = None
    note: str | None = None
    done_at: datetime | None = None
    done_by: str | None = None
