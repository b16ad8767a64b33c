"""Tables of travel: ways measured, what was learned from them, what a map said."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Float, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class Trip(Base):
    """One measured way to a visit: from leaving to being there. Knows nobody but by the order."""

    __tablename__ = "trip"
    __table_args__ = (Index(None, "day"),)

    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"), primary_key=True)
    mode: Mapped[str] = mapped_column(Text)
    band: Mapped[str] = mapped_column(Text)
    metres: Mapped[float] = mapped_column(Float)
    minutes: Mapped[float] = mapped_column(Float)
    day: Mapped[date] = mapped_column(Date)


class TravelCalibration(Base):
    """What was learned from trips: two lines per mode and hour band; the newest version of each counts."""

    __tablename__ = "travel_calibration"
    __table_args__ = (
        CheckConstraint(
            "p50_fixed >= 0 AND p50_per_km >= 0 AND p80_fixed >= p50_fixed AND p80_per_km >= p50_per_km", name="lines"
        ),
    )

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    mode: Mapped[str] = mapped_column(Text, primary_key=True)
    band: Mapped[str] = mapped_column(Text, primary_key=True)
    p50_fixed: Mapped[float] = mapped_column(Float)
    p50_per_km: Mapped[float] = mapped_column(Float)
    p80_fixed: Mapped[float] = mapped_column(Float)
    p80_per_km: Mapped[float] = mapped_column(Float)
    trips: Mapped[int] = mapped_column(Integer)
    from_day: Mapped[date] = mapped_column(Date)
    fitted_at: Mapped[datetime] = mapped_column(Time)


class MapAnswer(Base):
    """What the map said of a way, by squares of some 150 metres, until it is too old."""

    __tablename__ = "map_answer"
    __table_args__ = (Index(None, "expires_at"),)

    origin: Mapped[str] = mapped_column(Text, primary_key=True)
    destination: Mapped[str] = mapped_column(Text, primary_key=True)
    mode: Mapped[str] = mapped_column(Text, primary_key=True)
    band: Mapped[str] = mapped_column(Text, primary_key=True)
    seconds: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime] = mapped_column(Time)
