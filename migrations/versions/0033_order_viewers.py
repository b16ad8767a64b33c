"""Who looks at which order just now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_viewer",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "staff_id", name="pk_order_viewer"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_order_viewer_order_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_order_viewer_staff_id"),
    )


def downgrade() -> None:
    op.drop_table("order_viewer")
