"""Tables of `providers`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("daily_capacity", sa.Integer(), nullable=True),
        sa.Column("monthly_quota", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name=op.f("ck_provider_division_code")),
        sa.CheckConstraint(
            "kind IN ('company', 'nonprofit', 'institution', 'station', 'individual')", name=op.f("ck_provider_kind")
        ),
        sa.CheckConstraint("status IN ('active', 'suspended', 'exited')", name=op.f("ck_provider_status")),
        sa.CheckConstraint("daily_capacity >= 0 AND monthly_quota >= 0", name=op.f("ck_provider_limits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("uscc", name=op.f("uq_provider_uscc")),
    )
    op.create_index(op.f("ix_provider_division_code"), "provider", ["division_code"], unique=False)
    op.create_table(
        "provider_area",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name=op.f("ck_provider_area_division_code")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_area_provider_id")),
        sa.PrimaryKeyConstraint("provider_id", "division_code", name=op.f("pk_provider_area")),
    )
    op.create_index(op.f("ix_provider_area_division_code"), "provider_area", ["division_code"], unique=False)
    op.create_table(
        "provider_item",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_item_provider_id")),
        sa.PrimaryKeyConstraint("provider_id", "item_code", name=op.f("pk_provider_item")),
    )
    op.create_index(op.f("ix_provider_item_item_code"), "provider_item", ["item_code"], unique=False)
    op.create_table(
        "caregiver",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("home_lng", sa.Double(), nullable=True),
        sa.Column("home_lat", sa.Double(), nullable=True),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("travel_mode", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name=op.f("ck_caregiver_division_code")),
        sa.CheckConstraint("sex IN ('male', 'female', 'unknown')", name=op.f("ck_caregiver_sex")),
        sa.CheckConstraint("status IN ('active', 'inactive')", name=op.f("ck_caregiver_status")),
        sa.CheckConstraint("travel_mode IN ('walk', 'ebike', 'bus', 'car')", name=op.f("ck_caregiver_travel_mode")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_caregiver_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caregiver")),
    )
    op.create_index(op.f("ix_caregiver_phone_index"), "caregiver", ["phone_index"], unique=False)
    op.create_index(op.f("ix_caregiver_provider_id"), "caregiver", ["provider_id"], unique=False)
    op.create_table(
        "caregiver_certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('health_certificate', 'nursing_assistant', 'nurse', 'rehabilitation_therapist', "
            "'social_worker', 'psychological_counsellor', 'home_adaptation_assessor', "
            "'background_check', 'insurance')",
            name=op.f("ck_caregiver_certificate_kind"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_caregiver_certificate_valid")),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_caregiver_certificate_caregiver_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caregiver_certificate")),
    )
    op.create_index(
        op.f("ix_caregiver_certificate_caregiver_id_kind"),
        "caregiver_certificate",
        ["caregiver_id", "kind"],
        unique=False,
    )
    op.create_table(
        "caregiver_shift",
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("starts_minute", sa.SmallInteger(), nullable=False),
        sa.Column("ends_minute", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "starts_minute >= 0 AND ends_minute > starts_minute AND ends_minute <= 1440",
            name=op.f("ck_caregiver_shift_minutes"),
        ),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_caregiver_shift_weekday")),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_caregiver_shift_caregiver_id")),
        sa.PrimaryKeyConstraint("caregiver_id", "weekday", "starts_minute", name=op.f("pk_caregiver_shift")),
    )
    op.create_table(
        "caregiver_absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_caregiver_absence_interval")),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_caregiver_absence_caregiver_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caregiver_absence")),
    )
    op.create_index(
        op.f("ix_caregiver_absence_caregiver_id_ends_at"),
        "caregiver_absence",
        ["caregiver_id", "ends_at"],
        unique=False,
    )
    op.create_table(
        "scorecard",
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("ratings", sa.Integer(), nullable=False),
        sa.Column("score_sum", sa.BigInteger(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("last_completed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ratings >= 0 AND completed >= 0 AND score_sum BETWEEN ratings AND 5 * ratings",
            name=op.f("ck_scorecard_sums"),
        ),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_scorecard_caregiver_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_scorecard_provider_id")),
        sa.PrimaryKeyConstraint("caregiver_id", name=op.f("pk_scorecard")),
    )
    op.create_index(op.f("ix_scorecard_provider_id"), "scorecard", ["provider_id"], unique=False)
    op.create_table(
        "continuity",
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("last_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("visits > 0", name=op.f("ck_continuity_visits")),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name=op.f("fk_continuity_caregiver_id")),
        sa.PrimaryKeyConstraint("elder_id", "caregiver_id", name=op.f("pk_continuity")),
    )
    op.create_index(op.f("ix_continuity_caregiver_id"), "continuity", ["caregiver_id"], unique=False)


def downgrade() -> None:
    op.drop_table("continuity")
    op.drop_table("scorecard")
    op.drop_table("caregiver_absence")
    op.drop_table("caregiver_shift")
    op.drop_table("caregiver_certificate")
    op.drop_table("caregiver")
    op.drop_table("provider_item")
    op.drop_table("provider_area")
    op.drop_table("provider")
