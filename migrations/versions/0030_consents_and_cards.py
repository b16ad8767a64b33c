"""Who consented in the elder's place, and how a consent was withdrawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consent", sa.Column("guardian_id", sa.Uuid()))
    op.add_column("consent", sa.Column("withdrawn_channel", sa.Text()))
    op.add_column("consent", sa.Column("withdrawn_evidence", sa.Text()))


def downgrade() -> None:
    for column in ("withdrawn_evidence", "withdrawn_channel", "guardian_id"):
        op.drop_column("consent", column)
