"""Payments that families make online, and WeChat Pay's notices of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    _merchants()
    _payments()
    op.create_table(
        "payment_notice",
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid()),
        sa.Column("problem", sa.Text()),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("resource", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("merchant", "notice_id", name="pk_payment_notice"),
        sa.ForeignKeyConstraint(["merchant"], ["wechatpay_merchant.merchant"], name="fk_payment_notice_merchant"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name="fk_payment_notice_payment_id"),
    )
    op.create_index(
        "ix_payment_notice_problem", "payment_notice", ["received_at"], postgresql_where=sa.text("problem IS NOT NULL")
    )


def _merchants() -> None:
    op.create_table(
        "wechatpay_merchant",
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("mchid", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("api_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_serial", sa.Text(), nullable=False),
        sa.Column("platform_keys", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("merchant", name="pk_wechatpay_merchant"),
    )
    op.create_index(
        "uq_wechatpay_merchant_division",
        "wechatpay_merchant",
        ["division_code"],
        unique=True,
        postgresql_where=sa.text("active"),
    )


def _payments() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("out_trade_no", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payer", sa.LargeBinary()),
        sa.Column("payer_index", sa.LargeBinary()),
        sa.Column("prepay", sa.Text()),
        sa.Column("prepared_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("transaction_id", sa.Text()),
        sa.Column("paid_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("needs_review", sa.Text()),
        sa.Column("reviewed_by", sa.Text()),
        sa.Column("reviewed_at", TIME),
        sa.Column("review_reason", sa.Text()),
        sa.Column("ask_at", TIME, nullable=False),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_payment_order_id"),
        sa.ForeignKeyConstraint(["merchant"], ["wechatpay_merchant.merchant"], name="fk_payment_merchant"),
        sa.UniqueConstraint("out_trade_no", name="uq_payment_out_trade_no"),
        sa.UniqueConstraint("transaction_id", name="uq_payment_transaction_id"),
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint("status IN ('prepared', 'paid', 'surplus', 'closed', 'refund_noted')", name="status"),
        sa.CheckConstraint("way IN ('jsapi', 'native')", name="way"),
        sa.CheckConstraint("(way = 'jsapi') = (payer IS NOT NULL)", name="payer"),
        sa.CheckConstraint("(payer IS NULL) = (payer_index IS NULL)", name="payer_whole"),
        sa.CheckConstraint(
            "(status IN ('paid', 'surplus', 'refund_noted')) = (transaction_id IS NOT NULL)", name="money"
        ),
        sa.CheckConstraint("(transaction_id IS NULL) = (paid_at IS NULL)", name="paid_at"),
        sa.CheckConstraint("status <> 'closed' OR closed_at IS NOT NULL", name="closed_at"),
        sa.CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (review_reason IS NULL)",
            name="reviewed",
        ),
        sa.CheckConstraint("status <> 'refund_noted' OR reviewed_at IS NOT NULL", name="refund_by_somebody"),
    )
    for name, condition in (("paid", "status = 'paid'"), ("prepared", "status = 'prepared'")):
        op.create_index(f"uq_payment_{name}", "payment", ["order_id"], unique=True, postgresql_where=sa.text(condition))
    op.create_index("ix_payment_order_id", "payment", ["order_id"])
    op.create_index("ix_payment_ask_at", "payment", ["ask_at"], postgresql_where=sa.text("status = 'prepared'"))
    op.create_index(
        "ix_payment_needs_review",
        "payment",
        ["id"],
        postgresql_where=sa.text("needs_review IS NOT NULL AND reviewed_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("payment_notice", "payment", "wechatpay_merchant"):
        op.drop_table(table)
