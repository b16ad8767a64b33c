"""Tables of `orders`: the spine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.execute("CREATE SEQUENCE care_order_number MAXVALUE 9999999 CYCLE")
    op.create_table(
        "care_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("outcome_reason", sa.Text()),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("care_request_id", sa.Uuid()),
        sa.Column("requester_name", sa.Text()),
        sa.Column("requester_relation", sa.Text()),
        sa.Column("wanted_from", TIME, nullable=False),
        sa.Column("wanted_to", TIME),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("price_version_id", sa.Uuid()),
        sa.Column("payers", postgresql.JSONB(), nullable=False),
        sa.Column("copay_fen", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.Uuid()),
        sa.Column("caregiver_id", sa.Uuid()),
        sa.Column("offer_id", sa.Uuid()),
        sa.Column("assigned_at", TIME),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("rework_of", sa.Uuid()),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("lng", sa.Float()),
        sa.Column("lat", sa.Float()),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        sa.Column("completed_at", TIME),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("visit", postgresql.JSONB()),
        sa.Column("rating", sa.SmallInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_care_order"),
        sa.UniqueConstraint("number", name="uq_care_order_number"),
        sa.ForeignKeyConstraint(["item_code"], ["service_item.code"], name="fk_care_order_item_code"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_care_order_elder_id"),
        sa.ForeignKeyConstraint(["price_version_id"], ["price_version.id"], name="fk_care_order_price_version_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_care_order_provider_id"),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name="fk_care_order_caregiver_id"),
        sa.ForeignKeyConstraint(["rework_of"], ["care_order.id"], name="fk_care_order_rework_of"),
        sa.CheckConstraint(
            "status IN ('placed','dispatched','accepted','assigned','in_service','completed','closed','cancelled')",
            name=op.f("ck_care_order_status"),
        ),
        sa.CheckConstraint("outcome IN ('done','partly','not_done')", name=op.f("ck_care_order_outcome")),
        sa.CheckConstraint(
            "urgency IN ('emergency','urgent','normal','appointment')", name=op.f("ck_care_order_urgency")
        ),
        sa.CheckConstraint(
            "delivery IN ('none','queued','sent','fetched','expired')", name=op.f("ck_care_order_delivery")
        ),
        sa.CheckConstraint(
            "price_fen >= 0 AND copay_fen >= 0 AND copay_fen <= price_fen", name=op.f("ck_care_order_money")
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_care_order_minutes")),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_care_order_rating")),
        sa.CheckConstraint(
            "(status IN ('placed','cancelled')) OR provider_id IS NOT NULL",
            name=op.f("ck_care_order_provider_when_dispatched"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('assigned','in_service') OR caregiver_id IS NOT NULL",
            name=op.f("ck_care_order_caregiver_when_assigned"),
        ),
        sa.CheckConstraint(
            "(completed_at IS NULL) = (status NOT IN ('completed','closed'))", name=op.f("ck_care_order_completed_at")
        ),
    )
    for columns in (["elder_id", "id"], ["provider_id", "id"], ["updated_at", "id"], ["care_request_id"]):
        op.create_index(f"ix_care_order_{'_'.join(columns)}", "care_order", columns)
    op.create_index(
        "ix_care_order_completed_at_provider_id_id",
        "care_order",
        ["completed_at", "provider_id", "id"],
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_care_order_open",
        "care_order",
        ["division_code", "id"],
        postgresql_where=sa.text("status NOT IN ('closed','cancelled')"),
    )
    op.create_index(
        "ix_care_order_over",
        "care_order",
        ["division_code", "id"],
        postgresql_where=sa.text("status IN ('closed','cancelled')"),
    )
    op.create_table(
        "order_history",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("facts", postgresql.JSONB()),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "seq", name="pk_order_history"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_order_history_order_id"),
    )
    _clocks()


def _clocks() -> None:
    names = "name IN ('dispatch','accept','designate','arrive','follow_up')"
    op.create_table(
        "order_deadline",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("met_at", TIME),
        sa.Column("announced_at", TIME),
        sa.PrimaryKeyConstraint("order_id", "name", name="pk_order_deadline"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_order_deadline_order_id"),
        sa.CheckConstraint(names, name=op.f("ck_order_deadline_name")),
    )
    op.create_index(
        "ix_order_deadline_running",
        "order_deadline",
        ["due_at"],
        postgresql_where=sa.text("met_at IS NULL AND announced_at IS NULL"),
    )
    op.create_table(
        "deadline_rule",
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("rural_minutes", sa.Integer()),
        sa.Column("from_window", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("division_code", "urgency", "name", "valid_from", name="pk_deadline_rule"),
        sa.CheckConstraint(names, name=op.f("ck_deadline_rule_name")),
        sa.CheckConstraint(
            "urgency IN ('emergency','urgent','normal','appointment')", name=op.f("ck_deadline_rule_urgency")
        ),
    )


def downgrade() -> None:
    for table in ("deadline_rule", "order_deadline", "order_history", "care_order"):
        op.drop_table(table)
    op.execute("DROP SEQUENCE care_order_number")
