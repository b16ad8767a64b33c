"""Tables of the spine. `order` is a reserved word in SQL, hence `care_order`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)

NUMBER_SEQUENCE = Sequence("care_order_number", maxvalue=9_999_999, cycle=True, metadata=Base.metadata)
"""The seven digits behind the day in an order's number; after the last one it begins anew."""


class CareOrder(Base):
    """One order 工单. Only `orders.service.advance` writes `status`."""

    __tablename__ = "care_order"
    __table_args__ = (
        CheckConstraint(
            "status IN ('placed','dispatched','accepted','assigned','in_service','completed','closed','cancelled')",
            name="status",
        ),
        CheckConstraint("outcome IN ('done','partly','not_done')", name="outcome"),
        CheckConstraint("urgency IN ('emergency','urgent','normal','appointment')", name="urgency"),
        CheckConstraint("delivery IN ('none','queued','sent','fetched','expired')", name="delivery"),
        CheckConstraint("price_fen >= 0 AND copay_fen >= 0 AND copay_fen <= price_fen", name="money"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint(
            "(status IN ('placed','dispatched','cancelled')) OR provider_id IS NOT NULL", name="provider_when_accepted"
        ),
        CheckConstraint(
            "status NOT IN ('assigned','in_service') OR caregiver_id IS NOT NULL",
            name="caregiver_when_assigned",
        ),
        CheckConstraint("second_caregiver_id <> caregiver_id", name="two_caregivers"),
        CheckConstraint("(completed_at IS NULL) = (status NOT IN ('completed','closed'))", name="completed_at"),
        Index(None, "elder_id", "id"),
        Index(None, "provider_id", "id"),
        Index(None, "updated_at", "id"),
        Index("ix_care_order_by_day", "wanted_from"),
        Index(None, "completed_at", "provider_id", "id", postgresql_where=text("completed_at IS NOT NULL")),
        Index(
            "ix_care_order_open",
            "division_code",
            "id",
            postgresql_where=text("status NOT IN ('closed','cancelled')"),
        ),
        Index(
            "ix_care_order_over",
            "division_code",
            "id",
            postgresql_where=text("status IN ('closed','cancelled')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    outcome_reason: Mapped[str | None] = mapped_column(Text)
    item_code: Mapped[str] = mapped_column(ForeignKey("service_item.code"))
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    division_code: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    care_request_id: Mapped[UUID | None] = mapped_column(index=True)
    requester_name: Mapped[str | None] = mapped_column(Text)
    requester_relation: Mapped[str | None] = mapped_column(Text)
    wanted_from: Mapped[datetime] = mapped_column(Time)
    wanted_to: Mapped[datetime | None] = mapped_column(Time)
    minutes: Mapped[int] = mapped_column(Integer)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    price_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("price_version.id"))
    payers: Mapped[Any] = mapped_column(JSONB)
    copay_fen: Mapped[int] = mapped_column(BigInteger)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
    """Who comes; of two, the lead, who proves the visit."""
    second_caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
    offer_id: Mapped[UUID | None]
    assigned_at: Mapped[datetime | None] = mapped_column(Time)
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    delivery: Mapped[str] = mapped_column(Text)
    rework_of: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    lng: Mapped[float | None] = mapped_column(Float)
    lat: Mapped[float | None] = mapped_column(Float)
    placed_by: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(Time)
    completed_at: Mapped[datetime | None] = mapped_column(Time)
    updated_at: Mapped[datetime] = mapped_column(Time)
    visit: Mapped[Any | None] = mapped_column(JSONB)
    """What the visit came to, told by `visits`: arrived_at, checked_in_at, checked_out_at, minutes, verification."""
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    version: Mapped[int] = mapped_column(Integer)


class OrderHistory(Base):
    """Every move of every order, append-only; replaying it gives the current status."""

    __tablename__ = "order_history"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[Any | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(Time)


class OrderDeadline(Base):
    """One running or finished clock of an order."""

    __tablename__ = "order_deadline"
    __table_args__ = (
        CheckConstraint("name IN ('dispatch','accept','designate','arrive','follow_up')", name="name"),
        Index(
            "ix_order_deadline_running",
            "due_at",
            postgresql_where=text("met_at IS NULL AND announced_at IS NULL"),
        ),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Time)
    met_at: Mapped[datetime | None] = mapped_column(Time)
    announced_at: Mapped[datetime | None] = mapped_column(Time)


class DeadlineRule(Base):
    """How long a step may take. `minutes` count from the step's beginning, or from the wanted window."""

    __tablename__ = "deadline_rule"
    __table_args__ = (
        CheckConstraint("name IN ('dispatch','accept','designate','arrive','follow_up')", name="name"),
        CheckConstraint("urgency IN ('emergency','urgent','normal','appointment')", name="urgency"),
    )

    division_code: Mapped[str] = mapped_column(Text, primary_key=True)
    urgency: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]
    minutes: Mapped[int] = mapped_column(Integer)
    rural_minutes: Mapped[int | None] = mapped_column(Integer)
    from_window: Mapped[bool] = mapped_column(Boolean)


class RecurringPlan(Base):
    """Help that comes again: daily milk, a bath on Mondays, Wednesdays and Fridays. `recurring.py` has the rule."""

    __tablename__ = "recurring_plan"
    __table_args__ = (
        CheckConstraint("holidays IN ('keep','skip','next_workday')", name="holidays"),
        CheckConstraint("every BETWEEN 1 AND 366 AND minutes > 0", name="numbers"),
        CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}'", name="weekdays"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        Index(None, "elder_id"),
        Index(None, "division_code", "id"),
        Index("ix_recurring_plan_due", "made_through", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    division_code: Mapped[str] = mapped_column(Text)
    """Where the elder lived when somebody last looked; decides who sees the plan."""
    item_code: Mapped[str] = mapped_column(ForeignKey("service_item.code"))
    minutes: Mapped[int] = mapped_column(Integer)
    every: Mapped[int] = mapped_column(SmallInteger)
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    """Empty: `every` counts days, else weeks. 1 is Monday."""
    slots: Mapped[Any] = mapped_column(JSONB)
    """Visits of one day in order, as `recurring.Slot` has them."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    holidays: Mapped[str] = mapped_column(Text)
    caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
    """Whom the elder would like to come."""
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    requester_name: Mapped[str | None] = mapped_column(Text)
    requester_relation: Mapped[str | None] = mapped_column(Text)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)
    updated_at: Mapped[datetime] = mapped_column(Time)
    ended_at: Mapped[datetime | None] = mapped_column(Time)
    ended_reason: Mapped[str | None] = mapped_column(Text)
    made_through: Mapped[date]
    """The last day whose orders have been made."""
    retry_at: Mapped[datetime | None] = mapped_column(Time)
    """When to try again what could not be ordered."""
    version: Mapped[int] = mapped_column(Integer)


class RecurringRest(Base):
    """Days without visits, of one plan or (`plan_id` null) of everything the elder has."""

    __tablename__ = "recurring_rest"
    __table_args__ = (CheckConstraint("last_day >= first_day", name="days"), Index(None, "elder_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("recurring_plan.id"))
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    """Null: until further notice."""
    reason: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)


class RecurringOccurrence(Base):
    """What became of one visit of a plan. Its key is why no visit is ordered twice."""

    __tablename__ = "recurring_occurrence"
    __table_args__ = (
        CheckConstraint("state IN ('ordered','failed','withdrawn')", name="state"),
        CheckConstraint("state = 'failed' OR order_id IS NOT NULL", name="order"),
        Index(None, "order_id"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("recurring_plan.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    """The latest order made for it."""
    reason: Mapped[str | None] = mapped_column(Text)
    """Why it could not be ordered, or was withdrawn."""
    terms: Mapped[str] = mapped_column(Text)
    """What was ordered, in short (`recurring.terms`)."""
    at: Mapped[datetime] = mapped_column(Time)
