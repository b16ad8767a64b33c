"""Tables of matching that can be made again at any time: the caregiver's day, and the counts it is compared with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Double, Index, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import BIT, TIMESTAMP
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.core.db import Base
from app.matching.slots import SLOTS

Time = TIMESTAMP(timezone=True)


class Point(UserDefinedType[Any]):
    """PostgreSQL's `point`: longitude, then latitude."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "POINT"


ischema_names["point"] = Point


class CaregiverDay(Base):
    """What matching has to know about a caregiver on one day, in one row. Derived: made from the tables that hold the
    truth, marked when a booking is made or released, and put right by a sweep. It books nobody."""

    __tablename__ = "caregiver_day"
    __table_args__ = (
        Index(
            "ix_caregiver_day_place",
            "day",
            "place",
            postgresql_using="gist",
            postgresql_include=["provider_id", "certificates", "sex"],
        ),
        Index(
            "ix_caregiver_day_specialist",
            "day",
            "place",
            postgresql_using="gist",
            postgresql_where="(certificates & 124) <> 0",
        ),
        Index("ix_caregiver_day_unplaced", "day", postgresql_where="place IS NULL"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    caregiver_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    certificates: Mapped[int] = mapped_column(Integer)
    """Valid on this day, one bit each; see `availability.certificate_bit`."""
    provider_id: Mapped[UUID]
    place: Mapped[Any | None] = mapped_column(Point)
    """Where the day starts: longitude and latitude, WGS-84; null if unknown."""
    travel_mode: Mapped[int] = mapped_column(SmallInteger)
    """Position in `providers.models.TRAVEL_MODES`, from 1."""
    active: Mapped[bool]
    sex: Mapped[str] = mapped_column(Text)
    dialect: Mapped[str | None] = mapped_column(Text)
    rating: Mapped[float] = mapped_column(Double)
    minutes: Mapped[int] = mapped_column(Integer)
    """Of visits booked on this day."""
    week_minutes: Mapped[int] = mapped_column(Integer)
    """Of visits booked on the other days of the week, when last counted."""
    shift: Mapped[Any] = mapped_column(BIT(SLOTS))
    taken: Mapped[Any] = mapped_column(BIT(SLOTS))
    away: Mapped[Any | None] = mapped_column(BIT(SLOTS))


class PreparedDay(Base):
    """A day whose rows of `caregiver_day` exist. `checked_at`: when they were last compared with the truth."""

    __tablename__ = "prepared_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    prepared_at: Mapped[datetime] = mapped_column(Time)
    checked_at: Mapped[datetime] = mapped_column(Time)


class ProviderWeek(Base):
    """How much the middle one of a provider's team has booked in a week that begins on `week`. Derived."""

    __tablename__ = "provider_week"

    week: Mapped[date] = mapped_column(Date, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    median_minutes: Mapped[int] = mapped_column(Integer)


class ProviderLoad(Base):
    """Live offers of a provider on a day, and in the month of that day, when last counted. Derived."""

    __tablename__ = "provider_load"

    service_day: Mapped[date] = mapped_column(Date, primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(Integer)
    month: Mapped[int] = mapped_column(Integer)


class ProviderMonth(Base):
    """Live offers of a provider in a district with service days in the month that begins on `month`. Derived."""

    __tablename__ = "provider_month"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    division_code: Mapped[str] = mapped_column(Text, primary_key=True)
    """Six digits."""
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    orders: Mapped[int] = mapped_column(Integer)
