"""A task may be of an exchange that was not heard for a while: of no call, and of no message."""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

REASONS = "'abandoned', 'voicemail', 'after_hours', 'not_reached'"


def upgrade() -> None:
    op.drop_constraint("ck_callback_task_reason", "callback_task")
    op.create_check_constraint("reason", "callback_task", f"reason IN ({REASONS}, 'exchange_unheard')")
    op.drop_constraint("ck_callback_task_of_one_thing", "callback_task")
    one = "num_nonnulls(call_id, message_id) = CASE reason WHEN 'exchange_unheard' THEN 0 ELSE 1 END"
    op.create_check_constraint("of_one_thing", "callback_task", one)


def downgrade() -> None:
    op.execute("DELETE FROM callback_task WHERE reason = 'exchange_unheard'")
    op.drop_constraint("ck_callback_task_of_one_thing", "callback_task")
    op.create_check_constraint("of_one_thing", "callback_task", "(call_id IS NULL) <> (message_id IS NULL)")
    op.drop_constraint("ck_callback_task_reason", "callback_task")
    op.create_check_constraint("reason", "callback_task", f"reason IN ({REASONS})")
