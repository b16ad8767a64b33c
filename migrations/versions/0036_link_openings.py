"""Who looked by a signed link, and whom the link was given to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("signed_link", sa.Column("held_by", sa.Text()))
    op.create_table(
        "link_opening",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("slot", TIME, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("held_by", sa.Text()),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", "device", "slot", name="pk_link_opening"),
        sa.CheckConstraint("device IN ('wechat', 'phone', 'computer', 'program')", name="device"),
    )
    op.create_index(
        "ix_link_opening_purpose_subject_id_opened_at", "link_opening", ["purpose", "subject_id", "opened_at"]
    )
    op.create_index("ix_link_opening_opened_at", "link_opening", ["opened_at"])


def downgrade() -> None:
    op.drop_table("link_opening")
    op.drop_column("signed_link", "held_by")
