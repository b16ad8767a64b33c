"""Devices that are bound to elders: SOS buttons, watches, detectors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

KINDS = {
    "button": "一键呼叫", "watch": "定位手表", "fall_detector": "跌倒监测", "smoke_detector": "烟感",
    "gas_detector": "燃气报警", "water_detector": "水浸", "pull_cord": "紧急拉绳", "other": "其他",
}  # fmt: skip

Time = TIMESTAMP(timezone=True)


class ElderDevice(Base):
    """One binding of a maker's device to an elder; a device has one at a time, and its past ones are kept."""

    __tablename__ = "elder_device"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(f'{kind!r}' for kind in KINDS)})", name="kind"),
        Index("ux_elder_device_bound", "vendor", "number", unique=True, postgresql_where="unbound_at IS NULL"),
        Index(None, "elder_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    """The maker's own: an IMEI, a serial number."""
    kind: Mapped[str] = mapped_column(Text)
    place: Mapped[str | None] = mapped_column(Text)
    """Where in the home it hangs."""
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    bound_at: Mapped[datetime] = mapped_column(Time)
    bound_by: Mapped[str] = mapped_column(Text)
    unbound_at: Mapped[datetime | None] = mapped_column(Time)
    unbound_by: Mapped[str | None] = mapped_column(Text)
    seen_at: Mapped[datetime | None] = mapped_column(Time)
    """When we last heard of it, by our clock."""
    battery: Mapped[int | None] = mapped_column(SmallInteger)
