"""Call-backs in the order they press: what is urgent first, then what is due first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("callback_task", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    # What is due now and was urgent when it was asked for: its message says so.
    op.execute("""UPDATE callback_task t SET urgent = true FROM outgoing_message m
WHERE m.id = t.message_id AND m.urgent AND t.status = 'due'""")
    op.create_index("ix_callback_task_pressing", "callback_task", ["status", sa.text("urgent DESC"), "due_at", "id"])
    op.drop_index("ix_callback_task_status_id", "callback_task")


def downgrade() -> None:
    op.create_index("ix_callback_task_status_id", "callback_task", ["status", "id"])
    op.drop_index("ix_callback_task_pressing", "callback_task")
    op.drop_column("callback_task", "urgent")
