"""Tables of matching that hold the truth. The booking's exclusion constraint is the rule against double booking."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, SmallInteger, Text, column, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSTZRANGE, ExcludeConstraint
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class Booking(Base):
    """A caregiver's time, travel included. Two live bookings of one caregiver cannot overlap.

    An order has one live booking for its lead and, where two come together, one for the second.
    """

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint("status IN ('held','booked','released')", name="status"),
        CheckConstraint("role IN ('lead','second')", name="role"),
        ExcludeConstraint(
            ("caregiver_id", "="),
            ("during", "&&"),
            name="ex_booking_caregiver_during",
            using="gist",
            where=text("status <> 'released'"),
        ),
        Index("ix_booking_one_live", "order_id", "role", unique=True, postgresql_where=text("status <> 'released'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
    role: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    during: Mapped[Any] = mapped_column(TSTZRANGE)
    starts_at: Mapped[datetime] = mapped_column(Time)
    minutes: Mapped[int] = mapped_column(Integer)
    made_at: Mapped[datetime] = mapped_column(Time)


class Decision(Base):
    """Why this caregiver: what was asked, who was ranked with which points, who was refused by which rule."""

    __tablename__ = "decision"
    __table_args__ = (Index(None, "order_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
    mode: Mapped[str] = mapped_column(Text)
    mode_version: Mapped[int | None] = mapped_column(Integer)
    """The rule of `dispatch_mode` that chose the mode; null for the default."""
    made_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    weights_version: Mapped[int | None] = mapped_column(Integer)
    starts_at: Mapped[datetime] = mapped_column(Time)
    excluded: Mapped[list[UUID]] = mapped_column(ARRAY(PgUuid(as_uuid=True)))
    funnel: Mapped[Any] = mapped_column(JSONB)
    ranked: Mapped[Any] = mapped_column(JSONB)
    chosen_caregiver_id: Mapped[UUID | None]
    chosen_second_id: Mapped[UUID | None]
    chosen_provider_id: Mapped[UUID | None]
    made_at: Mapped[datetime] = mapped_column(Time)


class DispatchWeights(Base):
    """Weights of the service objectives by service type, division and urgency. A row never changes; the newest one in
    force counts."""

    __tablename__ = "dispatch_weights"
    __table_args__ = (
        CheckConstraint("urgency IN ('any','emergency','urgent','normal','appointment')", name="urgency"),
        CheckConstraint("max_travel_minutes BETWEEN 5 AND 240", name="max_travel"),
    )

    version: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    division_code: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    weights: Mapped[Any] = mapped_column(JSONB)
    valid_from: Mapped[date]
    service_type: Mapped[str] = mapped_column(Text)
    """An item's code, a category of items, or "any"."""
    max_travel_minutes: Mapped[int] = mapped_column(SmallInteger)
    """The work rule that goes with the weights: nobody is sent farther."""
    made_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)


class BlockedPair(Base):
    """These two shall not meet; either side may have asked for it."""

    __tablename__ = "blocked_pair"

    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"), primary_key=True)
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"), primary_key=True)
    asked_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Time)


class ContractShare(Base):
    """The part of a division's orders that a provider shall have by contract. `valid_to` is its last day."""

    __tablename__ = "contract_share"
    __table_args__ = (
        CheckConstraint("share_bp BETWEEN 0 AND 10000", name="share"),
        CheckConstraint("division_code ~ '^[0-9]{6}$'", name="division_code"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        ExcludeConstraint(
            (column("provider_id"), "="),
            (column("division_code"), "="),
            (func.daterange(column("valid_from"), column("valid_to"), column("'[]'", is_literal=True)), "&&"),
            using="gist",
            name="ex_contract_share_overlap",
        ),
        Index(None, "division_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    division_code: Mapped[str] = mapped_column(Text)
    share_bp: Mapped[int] = mapped_column(Integer)
    """Basis points: 2,500 is a quarter."""
    source: Mapped[str] = mapped_column(Text)
    """Which contract or decision says so."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)
