"""Divisions with their validity, and the days that differ from an ordinary week."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

KINDS = ("city", "district", "street", "community", "village")


class Division(Base):
    __tablename__ = "division"
    __table_args__ = (
        CheckConstraint("code ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$'", name="code"),
        CheckConstraint("kind IN ('city', 'district', 'street', 'community', 'village')", name="kind"),
        CheckConstraint("(lng IS NULL) = (lat IS NULL)", name="place"),
        Index(None, "parent_code"),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))
    lng: Mapped[float | None]
    lat: Mapped[float | None]
    """A point inside, WGS-84; null if unknown."""
    urban: Mapped[bool]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The first day on which it is no more; null while it stands."""


class CalendarDay(Base):
    """A public holiday, or a weekend day that has to be worked."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
