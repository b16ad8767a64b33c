"""Ways out: gateways and their templates, receipts, breakers, what recipients want to hear, calls that make up for
messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
REASONS = "'abandoned', 'voicemail', 'after_hours'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in ("address_index", "otherwise"):
        op.add_column("outgoing_message", sa.Column(column, sa.LargeBinary()))
    op.add_column("outgoing_message", sa.Column("stands_in_for", sa.Uuid()))
    queued = sa.text("status = 'queued'")
    op.create_index("ix_outgoing_message_waiting", "outgoing_message", ["channel"], postgresql_where=queued)
    op.drop_constraint("ck_template_channel", "template")
    op.create_check_constraint("channel", "template", "channel IN ('sms', 'wechat', 'push', 'voice')")
    _receipts()
    _recipients()
    _gateways()
    _calls()


def _receipts() -> None:
    op.create_table(
        "message_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message_receipt"),
        sa.UniqueConstraint(
            "channel", "external_id", "address_index", "delivered", "code",
            name="uq_message_receipt_natural_key",
        ),
    )  # fmt: skip
    op.create_index("ix_message_receipt_received_at", "message_receipt", ["received_at"])
    op.create_table(
        "channel_breaker",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", TIME),
        sa.Column("probe_until", TIME),
        sa.Column("last_failure", sa.Text()),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_channel_breaker"),
    )


def _recipients() -> None:
    op.create_table(
        "recipient_way",
        sa.Column("recipient_kind", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("recipient_kind", "recipient_id", "channel", name="pk_recipient_way"),
        sa.CheckConstraint("channel IN ('wechat', 'push')", name="channel"),
    )
    op.create_table(
        "recipient_choice",
        sa.Column("recipient_kind", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("recipient_kind", "recipient_id", "purpose", name="pk_recipient_choice"),
    )


def _gateways() -> None:
    op.create_table(
        "message_gateway",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("settings", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_index", sa.LargeBinary()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_message_gateway"),
        sa.UniqueConstraint("receipt_index", name="uq_message_gateway_receipt_index"),
        sa.CheckConstraint(
            "(channel = 'sms' AND vendor IN ('aliyun', 'tencent')) OR (channel = 'push' AND vendor = 'jpush')",
            name="vendor",
        ),
    )
    active = sa.text("active")
    op.create_index("ux_message_gateway_active", "message_gateway", ["channel"], unique=True, postgresql_where=active)
    op.create_table(
        "gateway_template",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("template_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("external_code", sa.Text(), nullable=False),
        sa.Column("params", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "template_code", "valid_from", name="pk_gateway_template"),
        sa.ForeignKeyConstraint(["gateway"], ["message_gateway.name"], name="fk_gateway_template_gateway"),
    )


def _calls() -> None:
    op.alter_column("callback_task", "call_id", nullable=True)
    op.add_column("callback_task", sa.Column("message_id", sa.Uuid()))
    op.add_column("callback_task", sa.Column("words", sa.LargeBinary()))
    op.create_unique_constraint("uq_callback_task_message_id", "callback_task", ["message_id"])
    op.create_check_constraint("of_one_thing", "callback_task", "(call_id IS NULL) <> (message_id IS NULL)")
    op.drop_constraint("ck_callback_task_reason", "callback_task")
    op.create_check_constraint("reason", "callback_task", f"reason IN ({REASONS}, 'not_reached')")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DELETE FROM callback_task WHERE call_id IS NULL")
    op.execute("DELETE FROM template WHERE channel = 'push'")
    op.drop_constraint("ck_callback_task_reason", "callback_task")
    op.create_check_constraint("reason", "callback_task", f"reason IN ({REASONS})")
    op.drop_constraint("ck_callback_task_of_one_thing", "callback_task")
    op.drop_constraint("uq_callback_task_message_id", "callback_task")
    for column in ("message_id", "words"):
        op.drop_column("callback_task", column)
    op.alter_column("callback_task", "call_id", nullable=False)
    for table in ("gateway_template", "message_gateway", "recipient_choice", "recipient_way", "channel_breaker"):
        op.drop_table(table)
    op.drop_table("message_receipt")
    op.drop_constraint("ck_template_channel", "template")
    op.create_check_constraint("channel", "template", "channel IN ('sms', 'wechat', 'voice')")
    op.drop_index("ix_outgoing_message_waiting", "outgoing_message")
    for column in ("stands_in_for", "otherwise", "address_index"):
        op.drop_column("outgoing_message", column)
