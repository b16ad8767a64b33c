"""Tables of dispatch. The booking's exclusion constraint is the rule against double booking."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Identity, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSTZRANGE, ExcludeConstraint
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class Offer(Base):
    """派单: an order put before one provider, with a deadline and a suggested caregiver."""

    __tablename__ = "offer"
    __table_args__ = (
        CheckConstraint("status IN ('offered','accepted','refused','expired','withdrawn')", name="status"),
        CheckConstraint("mode IN ('auto','manual')", name="mode"),
        Index("ix_offer_one_open", "order_id", unique=True, postgresql_where=text("status = 'offered'")),
        Index(None, "order_id"),
        Index("ix_offer_waiting", "deadline_at", postgresql_where=text("status = 'offered'")),
        Index("ix_offer_load", "provider_id", "service_day", postgresql_where=text("status IN ('offered','accepted')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
    decision_id: Mapped[UUID]
    mode: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(Text)
    service_day: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[datetime] = mapped_column(Time)
    made_at: Mapped[datetime] = mapped_column(Time)
    deadline_at: Mapped[datetime] = mapped_column(Time)
    closed_at: Mapped[datetime | None] = mapped_column(Time)
    reason_code: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class Booking(Base):
    """A caregiver's time, travel included. Two live bookings of one caregiver cannot overlap."""

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint("status IN ('held','booked','released')", name="status"),
        ExcludeConstraint(
            ("caregiver_id", "="),
            ("during", "&&"),
            name="ex_booking_caregiver_during",
            using="gist",
            where=text("status <> 'released'"),
        ),
        Index(None, "order_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
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
    made_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    weights_version: Mapped[int | None] = mapped_column(Integer)
    starts_at: Mapped[datetime] = mapped_column(Time)
    excluded: Mapped[list[UUID]] = mapped_column(ARRAY(PgUuid(as_uuid=True)))
    funnel: Mapped[Any] = mapped_column(JSONB)
    ranked: Mapped[Any] = mapped_column(JSONB)
    chosen_caregiver_id: Mapped[UUID | None]
    chosen_provider_id: Mapped[UUID | None]
    made_at: Mapped[datetime] = mapped_column(Time)


class DispatchWeights(Base):
    """Weights of the service objectives, per division and urgency; the newest row in force counts."""

    __tablename__ = "dispatch_weights"
    __table_args__ = (
        CheckConstraint("urgency IN ('any','emergency','urgent','normal','appointment')", name="urgency"),
    )

    version: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    division_code: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    weights: Mapped[Any] = mapped_column(JSONB)
    valid_from: Mapped[date]


class BlockedPair(Base):
    """These two shall not meet; either side may have asked for it."""

    __tablename__ = "blocked_pair"

    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"), primary_key=True)
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"), primary_key=True)
    asked_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Time)
