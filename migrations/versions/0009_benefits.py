"""Tables of `benefits`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scheme",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("item_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("requires_assessment", sa.Boolean(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name=op.f("ck_scheme_division_code")),
        sa.CheckConstraint("payer = 'government'", name=op.f("ck_scheme_payer")),
        sa.CheckConstraint("share_bp BETWEEN 1 AND 10000", name=op.f("ck_scheme_share")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_scheme_valid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme")),
        sa.UniqueConstraint("code", name=op.f("uq_scheme_code")),
    )
    op.create_table(
        "entitlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("scheme_id", sa.Uuid(), nullable=False),
        sa.Column("monthly_quota_fen", sa.BigInteger(), nullable=False),
        sa.Column("assessed_until", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("elder_id"), "="),
            (sa.column("scheme_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            using="gist",
            name="ex_entitlement_overlap",
        ),
        sa.CheckConstraint("monthly_quota_fen >= 0", name=op.f("ck_entitlement_quota")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_entitlement_valid")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_entitlement_elder_id")),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name=op.f("fk_entitlement_scheme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
    )
    op.create_index(op.f("ix_entitlement_elder_id"), "entitlement", ["elder_id"], unique=False)
    op.create_index(op.f("ix_entitlement_scheme_id"), "entitlement", ["scheme_id"], unique=False)
    op.create_table(
        "quota_month",
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("granted_fen", sa.BigInteger(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), nullable=False),
        sa.Column("consumed_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_quota_month_month")),
        sa.CheckConstraint(
            "granted_fen >= 0 AND reserved_fen >= 0 AND consumed_fen >= 0", name=op.f("ck_quota_month_not_negative")
        ),
        sa.CheckConstraint("reserved_fen + consumed_fen <= granted_fen", name=op.f("ck_quota_month_not_overdrawn")),
        sa.ForeignKeyConstraint(["entitlement_id"], ["entitlement.id"], name=op.f("fk_quota_month_entitlement_id")),
        sa.PrimaryKeyConstraint("entitlement_id", "month", name=op.f("pk_quota_month")),
    )
    op.create_table(
        "quota_movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('reserve', 'release', 'consume')", name=op.f("ck_quota_movement_kind")),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_quota_movement_amount")),
        sa.ForeignKeyConstraint(["entitlement_id"], ["entitlement.id"], name=op.f("fk_quota_movement_entitlement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_movement")),
        sa.UniqueConstraint(
            "order_id", "kind", "entitlement_id", name=op.f("uq_quota_movement_order_id_kind_entitlement_id")
        ),
    )
    op.create_index(
        "ix_quota_movement_closed_once",
        "quota_movement",
        ["order_id", "entitlement_id"],
        unique=True,
        postgresql_where=sa.text("kind <> 'reserve'"),
    )
    op.create_index(
        op.f("ix_quota_movement_entitlement_id_month"), "quota_movement", ["entitlement_id", "month"], unique=False
    )


def downgrade() -> None:
    op.drop_table("quota_movement")
    op.drop_table("quota_month")
    op.drop_table("entitlement")
    op.drop_table("scheme")
