"""Urgent messages that were handed over and never answered for are found at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_outgoing_message_unanswered", "outgoing_message", ["handed_over_at"],
        postgresql_where=sa.text("status = 'unknown' AND urgent AND settled_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_outgoing_message_unanswered", "outgoing_message")
