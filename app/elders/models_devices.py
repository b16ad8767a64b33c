"""Devices that are bound to elders: SOS buttons, watches, detectors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, one_of

KINDS = {
    "button": "一键呼叫", "watch": "定位手表", "fall_detector": "跌倒监测", "smoke_detector": "烟感",
    "gas_detector": "燃气报警", "water_detector": "水浸", "pull_cord": "紧急拉绳", "other": "其他",
}  # fmt: skip

Time = TIMESTAMP(timezone=True)
SILENT_AFTER_S = {"watch": 1800}
SILENT_AFTER_USUALLY_S = 26 * 3600
"""When a device that sends signs of life is missed: watches send one every few minutes, buttons and detectors daily."""
LOW_BATTERY, GOOD_BATTERY = 15, 25
"""Percent at which a battery becomes low, and at which it is good again."""


WANTING = "unbound_at IS NULL AND (offline_at IS NOT NULL OR low_battery_at IS NOT NULL)"


class ElderDevice(Base):
    """One binding of a maker's device to an elder; a device has one at a time, and its past ones are kept."""

    __tablename__ = "elder_device"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        Index("ux_elder_device_bound", "vendor", "number", unique=True, postgresql_where="unbound_at IS NULL"),
        CheckConstraint("silent_after_s > 0", name="silent_after"),
        CheckConstraint("silent_at IS NOT NULL OR offline_at IS NULL", name="only_the_expected_are_missed"),
        Index(None, "elder_id"),
        # Whoever may be silent by now; the sweep reads nothing else, however many devices there are.
        Index("ix_elder_device_silent", "silent_at", postgresql_where="unbound_at IS NULL AND offline_at IS NULL"),
        Index("ix_elder_device_wanting", "id", postgresql_where=WANTING),
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
    silent_after_s: Mapped[int] = mapped_column(Integer)
    silent_at: Mapped[datetime | None] = mapped_column(Time)
    """Not silent before; null for a device that never sent a sign of life and is not expected to. It may lie before
    `seen_at` + `silent_after_s`, so that not every sign of life has to move it."""
    offline_at: Mapped[datetime | None] = mapped_column(Time)
    """Since when it is missed."""
    low_battery_at: Mapped[datetime | None] = mapped_column(Time)
