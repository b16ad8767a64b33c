"""Tables of `followup`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "followup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("selected_because", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("due_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("next_call_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("passes_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("announced_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_followup_closed_at")),
        sa.CheckConstraint("(status = 'closed') = (outcome IS NOT NULL)", name=op.f("ck_followup_outcome_when_closed")),
        sa.CheckConstraint(
            "outcome IN ('reached', 'rated', 'refused', 'unreachable', 'passed')", name=op.f("ck_followup_outcome")
        ),
        sa.CheckConstraint("selection IN ('always', 'sampled', 'not_sampled')", name=op.f("ck_followup_selection")),
        sa.CheckConstraint("status IN ('due', 'watching', 'closed')", name=op.f("ck_followup_status")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_followup_elder_id")),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name=op.f("fk_followup_order_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_followup_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followup")),
        sa.UniqueConstraint("order_id", name=op.f("uq_followup_order_id")),
    )
    op.create_index(op.f("ix_followup_division_code_id"), "followup", ["division_code", "id"], unique=False)
    op.create_index(op.f("ix_followup_due_at_id"), "followup", ["due_at", "id"], unique=False)
    op.create_index(
        "ix_followup_due", "followup", ["next_call_at", "id"], unique=False, postgresql_where=sa.text("status = 'due'")
    )
    op.create_index(op.f("ix_followup_elder_id_provider_id"), "followup", ["elder_id", "provider_id"], unique=False)
    op.create_index(
        "ix_followup_watching", "followup", ["passes_at"], unique=False, postgresql_where=sa.text("status = 'watching'")
    )
    op.create_table(
        "followup_attempt",
        sa.Column("followup_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("quiet_hours", sa.Boolean(), nullable=False),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('reached', 'no_answer', 'refused', 'wrong_number')", name=op.f("ck_followup_attempt_outcome")
        ),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_followup_attempt_score")),
        sa.ForeignKeyConstraint(["followup_id"], ["followup.id"], name=op.f("fk_followup_attempt_followup_id")),
        sa.PrimaryKeyConstraint("followup_id", "number", name=op.f("pk_followup_attempt")),
    )
    op.create_table(
        "rating",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("tags", ARRAY(sa.Text()), nullable=False),
        sa.Column("comment", sa.LargeBinary(), nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("first_of_source", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("source IN ('call', 'family')", name=op.f("ck_rating_source")),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_rating_score")),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_rating_caregiver_id")),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name=op.f("fk_rating_order_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_rating_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
    )
    op.create_index(op.f("ix_rating_caregiver_id_at"), "rating", ["caregiver_id", "at"], unique=False)
    op.create_index(op.f("ix_rating_order_id"), "rating", ["order_id"], unique=False)
    op.create_index(op.f("ix_rating_provider_id_at"), "rating", ["provider_id", "at"], unique=False)
    op.create_index("uq_rating_counts", "rating", ["order_id"], unique=True, postgresql_where=sa.text("counts"))
    op.create_index(
        "uq_rating_first_of_source",
        "rating",
        ["order_id", "source"],
        unique=True,
        postgresql_where=sa.text("first_of_source"),
    )
    op.create_table(
        "complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("elder_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("division_code", sa.Text(), nullable=True),
        sa.Column("care_request_id", sa.Uuid(), nullable=True),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=True),
        sa.Column("rating_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reply_due_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("close_due_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replied_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reply", sa.LargeBinary(), nullable=True),
        sa.Column("upheld", sa.Text(), nullable=True),
        sa.Column("measures", sa.LargeBinary(), nullable=True),
        sa.Column("rework_order_id", sa.Uuid(), nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'decided') = (upheld IS NOT NULL)", name=op.f("ck_complaint_upheld_when_decided")
        ),
        sa.CheckConstraint("source IN ('call', 'family', 'desk', 'request')", name=op.f("ck_complaint_source")),
        sa.CheckConstraint("status IN ('open', 'replied', 'decided')", name=op.f("ck_complaint_status")),
        sa.CheckConstraint("upheld IN ('full', 'partly', 'no')", name=op.f("ck_complaint_upheld")),
        sa.CheckConstraint(
            "urgency IN ('emergency', 'urgent', 'normal', 'appointment')", name=op.f("ck_complaint_urgency")
        ),
        sa.ForeignKeyConstraint(["care_request_id"], ["care_request.id"], name=op.f("fk_complaint_care_request_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_complaint_elder_id")),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name=op.f("fk_complaint_order_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_complaint_provider_id")),
        sa.ForeignKeyConstraint(["rating_id"], ["rating.id"], name=op.f("fk_complaint_rating_id")),
        sa.ForeignKeyConstraint(["rework_order_id"], ["care_order.id"], name=op.f("fk_complaint_rework_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("care_request_id", name=op.f("uq_complaint_care_request_id")),
    )
    op.create_index(op.f("ix_complaint_division_code_id"), "complaint", ["division_code", "id"], unique=False)
    op.create_index(op.f("ix_complaint_elder_id"), "complaint", ["elder_id"], unique=False)
    op.create_index(op.f("ix_complaint_order_id"), "complaint", ["order_id"], unique=False)
    op.create_index(op.f("ix_complaint_provider_id_opened_at"), "complaint", ["provider_id", "opened_at"], unique=False)
    op.create_index(
        "uq_complaint_open_order",
        "complaint",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'decided'"),
    )
    op.create_table(
        "followup_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("always", sa.Boolean(), nullable=False),
        sa.Column("sample_bp", sa.Integer(), nullable=False),
        sa.Column("pass_hours", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("reply_hours", sa.Integer(), nullable=True),
        sa.Column("reply_working_days", sa.Integer(), nullable=True),
        sa.Column("close_hours", sa.Integer(), nullable=True),
        sa.Column("close_working_days", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "urgency IN ('emergency', 'urgent', 'normal', 'appointment')", name=op.f("ck_followup_rule_urgency")
        ),
        sa.CheckConstraint(
            "(close_hours IS NULL) <> (close_working_days IS NULL)", name=op.f("ck_followup_rule_close_clock")
        ),
        sa.CheckConstraint(
            "(reply_hours IS NULL) <> (reply_working_days IS NULL)", name=op.f("ck_followup_rule_reply_clock")
        ),
        sa.CheckConstraint("sample_bp BETWEEN 0 AND 10000", name=op.f("ck_followup_rule_sample_bp")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followup_rule")),
        sa.UniqueConstraint(
            "division_code", "urgency", "valid_from", name=op.f("uq_followup_rule_division_code_urgency_valid_from")
        ),
    )


def downgrade() -> None:
    op.drop_table("followup_rule")
    op.drop_table("complaint")
    op.drop_table("rating")
    op.drop_table("followup_attempt")
    op.drop_table("followup")
