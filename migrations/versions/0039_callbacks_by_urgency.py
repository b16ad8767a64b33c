"""Call-backs in the order they press: what is urgent first, then what is due first; what stands for a message belongs
to its division's desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# Of what is due now: its message says whether it is urgent, and whose it is; an alarm's bears the alarm's id in its
# key. What cannot be told stays everybody's.
AS_THE_MESSAGE = """UPDATE callback_task t
SET urgent = m.urgent, division_code = coalesce(o.division_code, i.division_code)
FROM outgoing_message m LEFT JOIN care_order o ON o.id = m.order_id
LEFT JOIN incident i ON m.template_code LIKE 'sos%' AND i.id::text = split_part(m.dedupe_key, ':', 2)
WHERE m.id = t.message_id AND t.status = 'due'"""


def upgrade() -> None:
    op.add_column("outgoing_message", sa.Column("division_code", sa.Text()))
    op.add_column("callback_task", sa.Column("division_code", sa.Text()))
    op.add_column("callback_task", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.execute(AS_THE_MESSAGE)
    op.create_index("ix_callback_task_pressing", "callback_task", ["status", sa.text("urgent DESC"), "due_at", "id"])
    op.drop_index("ix_callback_task_status_id", "callback_task")


def downgrade() -> None:
    op.create_index("ix_callback_task_status_id", "callback_task", ["status", "id"])
    op.drop_index("ix_callback_task_pressing", "callback_task")
    op.drop_column("callback_task", "urgent")
    op.drop_column("callback_task", "division_code")
    op.drop_column("outgoing_message", "division_code")
