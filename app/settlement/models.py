"""Tables of settlement. Constraints carry the promises: one order in one line, two people for one approval,
every transfer balanced by naming both of its accounts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class Contract(Base):
    """The terms between the city and a provider in a division. Never edited: a change is a new row.

    `bands` is `[[min_score, basis points], …]`, `late_steps` is `[[over minutes, basis points], …]`.
    """

    __tablename__ = "contract"
    __table_args__ = (
        CheckConstraint("valid_to >= valid_from", name="validity"),
        CheckConstraint(
            "unrated_bp BETWEEN 0 AND 10000 AND complaint_bp BETWEEN 0 AND 10000 "
            "AND partly_visit_bp BETWEEN 0 AND 10000 AND holdback_bp BETWEEN 0 AND 10000",
            name="basis_points",
        ),
        CheckConstraint("confirm_days >= 0", name="confirm_days"),
        ExcludeConstraint(
            ("provider_id", "="),
            ("division_code", "="),
            (text("daterange(valid_from, valid_to, '[]')"), "&&"),
            name="ex_contract_one_at_a_time",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    division_code: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The last day on which it holds."""
    bands: Mapped[Any] = mapped_column(JSONB)
    unrated_bp: Mapped[int] = mapped_column(Integer)
    late_steps: Mapped[Any] = mapped_column(JSONB)
    complaint_bp: Mapped[int] = mapped_column(Integer)
    partly_visit_bp: Mapped[int] = mapped_column(Integer)
    holdback_bp: Mapped[int] = mapped_column(Integer)
    confirm_days: Mapped[int] = mapped_column(Integer)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Time)


class SettlementRun(Base):
    """The settlement of a period, for all providers or for one. Running it again changes drafts only."""

    __tablename__ = "settlement_run"
    __table_args__ = (
        CheckConstraint("state IN ('running','done')", name="state"),
        CheckConstraint("period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="period"),
        Index(
            "uq_settlement_run_period_provider_id",
            "period",
            "provider_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(Text)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    state: Mapped[str] = mapped_column(Text)
    started_by: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Time)
    fence_at: Mapped[datetime] = mapped_column(Time)
    """What was known at this moment went in; later ratings become adjustments once the statement is issued."""
    content_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SHA-256 over the content hashes of its statements, in the order of their numbers."""


class Statement(Base):
    """What one provider is paid for one month 结算单. `version` counts changes of state (ETag)."""

    __tablename__ = "statement"
    __table_args__ = (
        CheckConstraint(
            "status IN ('draft','issued','confirmed','disputed','reviewed','approved','paid','void')", name="status"
        ),
        CheckConstraint("period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="period"),
        CheckConstraint(
            "approved_by <> reviewed_by AND approved_by <> created_by AND approved_by <> refreshed_by "
            "AND approved_by <> issued_by",
            name="two_people",
        ),
        CheckConstraint(
            "payable_fen = gross_fen - quality_fen - penalty_fen + adjustment_fen "
            "AND due_fen = payable_fen - copay_fen - holdback_fen",
            name="sums",
        ),
        CheckConstraint("paid_fen >= 0", name="paid"),
        Index(
            "uq_statement_provider_period",
            "provider_id",
            "period",
            unique=True,
            postgresql_where=text("status <> 'void'"),
        ),
        Index(None, "period", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    period: Mapped[str] = mapped_column(Text)
    division_code: Mapped[str] = mapped_column(Text)
    """The smallest division that contains those of its contracts; who covers it may see it."""
    status: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    lines: Mapped[int] = mapped_column(Integer)
    gross_fen: Mapped[int] = mapped_column(BigInteger)
    quality_fen: Mapped[int] = mapped_column(BigInteger)
    penalty_fen: Mapped[int] = mapped_column(BigInteger)
    adjustment_fen: Mapped[int] = mapped_column(BigInteger)
    payable_fen: Mapped[int] = mapped_column(BigInteger)
    copay_fen: Mapped[int] = mapped_column(BigInteger)
    holdback_fen: Mapped[int] = mapped_column(BigInteger)
    due_fen: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Time)
    refreshed_by: Mapped[str] = mapped_column(Text)
    """Whose run last computed the draft."""
    fence_at: Mapped[datetime] = mapped_column(Time)
    issued_by: Mapped[str | None] = mapped_column(Text)
    issued_at: Mapped[datetime | None] = mapped_column(Time)
    confirm_by: Mapped[datetime | None] = mapped_column(Time)
    """Until when the provider may answer; silence counts as consent after that."""
    confirmed_by: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None] = mapped_column(Time)
    reviewed_by: Mapped[str | None] = mapped_column(Text)
    reviewed_at: Mapped[datetime | None] = mapped_column(Time)
    approved_by: Mapped[str | None] = mapped_column(Text)
    approved_at: Mapped[datetime | None] = mapped_column(Time)
    paid_by: Mapped[str | None] = mapped_column(Text)
    paid_at: Mapped[datetime | None] = mapped_column(Time)
    paid_fen: Mapped[int | None] = mapped_column(BigInteger)
    """What was transferred: `due_fen` without disputed lines, never below zero."""
    payment_reference: Mapped[str | None] = mapped_column(Text)


class Adjustment(Base):
    """A correction of something settled, waiting for the next open period. Never edited, never deleted."""

    __tablename__ = "adjustment"
    __table_args__ = (
        CheckConstraint(
            "source_kind IN ('manual','rating','complaint','dispute','carried','holdback')", name="source_kind"
        ),
        CheckConstraint("target_period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="target_period"),
        Index("uq_adjustment_source", "source_kind", "source_id", unique=True),
        Index(None, "provider_id", "target_period"),
        Index(None, "order_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    target_period: Mapped[str] = mapped_column(Text)
    source_kind: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str] = mapped_column(Text)
    """What caused it, once: the same late rating or the same dispute adjusts one time."""
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    parts: Mapped[Any] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Time)


class StatementLine(Base):
    """One order, or one adjustment, with everything its amounts were computed from."""

    __tablename__ = "statement_line"
    __table_args__ = (
        CheckConstraint("kind IN ('service','adjustment')", name="kind"),
        CheckConstraint("(kind = 'service') = (adjustment_id IS NULL)", name="adjustment"),
        CheckConstraint("kind = 'adjustment' OR order_id IS NOT NULL", name="order"),
        CheckConstraint(
            "kind = 'adjustment' OR (payable_fen = gross_fen - quality_fen - penalty_fen AND gross_fen >= 0 "
            "AND quality_fen >= 0 AND penalty_fen >= 0 AND copay_fen >= 0 AND holdback_fen >= 0 AND due_fen >= 0)",
            name="service_amounts",
        ),
        CheckConstraint("due_fen = payable_fen - copay_fen - holdback_fen", name="due"),
        Index(
            "uq_statement_line_order_once",
            "order_id",
            unique=True,
            postgresql_where=text("kind = 'service' AND NOT void"),
        ),
        Index(
            "uq_statement_line_adjustment_once",
            "adjustment_id",
            unique=True,
            postgresql_where=text("kind = 'adjustment' AND NOT void"),
        ),
        Index("uq_statement_line_position", "statement_id", "position", unique=True),
        Index(
            "ix_statement_line_service",
            "service_period",
            "order_id",
            postgresql_where=text("kind = 'service' AND NOT void"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("statement.id"))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    adjustment_id: Mapped[UUID | None] = mapped_column(ForeignKey("adjustment.id"))
    void: Mapped[bool] = mapped_column(Boolean)
    service_period: Mapped[str] = mapped_column(Text)
    """The month of the service; earlier than the statement's for a late line."""
    inputs: Mapped[Any] = mapped_column(JSONB)
    gross_fen: Mapped[int] = mapped_column(BigInteger)
    coefficient_bp: Mapped[int] = mapped_column(Integer)
    quality_fen: Mapped[int] = mapped_column(BigInteger)
    penalty_fen: Mapped[int] = mapped_column(BigInteger)
    payable_fen: Mapped[int] = mapped_column(BigInteger)
    copay_fen: Mapped[int] = mapped_column(BigInteger)
    holdback_fen: Mapped[int] = mapped_column(BigInteger)
    due_fen: Mapped[int] = mapped_column(BigInteger)
    parts: Mapped[Any] = mapped_column(JSONB)


class LineDispute(Base):
    """The provider's objection to a line. While undecided the line is not paid."""

    __tablename__ = "line_dispute"
    __table_args__ = (
        CheckConstraint("decision IN ('upheld','rejected')", name="decision"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        Index("uq_line_dispute_line_id", "line_id", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_line.id"))
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("statement.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[Any] = mapped_column(JSONB)
    raised_by: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(Time)
    held_fen: Mapped[int] = mapped_column(BigInteger)
    """What the payment leaves out until the decision."""
    decision: Mapped[str | None] = mapped_column(Text)
    decision_note: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Time)


class LedgerAccount(Base):
    """`payer:<name>` owes, `provider:<id>` and `holdback:<id>` are owed, `bank` is where payments leave."""

    __tablename__ = "ledger_account"
    __table_args__ = (CheckConstraint("kind IN ('payer','provider','holdback','bank')", name="kind"),)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)


class LedgerTransfer(Base):
    """One movement, balanced because it names both accounts. The application may insert and read, nothing else."""

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("debit_account <> credit_account", name="two_accounts"),
        CheckConstraint("reason IN ('service','copay','adjustment','payment')", name="reason"),
        Index(
            "uq_ledger_transfer_line",
            "line_id",
            "reason",
            "debit_account",
            "credit_account",
            unique=True,
            postgresql_where=text("line_id IS NOT NULL"),
        ),
        Index(
            "uq_ledger_transfer_payment",
            "statement_id",
            unique=True,
            postgresql_where=text("reason = 'payment'"),
        ),
        Index(None, "debit_account", "id"),
        Index(None, "credit_account", "id"),
        Index(None, "statement_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    debit_account: Mapped[str] = mapped_column(ForeignKey("ledger_account.code"))
    credit_account: Mapped[str] = mapped_column(ForeignKey("ledger_account.code"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("statement.id"))
    line_id: Mapped[UUID | None]
    """No foreign key: PostgreSQL checks one by locking rows here when a draft's lines are replaced, which takes the
    right to update the ledger. Lines with transfers are those of issued statements and are never deleted."""
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Time)
