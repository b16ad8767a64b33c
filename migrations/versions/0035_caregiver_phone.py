"""The caregiver's phone: the key it signs with, and whether a way of checking in held when it was looked at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("caregiver_session", sa.Column("device_key", sa.LargeBinary()))
    op.create_check_constraint("device_key", "caregiver_session", "octet_length(device_key) = 65")
    op.add_column("visit_event", sa.Column("proved", sa.Boolean()))


def downgrade() -> None:
    op.drop_column("visit_event", "proved")
    op.drop_column("caregiver_session", "device_key")
