"""Who consented in the elder's place, and how a consent was withdrawn; cards that elders carry;
where families may book without the desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("consent", sa.Column("guardian_id", sa.Uuid()))
    op.add_column("consent", sa.Column("withdrawn_channel", sa.Text()))
    op.add_column("consent", sa.Column("withdrawn_evidence", sa.Text()))
    _cards()
    op.create_table(
        "booking_rule",
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("division_code", "valid_from", name="pk_booking_rule"),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
    )


def _cards() -> None:
    op.create_table(
        "elder_card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("revoked_at", TIME),
        sa.Column("revoked_by", sa.Text()),
        sa.Column("helped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("helped_since", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_elder_card"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_elder_card_elder_id"),
        sa.UniqueConstraint("number", name="uq_elder_card_number"),
        sa.UniqueConstraint("token_hash", name="uq_elder_card_token_hash"),
        sa.CheckConstraint("number ~ '^[0-9]{8}$'", name="number"),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
    )
    living = sa.text("revoked_at IS NULL")
    op.create_index("uq_elder_card_live", "elder_card", ["elder_id"], unique=True, postgresql_where=living)
    op.create_index("ix_elder_card_elder_id", "elder_card", ["elder_id"])


def downgrade() -> None:
    op.drop_table("booking_rule")
    op.drop_table("elder_card")
    for column in ("withdrawn_evidence", "withdrawn_channel", "guardian_id"):
        op.drop_column("consent", column)
