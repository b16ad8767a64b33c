"""What the desk answers from, and which article an answer came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0025"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
TOPICS = (
    "'allowance', 'service', 'assessment', 'insurance', 'preference', 'meals', 'safety', 'rights', 'facilities', "
    "'hotline'"
)


def upgrade() -> None:
    _articles()
    op.add_column("care_request", sa.Column("article_id", sa.Uuid()))
    op.create_foreign_key("fk_care_request_article_id", "care_request", "article", ["article_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_care_request_article_of_an_answer"), "care_request", "article_id IS NULL OR status = 'answered'"
    )
    op.create_index("ix_care_request_article_id", "care_request", ["article_id"])


def _articles() -> None:
    op.create_table(
        "article",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("initials", sa.Text(), nullable=False),
        sa.Column("keywords", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("published_at", TIME, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", TIME),
        sa.Column("withdrawn_by", sa.Text()),
        sa.Column("withdrawn_reason", sa.Text()),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_article"),
        sa.UniqueConstraint("code", "division_code", "version", name="uq_article_code_division_code_version"),
        sa.CheckConstraint(f"topic IN ({TOPICS})", name="topic"),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        sa.CheckConstraint("valid_to >= valid_from", name="valid"),
        sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn_by_somebody"),
        postgresql.ExcludeConstraint(
            (sa.column("code"), "="),
            (sa.column("division_code"), "="),
            (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            using="gist",
            where=sa.text("withdrawn_at IS NULL"),
            name="ex_article_overlap",
        ),
    )
    op.create_index("ix_article_topic", "article", ["topic"])


def downgrade() -> None:
    op.drop_column("care_request", "article_id")
    op.drop_table("article")
