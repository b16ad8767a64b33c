"""Tables of `followup`."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Instant = TIMESTAMP(timezone=True)


class Followup(Base):
    """One finished order and how we learn what it was worth. `watching` rows pass by themselves unless rated."""

    __tablename__ = "followup"
    __table_args__ = (
        CheckConstraint("selection IN ('always', 'sampled', 'not_sampled')", name="selection"),
        CheckConstraint("status IN ('due', 'watching', 'closed')", name="status"),
        CheckConstraint("outcome IN ('reached', 'rated', 'refused', 'unreachable', 'passed')", name="outcome"),
        CheckConstraint("(status = 'closed') = (outcome IS NOT NULL)", name="outcome_when_closed"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
        Index(None, "elder_id", "provider_id"),
        Index("ix_followup_due", "next_call_at", "id", postgresql_where=text("status = 'due'")),
        Index("ix_followup_watching", "passes_at", postgresql_where=text("status = 'watching'")),
        Index(None, "division_code", "id"),
        Index(None, "due_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"), unique=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    division_code: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    selection: Mapped[str] = mapped_column(Text)
    selected_because: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    solved: Mapped[bool | None] = mapped_column(Boolean)
    due_at: Mapped[datetime] = mapped_column(Instant)
    next_call_at: Mapped[datetime | None] = mapped_column(Instant)
    """Not before this; never in the quiet hours."""
    passes_at: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(Integer)
    max_attempts: Mapped[int] = mapped_column(Integer)
    announced_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)


class FollowupAttempt(Base):
    """One call of the centre, whatever came of it. Append-only."""

    __tablename__ = "followup_attempt"
    __table_args__ = (
        CheckConstraint("outcome IN ('reached', 'no_answer', 'refused', 'wrong_number')", name="outcome"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
    )

    followup_id: Mapped[UUID] = mapped_column(ForeignKey("followup.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    quiet_hours: Mapped[bool] = mapped_column(Boolean)
    """The call was made in the quiet hours; kept visible, since the call has happened."""
    solved: Mapped[bool | None] = mapped_column(Boolean)
    score: Mapped[int | None] = mapped_column(SmallInteger)
    answers: Mapped[bytes | None] = mapped_column(LargeBinary)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)


class Rating(Base):
    """Somebody's word on an order. The first one of an order counts; the others are history."""

    __tablename__ = "rating"
    __table_args__ = (
        CheckConstraint("source IN ('call', 'family')", name="source"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        Index("uq_rating_counts", "order_id", unique=True, postgresql_where=text("counts")),
        Index(
            "uq_rating_first_of_source",
            "order_id",
            "source",
            unique=True,
            postgresql_where=text("first_of_source"),
        ),
        Index(None, "order_id"),
        Index(None, "provider_id", "at"),
        Index(None, "caregiver_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
    source: Mapped[str] = mapped_column(Text)
    score: Mapped[int] = mapped_column(SmallInteger)
    solved: Mapped[bool | None] = mapped_column(Boolean)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    comment: Mapped[bytes | None] = mapped_column(LargeBinary)
    counts: Mapped[bool] = mapped_column(Boolean)
    first_of_source: Mapped[bool] = mapped_column(Boolean)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class Complaint(Base):
    """投诉. While one is open its order is flagged and cannot be settled."""

    __tablename__ = "complaint"
    __table_args__ = (
        CheckConstraint("source IN ('call', 'family', 'desk', 'request')", name="source"),
        CheckConstraint("status IN ('open', 'replied', 'decided')", name="status"),
        CheckConstraint("upheld IN ('full', 'partly', 'no')", name="upheld"),
        CheckConstraint("(status = 'decided') = (upheld IS NOT NULL)", name="upheld_when_decided"),
        CheckConstraint("urgency IN ('emergency', 'urgent', 'normal', 'appointment')", name="urgency"),
        Index(
            "uq_complaint_open_order",
            "order_id",
            unique=True,
            postgresql_where=text("status <> 'decided'"),
        ),
        Index(None, "order_id"),
        Index(None, "elder_id"),
        Index(None, "provider_id", "opened_at"),
        Index(None, "division_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    elder_id: Mapped[UUID | None] = mapped_column(ForeignKey("elder.id"))
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    division_code: Mapped[str | None] = mapped_column(Text)
    """Null when nobody knows yet whom the complaint is about: every desk sees it then."""
    care_request_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_request.id"), unique=True)
    """The request it came in with, if it was not found out by ourselves."""
    urgency: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    reason_code: Mapped[str] = mapped_column(Text)
    detail: Mapped[bytes | None] = mapped_column(LargeBinary)
    rating_id: Mapped[UUID | None] = mapped_column(ForeignKey("rating.id"))
    status: Mapped[str] = mapped_column(Text)
    reply_due_at: Mapped[datetime] = mapped_column(Instant)
    close_due_at: Mapped[datetime] = mapped_column(Instant)
    replied_at: Mapped[datetime | None] = mapped_column(Instant)
    reply: Mapped[bytes | None] = mapped_column(LargeBinary)
    upheld: Mapped[str | None] = mapped_column(Text)
    measures: Mapped[bytes | None] = mapped_column(LargeBinary)
    rework_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    opened_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)


class FollowupRule(Base):
    """How often and how long: figures of a division and an urgency, from a day on.

    Sampling is in basis points; a complaint's clock runs in hours or in working days, whichever is given.
    """

    __tablename__ = "followup_rule"
    __table_args__ = (
        UniqueConstraint("division_code", "urgency", "valid_from"),
        CheckConstraint("sample_bp BETWEEN 0 AND 10000", name="sample_bp"),
        CheckConstraint("urgency IN ('emergency', 'urgent', 'normal', 'appointment')", name="urgency"),
        CheckConstraint("(reply_hours IS NULL) <> (reply_working_days IS NULL)", name="reply_clock"),
        CheckConstraint("(close_hours IS NULL) <> (close_working_days IS NULL)", name="close_clock"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    always: Mapped[bool] = mapped_column(Boolean)
    sample_bp: Mapped[int] = mapped_column(Integer)
    pass_hours: Mapped[int] = mapped_column(Integer)
    max_attempts: Mapped[int] = mapped_column(Integer)
    reply_hours: Mapped[int | None] = mapped_column(Integer)
    reply_working_days: Mapped[int | None] = mapped_column(Integer)
    close_hours: Mapped[int | None] = mapped_column(Integer)
    close_working_days: Mapped[int | None] = mapped_column(Integer)
