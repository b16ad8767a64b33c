"""WeChat both ways: who follows us, who may be written to, with which template, and the one token for all workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("wechat_account", sa.Column("kind", sa.Text(), nullable=False, server_default="official"))
    op.add_column("wechat_account", sa.Column("secret", sa.LargeBinary()))
    op.create_check_constraint("kind", "wechat_account", "kind IN ('official', 'mini_program')")
    op.add_column("contact_sender", sa.Column("sender", sa.LargeBinary()))
    op.add_column("contact_sender", sa.Column("phone_index", sa.LargeBinary()))
    op.create_index("ix_contact_sender_channel_phone_index", "contact_sender", ["channel", "phone_index"])
    op.create_table(
        "wechat_follower",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sender_index", sa.LargeBinary(), nullable=False),
        sa.Column("following", sa.Boolean(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("account", "sender_index", name="pk_wechat_follower"),
    )
    op.create_table(
        "wechat_template",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("page", sa.Text()),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("account", "code", name="pk_wechat_template"),
        sa.ForeignKeyConstraint(["account"], ["wechat_account.account"], name="fk_wechat_template_account"),
        sa.CheckConstraint("way IN ('template', 'subscription', 'mini_program')", name="way"),
    )
    op.create_table(
        "wechat_consent",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sender_index", sa.LargeBinary(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("left_over", sa.Integer(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("account", "sender_index", "template_id", name="pk_wechat_consent"),
        sa.CheckConstraint("left_over >= 0", name="left_over"),
    )
    op.create_table(
        "wechat_token",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary()),
        sa.Column("fetched_at", TIME),
        sa.Column("expires_at", TIME),
        sa.PrimaryKeyConstraint("account", name="pk_wechat_token"),
        sa.ForeignKeyConstraint(["account"], ["wechat_account.account"], name="fk_wechat_token_account"),
        sa.CheckConstraint(
            "(token IS NULL) = (fetched_at IS NULL) AND (token IS NULL) = (expires_at IS NULL)", name="whole"
        ),
    )
    op.create_table(
        "wechat_used_state",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_wechat_used_state"),
    )
    op.create_index("ix_wechat_used_state_expires_at", "wechat_used_state", ["expires_at"])


def downgrade() -> None:
    for table in ("wechat_used_state", "wechat_token", "wechat_consent", "wechat_template", "wechat_follower"):
        op.drop_table(table)
    op.drop_index("ix_contact_sender_channel_phone_index", "contact_sender")
    op.drop_column("contact_sender", "phone_index")
    op.drop_column("contact_sender", "sender")
    op.drop_column("wechat_account", "secret")
    op.drop_column("wechat_account", "kind")
