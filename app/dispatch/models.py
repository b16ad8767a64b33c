"""Tables of dispatch: offers, the ways they are made in, and when orders wait for each other."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    column,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class Offer(Base):
    """派单: an order put before one provider, with a deadline and suggested caregivers.

    One offer of an order is open at a time, unless it is to be grabbed; one is accepted, whatever the mode.
    """

    __tablename__ = "offer"
    __table_args__ = (
        CheckConstraint("status IN ('offered','accepted','refused','expired','withdrawn')", name="status"),
        CheckConstraint("mode IN ('ranked','grab','fixed','manual','round')", name="mode"),
        CheckConstraint("delivery IN ('queued','sent','fetched','expired')", name="delivery"),
        CheckConstraint("second_caregiver_id <> caregiver_id", name="two_caregivers"),
        Index(
            "ix_offer_one_open",
            "order_id",
            unique=True,
            postgresql_where=text("status = 'offered' AND mode <> 'grab'"),
        ),
        Index("ix_offer_one_accepted", "order_id", unique=True, postgresql_where=text("status = 'accepted'")),
        Index(
            "ix_offer_sent",
            "provider_id",
            postgresql_where=text("status = 'offered' AND delivery = 'sent'"),
        ),
        Index(None, "order_id"),
        Index("ix_offer_waiting", "deadline_at", postgresql_where=text("status = 'offered'")),
        Index("ix_offer_load", "provider_id", "service_day", postgresql_where=text("status IN ('offered','accepted')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
    second_caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
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
    delivery: Mapped[str] = mapped_column(Text)
    """On its way to the provider's system; `made_at` is when it was queued."""
    sent_at: Mapped[datetime | None] = mapped_column(Time)
    fetched_at: Mapped[datetime | None] = mapped_column(Time)
    fed_txid: Mapped[int | None] = mapped_column(BigInteger)
    fed_id: Mapped[int | None] = mapped_column(BigInteger)
    """Where it stands in the feed: a reader that asks for what comes after has it."""


class DispatchMode(Base):
    """Which way orders are offered, per division, service item and urgency; the newest row in force counts.

    `item_code` and `urgency` may be "any". `breadth` is how many providers are asked at once to grab.
    """

    __tablename__ = "dispatch_mode"
    __table_args__ = (
        CheckConstraint("mode IN ('ranked','grab','fixed')", name="mode"),
        CheckConstraint("urgency IN ('any','emergency','urgent','normal','appointment')", name="urgency"),
        CheckConstraint("(mode = 'grab') = (breadth IS NOT NULL) AND breadth BETWEEN 2 AND 10", name="breadth"),
    )

    version: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    division_code: Mapped[str] = mapped_column(Text)
    item_code: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    breadth: Mapped[int | None] = mapped_column(SmallInteger)
    valid_from: Mapped[date]
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)
    reason: Mapped[str] = mapped_column(Text)


class FixedProvider(Base):
    """A contract by which one provider serves a division, an item or a scheme ("any" for all); both days included."""

    __tablename__ = "fixed_provider"
    __table_args__ = (
        CheckConstraint("valid_to >= valid_from", name="valid"),
        ExcludeConstraint(
            (column("division_code"), "="),
            (column("item_code"), "="),
            (column("scheme_code"), "="),
            (func.daterange(column("valid_from"), column("valid_to"), text("'[]'")), "&&"),
            using="gist",
            name="ex_fixed_provider_overlap",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    division_code: Mapped[str] = mapped_column(Text)
    item_code: Mapped[str] = mapped_column(Text)
    scheme_code: Mapped[str] = mapped_column(Text)
    contract_number: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)


class Scarcity(Base):
    """How many orders there are for one free caregiver, per service item and district, and whether they wait."""

    __tablename__ = "scarcity"

    division_code: Mapped[str] = mapped_column(Text, primary_key=True)
    item_code: Mapped[str] = mapped_column(Text, primary_key=True)
    pressure: Mapped[float] = mapped_column(Float)
    batching: Mapped[bool] = mapped_column(Boolean)
    measured_at: Mapped[datetime] = mapped_column(Time)


class BatchSwitch(Base):
    """From which pressure on orders wait for each other, and how long; the newest row in force counts."""

    __tablename__ = "batch_switch"
    __table_args__ = (CheckConstraint("opens >= closes AND closes >= 0 AND longest_wait >= 0", name="sense"),)

    version: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    division_code: Mapped[str] = mapped_column(Text)
    opens: Mapped[float] = mapped_column(Float)
    closes: Mapped[float] = mapped_column(Float)
    longest_wait: Mapped[int] = mapped_column(Integer)
    valid_from: Mapped[date] = mapped_column(Date)
