"""Devices are bound to elders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
KINDS = "'button', 'watch', 'fall_detector', 'smoke_detector', 'gas_detector', 'water_detector', 'pull_cord', 'other'"


def upgrade() -> None:
    op.create_table(
        "elder_device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text()),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("bound_at", TIME, nullable=False),
        sa.Column("bound_by", sa.Text(), nullable=False),
        sa.Column("unbound_at", TIME),
        sa.Column("unbound_by", sa.Text()),
        sa.Column("seen_at", TIME),
        sa.Column("battery", sa.SmallInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_elder_device"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_elder_device_elder_id"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="kind"),
    )
    op.create_index(
        "ux_elder_device_bound",
        "elder_device",
        ["vendor", "number"],
        unique=True,
        postgresql_where=sa.text("unbound_at IS NULL"),
    )
    op.create_index("ix_elder_device_elder_id", "elder_device", ["elder_id"])


def downgrade() -> None:
    op.drop_table("elder_device")
