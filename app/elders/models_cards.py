"""The cards elders carry: a QR code by which whoever finds them can ask for help."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class ElderCard(Base):
    """One card; an elder has one at a time, and past ones are kept so that what was asked by them stays explained."""

    __tablename__ = "elder_card"
    __table_args__ = (
        CheckConstraint("number ~ '^[0-9]{8}$'", name="number"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
        Index("uq_elder_card_live", "elder_id", unique=True, postgresql_where="revoked_at IS NULL"),
        Index(None, "elder_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    number: Mapped[str] = mapped_column(Text, unique=True)
    """Printed on it, to be read out over the phone; random, so that it says nothing of its elder."""
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: needed once more whenever the card is printed."""
    issued_at: Mapped[datetime] = mapped_column(Time)
    issued_by: Mapped[str] = mapped_column(Text)
    revoked_at: Mapped[datetime | None] = mapped_column(Time)
    revoked_by: Mapped[str | None] = mapped_column(Text)
    helped: Mapped[int] = mapped_column(Integer, server_default="0")
    """How often help was asked for by it in the hour that began at `helped_since`."""
    helped_since: Mapped[datetime | None] = mapped_column(Time)
