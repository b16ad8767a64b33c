"""Tables of `dispatch`: the caregiver's day, weights by service type, contract shares."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
SLOTS = postgresql.BIT(384)


class Point(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "POINT"


def upgrade() -> None:
    _days()
    _tallies()
    _shares()
    op.add_column("dispatch_weights", sa.Column("service_type", sa.Text(), nullable=False, server_default="any"))
    op.add_column(
        "dispatch_weights", sa.Column("max_travel_minutes", sa.SmallInteger(), nullable=False, server_default="60")
    )
    for name in ("made_by", "reason"):
        op.add_column("dispatch_weights", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("dispatch_weights", sa.Column("made_at", TIME, nullable=False, server_default="2020-01-01"))
    for name in ("service_type", "max_travel_minutes", "made_by", "reason", "made_at"):
        op.alter_column("dispatch_weights", name, server_default=None)
    op.create_check_constraint(
        op.f("ck_dispatch_weights_max_travel"), "dispatch_weights", "max_travel_minutes BETWEEN 5 AND 240"
    )


def _days() -> None:
    op.create_table(
        "caregiver_day",
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("certificates", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("place", Point()),
        sa.Column("travel_mode", sa.SmallInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text()),
        sa.Column("rating", sa.Double(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("week_minutes", sa.Integer(), nullable=False),
        sa.Column("shift", SLOTS, nullable=False),
        sa.Column("taken", SLOTS, nullable=False),
        sa.Column("away", SLOTS),
        sa.PrimaryKeyConstraint("caregiver_id", "day", name="pk_caregiver_day"),
        postgresql_with={"fillfactor": 80},
    )
    place = {"postgresql_using": "gist", "postgresql_include": ["provider_id"]}
    op.create_index("ix_caregiver_day_place", "caregiver_day", ["day", "place"], **place)
    op.create_index(
        "ix_caregiver_day_specialist",
        "caregiver_day",
        ["day", "place"],
        postgresql_using="gist",
        postgresql_where=sa.text("(certificates & 124) <> 0"),
    )
    op.create_index("ix_caregiver_day_unplaced", "caregiver_day", ["day"], postgresql_where=sa.text("place IS NULL"))
    op.create_table(
        "prepared_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("prepared_at", TIME, nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_prepared_day"),
    )


def _tallies() -> None:
    op.create_table(
        "provider_week",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("median_minutes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("week", "provider_id", name="pk_provider_week"),
    )
    op.create_table(
        "provider_load",
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("service_day", "provider_id", name="pk_provider_load"),
    )
    op.create_table(
        "provider_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "division_code", "provider_id", name="pk_provider_month"),
    )


def _shares() -> None:
    op.create_table(
        "contract_share",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contract_share"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_contract_share_provider_id"),
        sa.CheckConstraint("share_bp BETWEEN 0 AND 10000", name=op.f("ck_contract_share_share")),
        sa.CheckConstraint("division_code ~ '^[0-9]{6}$'", name=op.f("ck_contract_share_division_code")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_contract_share_valid")),
        postgresql.ExcludeConstraint(
            (sa.column("provider_id"), "="),
            (sa.column("division_code"), "="),
            (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            name="ex_contract_share_overlap",
            using="gist",
        ),
    )
    op.create_index("ix_contract_share_division_code", "contract_share", ["division_code"])


def downgrade() -> None:
    op.drop_constraint(op.f("ck_dispatch_weights_max_travel"), "dispatch_weights")
    for name in ("service_type", "max_travel_minutes", "made_by", "reason", "made_at"):
        op.drop_column("dispatch_weights", name)
    for table in (
        "contract_share",
        "provider_month",
        "provider_load",
        "provider_week",
        "prepared_day",
        "caregiver_day",
    ):
        op.drop_table(table)
