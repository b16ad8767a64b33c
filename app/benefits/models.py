"""Schemes, entitlements and the monthly quota with its movements."""

from __future__ import annotations

from datetime import date, datetime
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
    UniqueConstraint,
    column,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Scheme(Base):
    """A rule under which somebody else than the family pays a share. Both ends of the validity are included."""

    __tablename__ = "scheme"
    __table_args__ = (
        CheckConstraint("payer = 'government'", name="payer"),
        CheckConstraint("share_bp BETWEEN 1 AND 10000", name="share"),
        CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        UniqueConstraint("code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    payer: Mapped[str] = mapped_column(Text)
    division_code: Mapped[str] = mapped_column(Text)
    """Whose elders it is for."""
    share_bp: Mapped[int] = mapped_column(Integer)
    """Share of the price it pays, in basis points."""
    item_codes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Items it pays for."""
    requires_assessment: Mapped[bool] = mapped_column(Boolean)
    """凡服务必评估: nothing is paid for a day that no assessment covers."""
    position: Mapped[int] = mapped_column(SmallInteger)
    """Lower pays first."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Entitlement(Base):
    """One elder's place in a scheme; at most one per elder and scheme at any time."""

    __tablename__ = "entitlement"
    __table_args__ = (
        CheckConstraint("monthly_quota_fen >= 0", name="quota"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        ExcludeConstraint(
            (column("elder_id"), "="),
            (column("scheme_id"), "="),
            (func.daterange(column("valid_from"), column("valid_to"), text("'[]'")), "&&"),
            using="gist",
            name="ex_entitlement_overlap",
        ),
        Index(None, "elder_id"),
        Index(None, "scheme_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("elder.id"))
    scheme_id: Mapped[UUID] = mapped_column(ForeignKey("scheme.id"))
    monthly_quota_fen: Mapped[int] = mapped_column(BigInteger)
    assessed_until: Mapped[date | None]
    """Last day the elder's assessment is valid; null: never assessed."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class QuotaMonth(Base):
    """One month of one entitlement; made by the first reservation. `month` is its first day."""

    __tablename__ = "quota_month"
    __table_args__ = (
        CheckConstraint("granted_fen >= 0 AND reserved_fen >= 0 AND consumed_fen >= 0", name="not_negative"),
        CheckConstraint("reserved_fen + consumed_fen <= granted_fen", name="not_overdrawn"),
        CheckConstraint("extract(day FROM month) = 1", name="month"),
    )

    entitlement_id: Mapped[UUID] = mapped_column(ForeignKey("entitlement.id"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    granted_fen: Mapped[int] = mapped_column(BigInteger)
    reserved_fen: Mapped[int] = mapped_column(BigInteger)
    consumed_fen: Mapped[int] = mapped_column(BigInteger)


class QuotaMovement(Base):
    """Why a quota changed; never changed itself. A reservation is closed once: by `release` (all of it) or by
    `consume` (what was used; the rest goes back)."""

    __tablename__ = "quota_movement"
    __table_args__ = (
        CheckConstraint("kind IN ('reserve', 'release', 'consume')", name="kind"),
        CheckConstraint("amount_fen >= 0", name="amount"),
        UniqueConstraint("order_id", "kind", "entitlement_id"),
        Index(
            "ix_quota_movement_closed_once",
            "order_id",
            "entitlement_id",
            unique=True,
            postgresql_where=text("kind <> 'reserve'"),
        ),
        Index(None, "entitlement_id", "month"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    entitlement_id: Mapped[UUID] = mapped_column(ForeignKey("entitlement.id"))
    month: Mapped[date]
    order_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
