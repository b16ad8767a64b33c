"""Tables of `visits`. `visit_event` is append-only: what was said stays said, the visit is folded from it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Instant = TIMESTAMP(timezone=True)
METHODS = "'gps', 'phone', 'otp', 'qr', 'nfc', 'manual'"
PLACES = "'inside', 'cannot_tell', 'outside'"


class VisitEvent(Base):
    """One event as the provider's app sent it. The same id with another body is refused, never stored."""

    __tablename__ = "visit_event"
    __table_args__ = (
        CheckConstraint(
            "type IN ('departed', 'arrived', 'checked_in', 'checked_out', 'failed', 'evidence_added', "
            "'hazard_reported')",
            name="type",
        ),
        CheckConstraint(f"method IN ({METHODS})", name="method"),
        CheckConstraint("result IN ('applied', 'late', 'needs_review')", name="result"),
        Index(None, "order_id"),
        Index(None, "caregiver_id", "occurred_at"),
    )

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"))
    type: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    """When it happened, by the device's clock."""
    proved: Mapped[bool | None] = mapped_column(Boolean)
    """Did what the caregiver brought as a proof of presence hold? Null where nothing was to be proved."""
    received_at: Mapped[datetime] = mapped_column(Instant)
    device_seq: Mapped[int | None] = mapped_column(BigInteger)
    lng: Mapped[float | None] = mapped_column(Float)
    lat: Mapped[float | None] = mapped_column(Float)
    source_crs: Mapped[str | None] = mapped_column(Text)
    accuracy_m: Mapped[float | None] = mapped_column(Float)
    evidence: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    reason_code: Mapped[str | None] = mapped_column(Text)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    back_filled: Mapped[bool] = mapped_column(Boolean)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    result: Mapped[str] = mapped_column(Text)
    """What we answered at the time."""
    reason: Mapped[str | None] = mapped_column(Text)
    recorded_by: Mapped[str] = mapped_column(Text)


class Visit(Base):
    """The six facts of a visit (service, elder, caregiver, date, places, times) and the verdict on the proof.

    A projection of `visit_event` except for the supervisor's decision.
    """

    __tablename__ = "visit"
    __table_args__ = (
        CheckConstraint(
            "status IN ('expected', 'en_route', 'arrived', 'in_service', 'ended', 'failed')", name="status"
        ),
        CheckConstraint("verification IN ('pending', 'verified', 'review', 'rejected')", name="verification"),
        CheckConstraint("decided_verdict IN ('verified', 'rejected')", name="decided_verdict"),
        CheckConstraint(f"begin_method IN ({METHODS})", name="begin_method"),
        CheckConstraint(f"end_method IN ({METHODS})", name="end_method"),
        CheckConstraint(f"begin_place IN ({PLACES})", name="begin_place"),
        CheckConstraint(f"end_place IN ({PLACES})", name="end_place"),
        Index(None, "verification", "order_id"),
        Index("ix_visit_manual", "order_id", postgresql_where=text("manual")),
        Index(None, "provider_id", "service_day"),
        Index(None, "caregiver_id", "began_at"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(Text)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"), index=True)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    caregiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("caregiver.id"))
    division_code: Mapped[str] = mapped_column(Text, index=True)
    service_day: Mapped[date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(Text)
    departed_at: Mapped[datetime | None] = mapped_column(Instant)
    arrived_at: Mapped[datetime | None] = mapped_column(Instant)
    began_at: Mapped[datetime | None] = mapped_column(Instant)
    begin_method: Mapped[str | None] = mapped_column(Text)
    begin_lng: Mapped[float | None] = mapped_column(Float)
    begin_lat: Mapped[float | None] = mapped_column(Float)
    begin_accuracy_m: Mapped[float | None] = mapped_column(Float)
    begin_distance_m: Mapped[int | None] = mapped_column(Integer)
    begin_place: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    end_method: Mapped[str | None] = mapped_column(Text)
    end_lng: Mapped[float | None] = mapped_column(Float)
    end_lat: Mapped[float | None] = mapped_column(Float)
    end_accuracy_m: Mapped[float | None] = mapped_column(Float)
    end_distance_m: Mapped[int | None] = mapped_column(Integer)
    end_place: Mapped[str] = mapped_column(Text)
    minutes: Mapped[int | None] = mapped_column(Integer)
    failed_at: Mapped[datetime | None] = mapped_column(Instant)
    failure_reason: Mapped[str | None] = mapped_column(Text)
    manual: Mapped[bool] = mapped_column(Boolean)
    hazards: Mapped[list[str]] = mapped_column(ARRAY(Text))
    evidence: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    verification: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    decided_verdict: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decision_reason: Mapped[str | None] = mapped_column(Text)
    decided_on: Mapped[Any | None] = mapped_column(JSONB)
    """The facts the supervisor saw; other facts later reopen the question."""
    version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class VisitPolicyRow(Base):
    """Figures for one division and everything below it, from a day on."""

    __tablename__ = "visit_policy"
    __table_args__ = (UniqueConstraint("division_code", "valid_from"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    radius_m: Mapped[int] = mapped_column(Integer)
    coarse_m: Mapped[int] = mapped_column(Integer)
    back_fill_hours: Mapped[int] = mapped_column(Integer)


class Upload(Base):
    """A photo, signature or recording of a provider. The file lies under a random name outside the database."""

    __tablename__ = "upload"
    __table_args__ = (Index(None, "sha256"), Index(None, "provider_id", "created_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    file_name: Mapped[str] = mapped_column(Text, unique=True)
    media_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
