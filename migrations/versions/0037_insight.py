"""Figures as they stood at the end of each day, and indexes by the day things belong to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
BY_DAY = (
    ("care_order", "wanted_from"), ("care_request", "created_at"), ("incident", "first_at"),
    ("inbound_contact", "received_at"), ("call", "first_at"),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "indicator_day",
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("as_of", name="pk_indicator_day"),
    )
    op.create_table(
        "indicator_snapshot",
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("service_day", "division_code", "provider", "as_of", name="pk_indicator_snapshot"),
        sa.ForeignKeyConstraint(["as_of"], ["indicator_day.as_of"], name="fk_indicator_snapshot_as_of"),
    )
    op.create_index("ix_indicator_snapshot_as_of", "indicator_snapshot", ["as_of"])
    for table, column in BY_DAY:
        op.create_index(f"ix_{table}_by_day", table, [column])


def downgrade() -> None:
    for table, _ in BY_DAY:
        op.drop_index(f"ix_{table}_by_day", table)
    op.drop_table("indicator_snapshot")
    op.drop_table("indicator_day")
