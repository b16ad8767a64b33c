"""Tables of batching: how scarce caregivers are, and from when on orders wait for each other."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, CheckConstraint, Date, Float, Identity, Integer, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


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
