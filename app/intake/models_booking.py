"""Where families may book without the desk."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class BookingRule(Base):
    """From a day on, in a division and everything below it that has no rule of its own. Without any, the desk
    confirms."""

    __tablename__ = "booking_rule"
    __table_args__ = (CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),)

    division_code: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    direct: Mapped[bool]
    """Whether what a family books, having seen its price, is an order at once."""
    reason: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
