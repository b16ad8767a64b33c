"""Tables of `visits`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visit_event",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("occurred_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("device_seq", sa.BigInteger(), nullable=True),
        sa.Column("lng", sa.Float(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("source_crs", sa.Text(), nullable=True),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("evidence", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("back_filled", sa.Boolean(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "method IN ('gps', 'phone', 'otp', 'qr', 'nfc', 'manual')", name=op.f("ck_visit_event_method")
        ),
        sa.CheckConstraint("result IN ('applied', 'late', 'needs_review')", name=op.f("ck_visit_event_result")),
        sa.CheckConstraint(
            "type IN ('departed', 'arrived', 'checked_in', 'checked_out', 'failed', 'evidence_added', "
            "'hazard_reported')",
            name=op.f("ck_visit_event_type"),
        ),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_visit_event_caregiver_id")),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name=op.f("fk_visit_event_order_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_visit_event_provider_id")),
        sa.PrimaryKeyConstraint("provider_id", "event_id", name=op.f("pk_visit_event")),
    )
    op.create_index(
        op.f("ix_visit_event_caregiver_id_occurred_at"), "visit_event", ["caregiver_id", "occurred_at"], unique=False
    )
    op.create_index(op.f("ix_visit_event_order_id"), "visit_event", ["order_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("caregiver_id", sa.Uuid(), nullable=True),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("departed_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("arrived_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("began_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("begin_method", sa.Text(), nullable=True),
        sa.Column("begin_lng", sa.Float(), nullable=True),
        sa.Column("begin_lat", sa.Float(), nullable=True),
        sa.Column("begin_accuracy_m", sa.Float(), nullable=True),
        sa.Column("begin_distance_m", sa.Integer(), nullable=True),
        sa.Column("begin_place", sa.Text(), nullable=False),
        sa.Column("ended_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("end_method", sa.Text(), nullable=True),
        sa.Column("end_lng", sa.Float(), nullable=True),
        sa.Column("end_lat", sa.Float(), nullable=True),
        sa.Column("end_accuracy_m", sa.Float(), nullable=True),
        sa.Column("end_distance_m", sa.Integer(), nullable=True),
        sa.Column("end_place", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("failed_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("manual", sa.Boolean(), nullable=False),
        sa.Column("hazards", ARRAY(sa.Text()), nullable=False),
        sa.Column("evidence", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("verification", sa.Text(), nullable=False),
        sa.Column("reasons", ARRAY(sa.Text()), nullable=False),
        sa.Column("decided_verdict", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("decided_on", JSONB(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "begin_method IN ('gps', 'phone', 'otp', 'qr', 'nfc', 'manual')", name=op.f("ck_visit_begin_method")
        ),
        sa.CheckConstraint("begin_place IN ('inside', 'cannot_tell', 'outside')", name=op.f("ck_visit_begin_place")),
        sa.CheckConstraint("decided_verdict IN ('verified', 'rejected')", name=op.f("ck_visit_decided_verdict")),
        sa.CheckConstraint(
            "end_method IN ('gps', 'phone', 'otp', 'qr', 'nfc', 'manual')", name=op.f("ck_visit_end_method")
        ),
        sa.CheckConstraint("end_place IN ('inside', 'cannot_tell', 'outside')", name=op.f("ck_visit_end_place")),
        sa.CheckConstraint(
            "status IN ('expected', 'en_route', 'arrived', 'in_service', 'ended', 'failed')",
            name=op.f("ck_visit_status"),
        ),
        sa.CheckConstraint(
            "verification IN ('pending', 'verified', 'review', 'rejected')", name=op.f("ck_visit_verification")
        ),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_visit_caregiver_id")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_visit_elder_id")),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name=op.f("fk_visit_order_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_visit_provider_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_caregiver_id_began_at"), "visit", ["caregiver_id", "began_at"], unique=False)
    op.create_index(op.f("ix_visit_division_code"), "visit", ["division_code"], unique=False)
    op.create_index(op.f("ix_visit_elder_id"), "visit", ["elder_id"], unique=False)
    op.create_index("ix_visit_manual", "visit", ["order_id"], unique=False, postgresql_where=sa.text("manual"))
    op.create_index(op.f("ix_visit_provider_id_service_day"), "visit", ["provider_id", "service_day"], unique=False)
    op.create_index(op.f("ix_visit_verification_order_id"), "visit", ["verification", "order_id"], unique=False)
    op.create_table(
        "visit_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column("coarse_m", sa.Integer(), nullable=False),
        sa.Column("back_fill_hours", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_policy")),
        sa.UniqueConstraint("division_code", "valid_from", name=op.f("uq_visit_policy_division_code_valid_from")),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_upload_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("file_name", name=op.f("uq_upload_file_name")),
    )
    op.create_index(op.f("ix_upload_provider_id_created_at"), "upload", ["provider_id", "created_at"], unique=False)
    op.create_index(op.f("ix_upload_sha256"), "upload", ["sha256"], unique=False)


def downgrade() -> None:
    op.drop_table("upload")
    op.drop_table("visit_policy")
    op.drop_table("visit")
    op.drop_table("visit_event")
