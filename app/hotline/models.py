"""Tables of `hotline`. Numbers and notes are sealed; the row's own id is authenticated with them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Instant = TIMESTAMP(timezone=True)
_OPEN = text("until_at IS NULL")


class OperatorPresence(Base):
    """An operator in one state at one extension, from when until when. Without an open row they are away."""

    __tablename__ = "operator_presence"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'paused', 'wrap_up')", name="state"),
        CheckConstraint("until_at >= from_at", name="span"),
        Index("uq_operator_presence_staff", "staff_id", unique=True, postgresql_where=_OPEN),
        Index("uq_operator_presence_extension", "extension", unique=True, postgresql_where=_OPEN),
        Index(None, "extension", "from_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    extension: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    from_at: Mapped[datetime] = mapped_column(Instant)
    until_at: Mapped[datetime | None] = mapped_column(Instant)


class OrderViewer(Base):
    """Somebody has an order before them, as of `seen_at`; their page says so again and again while it is open."""

    __tablename__ = "order_viewer"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"), primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant)


class Dial(Base):
    """A number an operator wants to be connected with. Taken by the exchange's bridge at most once."""

    __tablename__ = "dial"
    __table_args__ = (
        CheckConstraint("status IN ('requested', 'taken', 'started', 'failed', 'expired')", name="status"),
        Index(None, "requested_at", postgresql_where=text("status IN ('requested', 'taken')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    extension: Mapped[str] = mapped_column(Text)
    number: Mapped[bytes] = mapped_column(LargeBinary)
    about: Mapped[str] = mapped_column(Text)
    about_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(Text)


class RecordingSource(Base):
    """Where one exchange's recordings may be fetched from, and how long they are kept."""

    __tablename__ = "recording_source"
    __table_args__ = (CheckConstraint("keep_days > 0", name="keep"),)

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    source_instance: Mapped[str] = mapped_column(Text, primary_key=True)
    bases: Mapped[list[str]] = mapped_column(JSONB)
    keep_days: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class Recording(Base):
    """A recording of a call: fetched once, hashed, kept sealed in a file, forgotten in time."""

    __tablename__ = "recording"
    __table_args__ = (
        UniqueConstraint("call_id", "reference"),
        CheckConstraint("status IN ('due', 'kept', 'refused', 'missing', 'forgotten')", name="status"),
        CheckConstraint("(status = 'kept') = (file_name IS NOT NULL)", name="file"),
        Index(None, "keep_until", postgresql_where=text("status = 'kept'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"))
    reference: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    file_name: Mapped[str | None] = mapped_column(Text)
    media_type: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int | None] = mapped_column(Integer)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    keep_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)


class NuisanceNumber(Base):
    """A number whose calls are no calls for help: proposed by one person, listed by another, for a while.

    A hint for whoever answers. It stops no call.
    """

    __tablename__ = "nuisance_number"
    __table_args__ = (
        CheckConstraint("status IN ('proposed', 'listed', 'declined', 'lifted')", name="status"),
        CheckConstraint("decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("status <> 'listed' OR valid_until IS NOT NULL", name="until"),
        Index(
            "uq_nuisance_number_phone", "phone_index", unique=True,
            postgresql_where=text("status IN ('proposed', 'listed')"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"))
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    valid_until: Mapped[date | None]


class ScoreSheet(Base):
    """A version of the sheet that calls are judged by; the newest whose day has come is used."""

    __tablename__ = "score_sheet"

    valid_from: Mapped[date] = mapped_column(primary_key=True)
    items: Mapped[list[Any]] = mapped_column(JSONB)


class CallCheck(Base):
    """Somebody has listened to a call and judged it."""

    __tablename__ = "call_check"
    __table_args__ = (
        CheckConstraint("total BETWEEN 0 AND 100", name="total"),
        CheckConstraint("checked_by <> agent_staff_id", name="two_persons"),
        UniqueConstraint("call_id"),
        Index(None, "agent", "checked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"))
    agent: Mapped[str | None] = mapped_column(Text)
    agent_staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    """Who sat at the extension when the call was answered, as far as presence says."""
    sheet_from: Mapped[date] = mapped_column(ForeignKey("score_sheet.valid_from"))
    points: Mapped[dict[str, int]] = mapped_column(JSONB)
    total: Mapped[int] = mapped_column(Integer)
    missed: Mapped[list[str]] = mapped_column(JSONB)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    checked_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    checked_at: Mapped[datetime] = mapped_column(Instant)
