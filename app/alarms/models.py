"""Tables of `alarms`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.alarms.incidents import FALSE_ALARM_CODES, Finding, Severity, Status, Step
from app.core.db import Base, one_of

Instant = TIMESTAMP(timezone=True)


JOINED = "status <> 'closed' AND finding IS DISTINCT FROM 'false_alarm'"
"""Which incidents another report joins. After a false alarm the next press is a new event, closed or not."""


class Incident(Base):
    """One real event, however often it was reported. `subject` is whom or what it is about: an elder, or a device or
    caller nobody knows; there is one incident for each that further reports join."""

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint(one_of("status", Status), "status"),
        CheckConstraint(one_of("severity", Severity), "severity"),
        CheckConstraint(one_of("finding", Finding), "finding"),
        CheckConstraint(one_of("code", FALSE_ALARM_CODES), "code"),
        CheckConstraint("(code IS NOT NULL) = (finding IS NOT DISTINCT FROM 'false_alarm')", "false_alarms_say_why"),
        CheckConstraint("status <> 'closed' OR finding IS NOT NULL", "closed_was_verified"),
        Index("ux_incident_living", "subject", unique=True, postgresql_where=JOINED),
        Index("ix_incident_living", "first_at", postgresql_where="status <> 'closed'"),
        Index(None, "elder_id"),
        Index(None, "division_code", "id"),
        Index("ix_incident_by_day", "first_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    """Of the gravest alarm: `sos`, `fall`, `phone`, or the maker's word for what we do not know."""
    elder_id: Mapped[UUID | None] = mapped_column(ForeignKey("elder.id"))
    division_code: Mapped[str | None] = mapped_column(Text)
    first_at: Mapped[datetime] = mapped_column(Instant)
    """First receipt, by our clock; the ladder counts from here."""
    last_at: Mapped[datetime] = mapped_column(Instant)
    alarms: Mapped[int] = mapped_column(Integer)
    lng: Mapped[float | None] = mapped_column(Double)
    lat: Mapped[float | None] = mapped_column(Double)
    place: Mapped[str | None] = mapped_column(Text)
    """Whose place it is: `device`, `home`, or `division` where nobody knows better."""
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_by: Mapped[str | None] = mapped_column(Text)
    finding: Mapped[str | None] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)


class IncidentAlarm(Base):
    """One report of an incident; `care_request_id` is how it came in."""

    __tablename__ = "incident_alarm"
    __table_args__ = (UniqueConstraint("source"), Index(None, "incident_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    source: Mapped[str] = mapped_column(Text)
    """What makes it one report: the contact's id, or the request's."""
    care_request_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class IncidentStep(Base):
    """A rung of the ladder: when it is due, when it was taken, and what came of it."""

    __tablename__ = "incident_step"
    __table_args__ = (
        CheckConstraint(one_of("step", Step), "step"),
        Index("ix_incident_step_due", "due_at", postgresql_where="taken_at IS NULL"),
    )

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    step: Mapped[str] = mapped_column(Text, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Instant)
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    told: Mapped[int | None] = mapped_column(Integer)
    """How many people were told; null when nobody needed to be by then."""


class IncidentEntry(Base):
    """What people did about an incident, in order; never changed."""

    __tablename__ = "incident_entry"
    __table_args__ = (Index(None, "incident_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    what: Mapped[str] = mapped_column(Text)
    facts: Mapped[Any | None] = mapped_column(JSONB)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class EscalationRule(Base):
    """A ladder's rung in a division from a day on; the most specific division's newest ladder counts whole."""

    __tablename__ = "escalation_rule"
    __table_args__ = (
        CheckConstraint(one_of("severity", Severity), "severity"),
        CheckConstraint(one_of("step", Step), "step"),
        CheckConstraint("after_s >= 0", "after"),
    )

    division_code: Mapped[str] = mapped_column(Text, primary_key=True)
    severity: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(Text, primary_key=True)
    after_s: Mapped[int] = mapped_column(Integer)
