"""What the doors of settlement take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.text import Body, Line, View, Word

Period = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="Month in Asia/Shanghai")]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
Fen = Annotated[int, Field(ge=-(10**12), le=10**12)]


def _example(**value: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [value]})


class RunBody(Body):
    model_config = _example(period="2026-09")
    period: Period
    provider_id: UUID | None = None


class IssueBody(Body):
    model_config = _example(early=False)
    early: bool = Field(default=False, description="Issue although the month has not ended")


class ObjectionBody(Body):
    line_id: UUID
    reason: Line
    evidence: list[Line] = Field(default_factory=list, max_length=20)


class DisputeBody(Body):
    model_config = _example(
        lines=[{"line_id": "019a0000-0000-7000-8000-000000000001", "reason": "实际服务 60 分钟", "evidence": []}]
    )
    lines: list[ObjectionBody] = Field(min_length=1, max_length=500)


class DecisionBody(Body):
    model_config = _example(upheld=True, amount_fen=1500, note="核对签到记录后补付")
    upheld: bool
    amount_fen: Fen = Field(default=0, description="What an upheld objection changes about the line, signed")
    note: Line


class PaymentBody(Body):
    model_config = _example(reference="20261012-0001")
    reference: Word


class AdjustmentBody(Body):
    model_config = _example(
        line_id="019a0000-0000-7000-8000-000000000001", amount_fen=-500, reason="回访核实服务未达标准"
    )
    line_id: UUID
    amount_fen: Fen
    reason: Line


class HoldbackReleaseBody(Body):
    model_config = _example(reason="年度考核合格")
    amount_fen: Annotated[int, Field(ge=1, le=10**12)] | None = Field(default=None, description="All when left out")
    reason: Line


class BandBody(Body):
    min_score: int = Field(ge=1, le=5)
    bp: BasisPoints


class LateStepBody(Body):
    over_minutes: int = Field(ge=0, le=1440)
    bp: BasisPoints


class ContractBody(Body):
    model_config = _example(
        provider_id="019a0000-0000-7000-8000-000000000001",
        division_code="620300",
        valid_from="2026-01-01",
        bands=[{"min_score": 4, "bp": 10_000}, {"min_score": 3, "bp": 9_000}, {"min_score": 1, "bp": 7_000}],
        unrated_bp=10_000,
        late=[{"over_minutes": 30, "bp": 500}],
        complaint_bp=2_000,
        partly_visit_bp=5_000,
        holdback_bp=500,
        confirm_days=7,
    )
    provider_id: UUID
    division_code: str = Field(pattern=r"^\d{6}(\d{3}){0,2}$")
    valid_from: date
    valid_to: date | None = None
    bands: list[BandBody] = Field(min_length=1, max_length=5)
    unrated_bp: BasisPoints
    late: list[LateStepBody] = Field(default_factory=list, max_length=10)
    complaint_bp: BasisPoints = 0
    partly_visit_bp: BasisPoints
    holdback_bp: BasisPoints = 0
    confirm_days: int = Field(ge=0, le=90)


class ContractView(View):
    id: UUID
    provider_id: UUID
    division_code: str
    valid_from: date
    valid_to: date | None
    bands: list[list[int]]
    unrated_bp: int
    late_steps: list[list[int]]
    complaint_bp: int
    partly_visit_bp: int
    holdback_bp: int
    confirm_days: int


class StatementView(View):
    """`held_fen` waits for decisions on objections; the payment is `due_fen` without it."""

    id: UUID
    number: str
    provider_id: UUID
    provider_name: str
    period: str
    division_code: str
    status: str
    version: int
    lines: int
    gross_fen: int
    quality_fen: int
    penalty_fen: int
    adjustment_fen: int
    payable_fen: int
    copay_fen: int
    holdback_fen: int
    due_fen: int
    held_fen: int
    content_hash: str
    issued_at: datetime | None = None
    confirm_by: datetime | None = None
    confirmed_at: datetime | None = None
    reviewed_at: datetime | None = None
    approved_at: datetime | None = None
    paid_at: datetime | None = None
    paid_fen: int | None = None
    payment_reference: str | None = None
    next_acts: list[str]


class DisputeView(View):
    id: UUID
    reason: str
    evidence: list[str]
    decision: Literal["upheld", "rejected"] | None = None
    decision_note: str | None = None


class LineView(View):
    """`late` lines are services of an earlier month. `inputs` are what the amounts were computed from."""

    id: UUID
    position: int
    kind: Literal["service", "adjustment"]
    order_id: UUID | None = None
    service_period: str
    late: bool
    inputs: dict[str, Any]
    gross_fen: int
    coefficient_bp: int
    quality_fen: int
    penalty_fen: int
    payable_fen: int
    copay_fen: int
    holdback_fen: int
    due_fen: int
    parts: list[dict[str, Any]]
    dispute: DisputeView | None = None


class StatementDetail(StatementView):
    items: list[LineView]
    next_cursor: str | None = None


class RunView(View):
    id: UUID
    period: str
    provider_id: UUID | None = None
    state: str
    fence_at: datetime
    content_hash: str
    statements: list[StatementView]


class UnsettledView(View):
    """`next_period`: nothing is wrong, but this month's statement of the provider is out already."""

    order_id: UUID
    number: str
    provider_id: UUID
    service_day: date
    reasons: list[str]


class RecomputationView(View):
    content_hash: str
    stored_hash: str
    same: bool
    differing: list[UUID]


class CreatedView(View):
    id: UUID


class AccountView(View):
    """`balance_fen` is debits less credits."""

    code: str
    name: str
    kind: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


class EntryView(View):
    id: UUID
    at: datetime
    side: Literal["debit", "credit"]
    amount_fen: int
    other_account: str
    reason: str
    statement_id: UUID
    statement_number: str
    line_id: UUID | None = None
