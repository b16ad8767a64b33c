"""Tables of `dispatch`: measured ways and what was learned from them; maps; scarcity and the switch to batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "trip",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("metres", sa.Float(), nullable=False),
        sa.Column("minutes", sa.Float(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_trip"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_trip_order_id"),
    )
    op.create_index("ix_trip_day", "trip", ["day"])
    _calibration()
    op.create_table(
        "map_answer",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("origin", "destination", "mode", "band")),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("origin", "destination", "mode", "band", name="pk_map_answer"),
    )
    op.create_index("ix_map_answer_expires_at", "map_answer", ["expires_at"])
    _scarcity()


def _calibration() -> None:
    op.create_table(
        "travel_calibration",
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Float(), nullable=False)
            for name in ("p50_fixed", "p50_per_km", "p80_fixed", "p80_per_km")
        ),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("fitted_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("version", "mode", "band", name="pk_travel_calibration"),
        sa.CheckConstraint(
            "p50_fixed >= 0 AND p50_per_km >= 0 AND p80_fixed >= p50_fixed AND p80_per_km >= p50_per_km",
            name=op.f("ck_travel_calibration_lines"),
        ),
    )


def _scarcity() -> None:
    op.create_table(
        "scarcity",
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("pressure", sa.Float(), nullable=False),
        sa.Column("batching", sa.Boolean(), nullable=False),
        sa.Column("measured_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("division_code", "item_code", name="pk_scarcity"),
    )
    op.create_table(
        "batch_switch",
        sa.Column("version", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("opens", sa.Float(), nullable=False),
        sa.Column("closes", sa.Float(), nullable=False),
        sa.Column("longest_wait", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_batch_switch"),
        sa.CheckConstraint("opens >= closes AND closes >= 0 AND longest_wait >= 0", name=op.f("ck_batch_switch_sense")),
    )


def downgrade() -> None:
    for table in ("batch_switch", "scarcity", "map_answer", "travel_calibration", "trip"):
        op.drop_table(table)
