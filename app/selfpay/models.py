"""Tables of payments made online. Constraints carry the promises: one payment pays an order, a transaction of WeChat
is one payment of ours, and money without a transaction is none."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class WechatpayMerchant(Base):
    """One of our accounts at WeChat Pay, for a division and what lies in it."""

    __tablename__ = "wechatpay_merchant"
    __table_args__ = (
        Index("uq_wechatpay_merchant_division", "division_code", unique=True, postgresql_where=text("active")),
    )

    merchant: Mapped[str] = mapped_column(Text, primary_key=True)
    """How it is called in our addresses."""
    division_code: Mapped[str] = mapped_column(Text)
    mchid: Mapped[str] = mapped_column(Text)
    appid: Mapped[str] = mapped_column(Text)
    api_key: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: the APIv3 key, 32 characters."""
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed PEM."""
    private_serial: Mapped[str] = mapped_column(Text)
    platform_keys: Mapped[Any] = mapped_column(JSONB)
    """`{serial: PEM}` of WeChat's public keys that are good; no other is believed."""
    active: Mapped[bool] = mapped_column(Boolean)
    updated_at: Mapped[datetime] = mapped_column(Time)


class Payment(Base):
    """A family's payment of an order's copay, on record before WeChat is asked for it."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("status IN ('prepared', 'paid', 'surplus', 'closed', 'refund_noted')", name="status"),
        CheckConstraint("way IN ('jsapi', 'native')", name="way"),
        CheckConstraint("(way = 'jsapi') = (payer IS NOT NULL)", name="payer"),
        CheckConstraint("(payer IS NULL) = (payer_index IS NULL)", name="payer_whole"),
        CheckConstraint("(status IN ('paid', 'surplus', 'refund_noted')) = (transaction_id IS NOT NULL)", name="money"),
        CheckConstraint("(transaction_id IS NULL) = (paid_at IS NULL)", name="paid_at"),
        CheckConstraint("status <> 'closed' OR closed_at IS NOT NULL", name="closed_at"),
        CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (review_reason IS NULL)",
            name="reviewed",
        ),
        CheckConstraint("status <> 'refund_noted' OR reviewed_at IS NOT NULL", name="refund_by_somebody"),
        UniqueConstraint("out_trade_no"),
        UniqueConstraint("transaction_id"),
        Index("uq_payment_paid", "order_id", unique=True, postgresql_where=text("status = 'paid'")),
        Index("uq_payment_prepared", "order_id", unique=True, postgresql_where=text("status = 'prepared'")),
        Index("ix_payment_order_id", "order_id"),
        Index("ix_payment_ask_at", "ask_at", postgresql_where=text("status = 'prepared'")),
        Index(
            "ix_payment_needs_review",
            "id",
            postgresql_where=text("needs_review IS NOT NULL AND reviewed_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("care_order.id"))
    merchant: Mapped[str] = mapped_column(ForeignKey("wechatpay_merchant.merchant"))
    out_trade_no: Mapped[str] = mapped_column(Text)
    way: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    """The order's copay when the payment was prepared."""
    status: Mapped[str] = mapped_column(Text)
    payer: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed openid of whom the page belongs to."""
    payer_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    prepay: Mapped[str | None] = mapped_column(Text)
    """WeChat's prepay id, or the address in the code to scan."""
    prepared_at: Mapped[datetime] = mapped_column(Time)
    expires_at: Mapped[datetime] = mapped_column(Time)
    """From then on WeChat takes no money for it."""
    transaction_id: Mapped[str | None] = mapped_column(Text)
    paid_at: Mapped[datetime | None] = mapped_column(Time)
    closed_at: Mapped[datetime | None] = mapped_column(Time)
    needs_review: Mapped[str | None] = mapped_column(Text)
    reviewed_by: Mapped[str | None] = mapped_column(Text)
    reviewed_at: Mapped[datetime | None] = mapped_column(Time)
    review_reason: Mapped[str | None] = mapped_column(Text)
    ask_at: Mapped[datetime] = mapped_column(Time)
    """When WeChat is asked next how it stands."""
    asks: Mapped[int] = mapped_column(Integer)


class PaymentNotice(Base):
    """A notice whose signature held, as it came. WeChat repeats one under the same id."""

    __tablename__ = "payment_notice"
    __table_args__ = (Index("ix_payment_notice_problem", "received_at", postgresql_where=text("problem IS NOT NULL")),)

    merchant: Mapped[str] = mapped_column(ForeignKey("wechatpay_merchant.merchant"), primary_key=True)
    notice_id: Mapped[str] = mapped_column(Text, primary_key=True)
    event: Mapped[str] = mapped_column(Text)
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    problem: Mapped[str | None] = mapped_column(Text)
    """Why it changed nothing, when it should have."""
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: serial, timestamp, nonce and signature, a line each, then the body; the proof can be repeated."""
    resource: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: what was inside, which names the payer."""
    received_at: Mapped[datetime] = mapped_column(Time)
