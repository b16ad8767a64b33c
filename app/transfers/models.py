"""Transfers and the steps they took."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Instant = TIMESTAMP(timezone=True)


class Transfer(Base):
    """One ticket. Its division is its care request's; what is written in it is sealed."""

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("direction", "hotline", "their_number"),
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint(
            "direction = 'in' AND status IN ('received', 'accepted', 'replied', 'returned')"
            " OR direction = 'out' AND status IN ('sent', 'acknowledged', 'answered', 'returned')",
            name="status",
        ),
        CheckConstraint("direction = 'out' OR (their_number IS NOT NULL AND due_at IS NOT NULL)", name="in_has_number"),
        CheckConstraint("status <> 'acknowledged' OR their_number IS NOT NULL", name="acknowledged_has_number"),
        CheckConstraint("(status IN ('replied', 'answered')) = (reply IS NOT NULL)", name="replied_has_reply"),
        CheckConstraint("(status = 'returned') = (reason IS NOT NULL)", name="returned_has_reason"),
        Index("uq_transfer_in", "care_request_id", unique=True, postgresql_where=text("direction = 'in'")),
        Index(
            "uq_transfer_out_open",
            "care_request_id",
            unique=True,
            postgresql_where=text("status IN ('sent', 'acknowledged')"),
        ),
        Index(None, "care_request_id"),
        Index(
            "ix_transfer_open_due_at",
            "due_at",
            postgresql_where=text("status IN ('received', 'accepted', 'sent', 'acknowledged')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    direction: Mapped[str] = mapped_column(Text)
    hotline: Mapped[str] = mapped_column(Text)
    """The other side, as one dials it."""
    their_number: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    care_request_id: Mapped[UUID] = mapped_column(ForeignKey("care_request.id"))
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    """By when we reply to one that came in, or they to one that went out."""
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What we wrote to them."""
    reply: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Why it was returned."""
    overdue_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the desk was told that it is late."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)


class TransferStep(Base):
    """When a transfer got a status, and who gave it; each comes once."""

    __tablename__ = "transfer_step"
    __table_args__ = (UniqueConstraint("transfer_id", "status"),)

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(Text)
