"""What intake answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.text import View
from app.intake.requests import Status
from app.intake.schemas import ElderWords

PROBLEM: dict[str, Any] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
}
NOT_THERE: dict[int | str, dict[str, Any]] = {
    404: {"description": "An elder, item or order that is not there, or not there for you", **PROBLEM}
}
"""For operations that name others in their body; those with an id in the path declare this anyway."""


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


class BindingView(View):
    """What to say to our WeChat account, letter by letter."""

    words: str
    expires_at: datetime


class CallbackView(View):
    """Either a call that did not reach us, or a message that did not reach them."""

    id: UUID
    call_id: UUID | None = None
    message_id: UUID | None = None
    reason: str
    status: str
    phone: str | None = None
    """Masked in lists, plain for the operator who opens the task."""
    words: str | None = None
    """What the message would have said, for the operator who opens the task."""
    due_at: datetime
    late: bool
    result: str | None = None
    note: str | None = None
    done_at: datetime | None = None
    done_by: str | None = None
