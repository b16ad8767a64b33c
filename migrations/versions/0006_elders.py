"""Tables of `elders`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "elder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_pinyin", sa.Text(), nullable=False),
        sa.Column("name_initials", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("source_crs", sa.Text(), nullable=True),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_raw", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("health_note", sa.LargeBinary(), nullable=True),
        sa.Column("last4_index", sa.LargeBinary(), nullable=True),
        sa.Column("gender_wish", sa.Text(), nullable=True),
        sa.Column("dialect", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name=op.f("ck_elder_division_code")),
        sa.CheckConstraint("gender_wish IN ('male', 'female')", name=op.f("ck_elder_gender_wish")),
        sa.CheckConstraint("sex IN ('male', 'female', 'unknown')", name=op.f("ck_elder_sex")),
        sa.CheckConstraint("source_crs IN ('wgs84', 'gcj02', 'bd09')", name=op.f("ck_elder_source_crs")),
        sa.CheckConstraint("status IN ('active', 'moved', 'deceased')", name=op.f("ck_elder_status")),
        sa.CheckConstraint("(lng IS NULL) = (lat IS NULL)", name=op.f("ck_elder_place")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder")),
    )
    op.create_index(op.f("ix_elder_division_code_id"), "elder", ["division_code", "id"], unique=False)
    op.create_index(op.f("ix_elder_id_number_index"), "elder", ["id_number_index"], unique=True)
    op.create_index(op.f("ix_elder_last4_index"), "elder", ["last4_index"], unique=False)
    op.create_table(
        "elder_name_key",
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_elder_name_key_elder_id")),
        sa.PrimaryKeyConstraint("elder_id", "key", name=op.f("pk_elder_name_key")),
    )
    op.create_index(
        op.f("ix_elder_name_key_key"),
        "elder_name_key",
        ["key"],
        unique=False,
        postgresql_ops={"key": "text_pattern_ops"},
    )
    op.create_table(
        "elder_phone",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("last4_index", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "relation IN ('self', 'spouse', 'child', 'grandchild', 'sibling', 'relative', 'neighbour', "
            "'community', 'guardian', 'other')",
            name=op.f("ck_elder_phone_relation"),
        ),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_elder_phone_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder_phone")),
    )
    op.create_index(op.f("ix_elder_phone_elder_id_position"), "elder_phone", ["elder_id", "position"], unique=False)
    op.create_index(op.f("ix_elder_phone_last4_index"), "elder_phone", ["last4_index"], unique=False)
    op.create_index(op.f("ix_elder_phone_phone_index"), "elder_phone", ["phone_index"], unique=False)
    op.create_table(
        "elder_tag",
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "tag IN ('extreme_poverty', 'urban_three_no', 'five_guarantees', 'low_income', "
            "'low_income_edge', 'living_alone', 'empty_nest', 'left_behind', 'childless', "
            "'incapacitated', 'semi_incapacitated', 'dementia', 'severely_disabled', "
            "'bereaved_single_child', 'entitled_group', 'advanced_age')",
            name=op.f("ck_elder_tag_tag"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_elder_tag_valid")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_elder_tag_elder_id")),
        sa.PrimaryKeyConstraint("elder_id", "tag", "valid_from", name=op.f("pk_elder_tag")),
    )
    op.create_index(op.f("ix_elder_tag_tag"), "elder_tag", ["tag"], unique=False)
    op.create_table(
        "family_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "relation IN ('self', 'spouse', 'child', 'grandchild', 'sibling', 'relative', 'neighbour', "
            "'community', 'guardian', 'other')",
            name=op.f("ck_family_member_relation"),
        ),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_family_member_elder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_member")),
    )
    op.create_index(op.f("ix_family_member_elder_id"), "family_member", ["elder_id"], unique=False)
    op.create_index(op.f("ix_family_member_phone_index"), "family_member", ["phone_index"], unique=False)


def downgrade() -> None:
    op.drop_table("family_member")
    op.drop_table("elder_tag")
    op.drop_table("elder_phone")
    op.drop_table("elder_name_key")
    op.drop_table("elder")
