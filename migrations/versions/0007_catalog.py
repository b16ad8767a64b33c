"""Tables of `catalog`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "service_item",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("standard_minutes", sa.Integer(), nullable=False),
        sa.Column("min_minutes", sa.Integer(), nullable=False),
        sa.Column("rounding_minutes", sa.Integer(), nullable=False),
        sa.Column("max_minutes", sa.Integer(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "category IN ('daily_living', 'basic_care', 'health', 'visiting', 'comfort', 'errands', 'adaptation')",
            name=op.f("ck_service_item_category"),
        ),
        sa.CheckConstraint("kind IN ('home_visit', 'delivery', 'consultation')", name=op.f("ck_service_item_kind")),
        sa.CheckConstraint("tier IN ('free', 'low_fee', 'market')", name=op.f("ck_service_item_tier")),
        sa.CheckConstraint("unit IN ('minutes', 'visit')", name=op.f("ck_service_item_unit")),
        sa.CheckConstraint(
            "min_minutes >= 0 AND rounding_minutes >= 1 AND standard_minutes >= min_minutes AND "
            "max_minutes >= standard_minutes",
            name=op.f("ck_service_item_minutes"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_service_item")),
    )
    op.create_index(op.f("ix_service_item_category"), "service_item", ["category"], unique=False)
    op.create_table(
        "price_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("per_minutes", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("item_code"), "="),
            (sa.column("division_code"), "="),
            (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            using="gist",
            name="ex_price_version_overlap",
        ),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name=op.f("ck_price_version_division_code")),
        sa.CheckConstraint("per_minutes > 0", name=op.f("ck_price_version_per_minutes")),
        sa.CheckConstraint("price_fen >= 0", name=op.f("ck_price_version_price")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_price_version_valid")),
        sa.ForeignKeyConstraint(["item_code"], ["service_item.code"], name=op.f("fk_price_version_item_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_version")),
    )
    op.create_index(
        op.f("ix_price_version_item_code_division_code_valid_from"),
        "price_version",
        ["item_code", "division_code", "valid_from"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("price_version")
    op.drop_table("service_item")
