"""A disruption keeps which visits lost somebody, and who could come to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("round_repair", sa.Column("lost", postgresql.JSONB()))


def downgrade() -> None:
    op.drop_column("round_repair", "lost")
