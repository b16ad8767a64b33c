"""Providers, caregivers and what is known about their work.

Item codes and elder ids point at neighbouring rooms and therefore carry no foreign key. A day in `valid_to`
is the last day on which something holds.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, one_of

KINDS = {
    "company": "企业",
    "nonprofit": "社会组织",
    "institution": "养老机构",
    "station": "社区服务站",
    "individual": "个体工商户",
}
STATUSES = ("active", "suspended", "exited")
TRAVEL_MODES = ("walk", "ebike", "bus", "car")
CERTIFICATES = {
    "health_certificate": "健康证",
    "nursing_assistant": "养老护理员证",
    "nurse": "护士执业证",
    "rehabilitation_therapist": "康复治疗师证",
    "social_worker": "社会工作者证",
    "psychological_counsellor": "心理咨询师证",
    "home_adaptation_assessor": "适老化评估师证",
    "background_check": "无犯罪记录证明",
    "insurance": "意外险",
}


class Provider(Base):
    __tablename__ = "provider"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint("daily_capacity >= 0 AND monthly_quota >= 0", name="limits"),
        CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        UniqueConstraint("uscc"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    uscc: Mapped[str] = mapped_column(Text)
    """Unified social credit code, GB 32100, upper case."""
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    status_reason: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    """The office's number, E.164; it is public."""
    division_code: Mapped[str] = mapped_column(Text, index=True)
    """Where the office is; decides who supervises it."""
    lng: Mapped[float | None]
    lat: Mapped[float | None]
    daily_capacity: Mapped[int | None] = mapped_column(Integer)
    """Orders a day at most; null: no limit."""
    monthly_quota: Mapped[int | None] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class ProviderArea(Base):
    """A division the provider serves, with everything below it."""

    __tablename__ = "provider_area"
    __table_args__ = (
        CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        Index(None, "division_code"),
    )

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), primary_key=True)
    division_code: Mapped[str] = mapped_column(Text, primary_key=True)


class ProviderItem(Base):
    __tablename__ = "provider_item"
    __table_args__ = (Index(None, "item_code"),)

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(Text, primary_key=True)


class Caregiver(Base):
    __tablename__ = "caregiver"
    __table_args__ = (
        CheckConstraint("sex IN ('male', 'female', 'unknown')", name="sex"),
        CheckConstraint(one_of("travel_mode", TRAVEL_MODES), name="travel_mode"),
        CheckConstraint("status IN ('active', 'inactive')", name="status"),
        CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        Index(None, "provider_id"),
        Index(None, "phone_index"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    name: Mapped[str] = mapped_column(Text)
    sex: Mapped[str] = mapped_column(Text)
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    home_lng: Mapped[float | None]
    home_lat: Mapped[float | None]
    """Where the working day starts, WGS-84; null if unknown."""
    division_code: Mapped[str] = mapped_column(Text)
    travel_mode: Mapped[str] = mapped_column(Text)
    dialect: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class CaregiverCertificate(Base):
    __tablename__ = "caregiver_certificate"
    __table_args__ = (
        CheckConstraint(one_of("kind", CERTIFICATES), name="kind"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        Index(None, "caregiver_id", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"))
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[str | None] = mapped_column(Text)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class CaregiverShift(Base):
    """Weekly working time. Minutes after midnight in Asia/Shanghai; 1440 is the end of the day."""

    __tablename__ = "caregiver_shift"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("starts_minute >= 0 AND ends_minute > starts_minute AND ends_minute <= 1440", name="minutes"),
    )

    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """1 is Monday."""
    starts_minute: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    ends_minute: Mapped[int] = mapped_column(SmallInteger)


class CaregiverAbsence(Base):
    __tablename__ = "caregiver_absence"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="interval"),
        Index(None, "caregiver_id", "ends_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"))
    starts_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    reason: Mapped[str] = mapped_column(Text)


class Scorecard(Base):
    """What the centre's call-backs and the finished visits say about one caregiver. Sums, never averages."""

    __tablename__ = "scorecard"
    __table_args__ = (
        CheckConstraint("ratings >= 0 AND completed >= 0 AND score_sum BETWEEN ratings AND 5 * ratings", name="sums"),
        Index(None, "provider_id"),
    )

    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"), primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    ratings: Mapped[int] = mapped_column(Integer)
    score_sum: Mapped[int] = mapped_column(BigInteger)
    completed: Mapped[int] = mapped_column(Integer)
    last_completed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Continuity(Base):
    """How often one caregiver has been with one elder."""

    __tablename__ = "continuity"
    __table_args__ = (CheckConstraint("visits > 0", name="visits"), Index(None, "caregiver_id"))

    elder_id: Mapped[UUID] = mapped_column(primary_key=True)
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregiver.id"), primary_key=True)
    visits: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
