"""Tables of `insight`: the figures as they stood at the end of a day. Rows are only ever added."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class IndicatorDay(Base):
    """The figures were kept as of the end of this day. `taken_at` says when that really was."""

    __tablename__ = "indicator_day"

    as_of: Mapped[date] = mapped_column(primary_key=True)
    first_day: Mapped[date]
    """The first service day whose figures were looked at; those before stand as last kept."""
    taken_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    complete: Mapped[bool]
    """Whether all of it has been written; nobody reads a part."""


class IndicatorSnapshot(Base):
    """What one service day came to in one street and at one provider, from `as_of` on until a later row says otherwise.

    `counts` is `{code: [part, whole]}`. `division_code` is empty for what has no division, `provider` for what has no
    provider.
    """

    __tablename__ = "indicator_snapshot"
    __table_args__ = (Index(None, "as_of"),)

    service_day: Mapped[date] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(Text, primary_key=True)
    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    as_of: Mapped[date] = mapped_column(ForeignKey("indicator_day.as_of"), primary_key=True)
    counts: Mapped[Any] = mapped_column(JSONB)
