"""Service items and their prices.

Categories are the seven kinds of home care of GB/T 43153-2023. There is no national code list for the items
below them, so the codes are our own and never change their meaning.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    column,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, one_of

CATEGORIES = {
    "daily_living": "生活照料",
    "basic_care": "基础照护",
    "health": "健康管理",
    "visiting": "探访关爱",
    "comfort": "精神慰藉",
    "errands": "委托代办",
    "adaptation": "适老化改造",
}
TIERS = {"free": "无偿", "low_fee": "低偿", "market": "有偿"}
UNITS = {"minutes": "按时长", "visit": "按次"}
KINDS = ("home_visit", "delivery", "consultation")


class ServiceItem(Base):
    """One thing a caller may ask for. Minutes are zero where time is not what is sold (a delivered meal)."""

    __tablename__ = "service_item"
    __table_args__ = (
        CheckConstraint(one_of("category", CATEGORIES), name="category"),
        CheckConstraint(one_of("unit", UNITS), name="unit"),
        CheckConstraint(one_of("tier", TIERS), name="tier"),
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        CheckConstraint(
            "min_minutes >= 0 AND rounding_minutes >= 1 AND standard_minutes >= min_minutes"
            " AND max_minutes >= standard_minutes",
            name="minutes",
        ),
        CheckConstraint("caregivers IN (1, 2)", name="caregivers"),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text, index=True)
    unit: Mapped[str] = mapped_column(Text)
    standard_minutes: Mapped[int] = mapped_column(Integer)
    """How long it takes as a rule; planning starts from here."""
    min_minutes: Mapped[int] = mapped_column(Integer)
    """Shorter than this is not a service that can be paid."""
    rounding_minutes: Mapped[int] = mapped_column(Integer)
    max_minutes: Mapped[int] = mapped_column(Integer)
    certificate: Mapped[str | None] = mapped_column(Text)
    """Kind of certificate the caregiver must hold; null: none beyond the general ones."""
    tier: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(SmallInteger)
    """Order in lists."""
    active: Mapped[bool] = mapped_column(Boolean)
    caregivers: Mapped[int] = mapped_column(SmallInteger)
    """How many have to come together: two lift where one must not (助浴)."""


class PriceVersion(Base):
    """A price in force in a division and everything below it that has none of its own.

    `per_minutes` null: `price_fen` is per visit; else `price_fen` buys that many minutes.
    Both ends of the validity are days on which the price holds.
    """

    __tablename__ = "price_version"
    __table_args__ = (
        CheckConstraint("price_fen >= 0", name="price"),
        CheckConstraint("per_minutes > 0", name="per_minutes"),
        CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        ExcludeConstraint(
            (column("item_code"), "="),
            (column("division_code"), "="),
            (func.daterange(column("valid_from"), column("valid_to"), text("'[]'")), "&&"),
            using="gist",
            name="ex_price_version_overlap",
        ),
        Index(None, "item_code", "division_code", "valid_from"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_code: Mapped[str] = mapped_column(ForeignKey("service_item.code"))
    division_code: Mapped[str] = mapped_column(Text)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    per_minutes: Mapped[int | None] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    """Which decision set it; "示例价格" marks demo figures."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
