"""What the desk answers from, and which article an answer came from; what passes between 12345 and us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
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
    _transfers()


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


def _transfers() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("hotline", sa.Text(), nullable=False),
        sa.Column("their_number", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("care_request_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("reply", sa.LargeBinary()),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("overdue_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transfer"),
        sa.ForeignKeyConstraint(["care_request_id"], ["care_request.id"], name="fk_transfer_care_request_id"),
        sa.UniqueConstraint("direction", "hotline", "their_number", name="uq_transfer_direction_hotline_their_number"),
        sa.CheckConstraint("direction IN ('in', 'out')", name="direction"),
        sa.CheckConstraint(
            "direction = 'in' AND status IN ('received', 'accepted', 'replied', 'returned')"
            " OR direction = 'out' AND status IN ('sent', 'acknowledged', 'answered', 'returned')",
            name="status",
        ),
        sa.CheckConstraint(
            "direction = 'out' OR (their_number IS NOT NULL AND due_at IS NOT NULL)", name="in_has_number"
        ),
        sa.CheckConstraint("status <> 'acknowledged' OR their_number IS NOT NULL", name="acknowledged_has_number"),
        sa.CheckConstraint("(status IN ('replied', 'answered')) = (reply IS NOT NULL)", name="replied_has_reply"),
        sa.CheckConstraint("(status = 'returned') = (reason IS NOT NULL)", name="returned_has_reason"),
    )
    by_request, still_open = ["care_request_id"], "status IN ('received', 'accepted', 'sent', 'acknowledged')"
    op.create_index("uq_transfer_in", "transfer", by_request, unique=True, postgresql_where=sa.text("direction = 'in'"))
    sent = sa.text("status IN ('sent', 'acknowledged')")
    op.create_index("uq_transfer_out_open", "transfer", by_request, unique=True, postgresql_where=sent)
    op.create_index("ix_transfer_care_request_id", "transfer", by_request)
    op.create_index("ix_transfer_open_due_at", "transfer", ["due_at"], postgresql_where=sa.text(still_open))
    op.create_table(
        "transfer_step",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", "number", name="pk_transfer_step"),
        sa.UniqueConstraint("transfer_id", "status", name="uq_transfer_step_transfer_id_status"),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name="fk_transfer_step_transfer_id"),
    )


def downgrade() -> None:
    op.drop_table("transfer_step")
    op.drop_table("transfer")
    op.drop_column("care_request", "article_id")
    op.drop_table("article")
