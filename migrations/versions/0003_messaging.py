"""Tables of `messaging`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _template()
    _outgoing_message()


def downgrade() -> None:
    op.drop_table("outgoing_message")
    op.drop_table("template")


def _template() -> None:
    op.create_table(
        "template",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'wechat', 'voice')", name=op.f("ck_template_channel")),
        sa.PrimaryKeyConstraint("code", "channel", "language", "valid_from", name=op.f("pk_template")),
    )


def _outgoing_message() -> None:
    op.create_table(
        "outgoing_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_code", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("recipient_kind", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.Text(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("params", sa.LargeBinary(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("not_before", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("handed_over_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("settled_at", TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'sent', 'delivered', 'failed', 'unknown', 'suppressed')",
            name=op.f("ck_outgoing_message_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_message")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outgoing_message_dedupe_key")),
    )
    op.create_index(
        "ix_outgoing_message_contents", "outgoing_message", ["created_at"], postgresql_where="params IS NOT NULL"
    )
    op.create_index("ix_outgoing_message_external", "outgoing_message", ["channel", "external_id"])
    op.create_index(op.f("ix_outgoing_message_order_id"), "outgoing_message", ["order_id"])
    op.create_index(
        op.f("ix_outgoing_message_recipient_kind_recipient_id"), "outgoing_message", ["recipient_kind", "recipient_id"]
    )
