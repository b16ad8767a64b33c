"""What callers, families and supervisors say after a visit, and what they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from app.core.text import Body, Line, Note, View, Word
from app.followup.calling import Answer

Score = Annotated[int, Field(ge=1, le=5, description="1 很不满意 … 5 很满意")]
Tags = Annotated[list[Word], Field(default_factory=list, max_length=10)]
Urgency = Literal["emergency", "urgent", "normal", "appointment"]


class QuestionAnswer(Body):
    question: Line
    answer: Line


class Attempt(Body):
    """One call. A score, an answer or `solved` need somebody who was reached."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "outcome": "reached",
                    "solved": True,
                    "score": 5,
                    "answers": [{"question": "服务人员是否准时到达", "answer": "是"}],
                    "note": "老人很满意",
                },
                {"outcome": "no_answer"},
            ]
        },
    )

    outcome: Answer
    solved: bool | None = None
    score: Score | None = None
    answers: Annotated[list[QuestionAnswer], Field(default_factory=list, max_length=30)]
    note: Note | None = None
    remedy: Literal["complaint", "rework"] = "complaint"
    """What a dissatisfied or unsolved answer leads to; rework is an unpaid order, and a complaint stays open."""

    @model_validator(mode="after")
    def _only_the_reached_answer(self) -> Attempt:
        if self.outcome is not Answer.REACHED and (self.score is not None or self.solved is not None or self.answers):
            raise ValueError("only somebody who was reached can answer")
        return self


class AttemptView(View):
    number: int
    at: datetime
    actor: str
    outcome: str
    quiet_hours: bool
    solved: bool | None = None
    score: int | None = None
    answers: list[QuestionAnswer]
    note: str | None = None


class FollowupView(View):
    """`own`: the reader took this order and may not ask how it went. `may_call`: not too early and not at night."""

    id: UUID
    order_id: UUID
    order_number: str
    item: str
    elder_id: UUID
    elder_name: str
    provider_id: UUID
    provider_name: str
    caregiver_name: str | None = None
    division: str
    urgency: str
    selection: str
    selected_because: str
    status: str
    outcome: str | None = None
    solved: bool | None = None
    due_at: datetime
    late: bool
    next_call_at: datetime | None = None
    passes_at: datetime | None = None
    may_call: bool
    own: bool
    attempts: int
    max_attempts: int
    completed_at: datetime | None = None
    closed_at: datetime | None = None
    version: int


class FollowupDetail(FollowupView):
    history: list[AttemptView]


class FamilyRating(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"score": 5, "tags": ["准时", "耐心"], "comment": "阿姨做事很仔细"}]},
    )

    score: Score
    tags: Tags
    comment: Note | None = None
    solved: bool | None = None


class RatingView(View):
    """`counts` is false for a word that came after the first: it is kept, but changes nothing."""

    rating_id: UUID
    score: int
    counts: bool
    complaint_id: UUID | None = None


class PartyWords(View):
    provider: str
    caregiver: str | None = None
    second_caregiver: str | None = None


class CostWords(View):
    payer: str
    amount_fen: int


Stage = Literal["waiting", "arranged", "on_the_way", "arrived", "left", "not_done", "cancelled"]


class FamilyOrder(View):
    """One order in plain words. What the elder has not consented to is null and named in `withheld`.

    `stage`: how far it has come. `photos`: how many were taken as proof, once it is over. `version` goes up with
    every change of the order.
    """

    number: str
    status: str
    status_words: str
    stage: Stage
    item: str | None = None
    wanted_from: datetime
    wanted_to: datetime | None = None
    who: PartyWords | None = None
    departed_at: datetime | None = None
    arrived_at: datetime | None = None
    began_at: datetime | None = None
    left_at: datetime | None = None
    minutes: int | None = None
    result_words: str | None = None
    photos: int | None = None
    price_fen: int | None = None
    copay_fen: int | None = None
    costs: list[CostWords] | None = None
    rating: int | None = None
    may_rate: bool
    complaint_open: bool
    withheld: list[str]
    version: int


class NewComplaint(Body):
    """About an order, or about an elder without one. Families name an order of an elder they are bound to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "order_id": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61",
                    "reason_code": "late_arrival",
                    "detail": "约好九点，十点半才到",
                    "urgency": "normal",
                }
            ]
        },
    )

    order_id: UUID | None = None
    elder_id: UUID | None = None
    reason_code: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]
    detail: Note | None = None
    urgency: Urgency = "normal"

    @model_validator(mode="after")
    def _about_something(self) -> NewComplaint:
        if self.order_id is None and self.elder_id is None:
            raise ValueError("name the order or the elder")
        return self


class Reply(Body):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "已向您致歉，三个工作日内给出处理结果"}]}
    )

    text: Line


class ComplaintDecision(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"upheld": "partly", "measures": "企业已道歉并补做卫生间清洁", "rework": False}]
        },
    )

    upheld: Literal["full", "partly", "no"]
    measures: Note
    rework: bool = False
    """Order the work again, unpaid."""


class ComplaintView(View):
    id: UUID
    order_id: UUID | None = None
    order_number: str | None = None
    elder_id: UUID | None = None
    elder_name: str | None = None
    provider_id: UUID | None = None
    provider_name: str | None = None
    division: str | None = None
    care_request_id: UUID | None = None
    urgency: str
    source: str
    reason_code: str
    detail: str | None = None
    status: str
    reply_due_at: datetime
    reply_late: bool
    close_due_at: datetime
    close_late: bool
    replied_at: datetime | None = None
    reply: str | None = None
    upheld: str | None = None
    measures: str | None = None
    rework_order_id: UUID | None = None
    opened_by: str
    opened_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    version: int
