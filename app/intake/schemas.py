"""What is asked of intake; `schemas_views` has what it answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.core.text import Body, Instant, Line, Note, Word
from app.intake.requests import Channel, Kind, Urgency

EXAMPLE_ELDER = "0197a6c0-0000-7000-8000-000000000001"
EXAMPLE_REQUEST = "0197a6c0-0000-7000-8000-000000000002"

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


class AgreedQuote(Body):
    """What `POST /v1/family/quotes` said, and the family agreed to."""

    price_fen: Annotated[int, Field(ge=0, le=10**12)]
    copay_fen: Annotated[int, Field(ge=0, le=10**12)]


class FamilyRequestBody(Wish):
    """With `agreed` it is a booking: refused when it costs something else by now, and an order at once where the city
    lets families book directly; else the desk confirms."""

    elder_id: UUID
    order_id: UUID | None = None
    agreed: AgreedQuote | None = None

    model_config = _examples(
        {"elder_id": EXAMPLE_ELDER, "item_code": "bath_home", "wanted": "asap", "note": "周末最好"},
        {
            "elder_id": EXAMPLE_ELDER,
            "item_code": "bath_home",
            "wanted": {"from": "2026-11-24T09:00:00+08:00"},
            "agreed": {"price_fen": 12000, "copay_fen": 4000},
        },
    )

    @model_validator(mode="after")
    def _agreed_to_something(self) -> FamilyRequestBody:
        if self.agreed is not None and (self.kind is not Kind.SERVICE or self.item_code is None):
            raise ValueError("only a service item has a price to agree to")
        return self


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
    """`article_id` is the version of the article that the answer was given from, if there was one."""

    answer: Text
    article_id: UUID | None = None

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


class BookingRuleBody(Body):
    """`direct`: what a family books is an order at once."""

    division: Division
    valid_from: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]
    direct: bool
    reason: Line

    model_config = _examples(
        {"division": "620302", "valid_from": "2027-01-01", "direct": True, "reason": "金川区试行家属直接预约"}
    )
