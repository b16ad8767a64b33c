"""Tables of `orders`: recurring plans and the times they rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    _plans()
    op.create_table(
        "recurring_rest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid()),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recurring_rest"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_recurring_rest_elder_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["recurring_plan.id"], name="fk_recurring_rest_plan_id"),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_recurring_rest_days")),
    )
    op.create_index("ix_recurring_rest_elder_id", "recurring_rest", ["elder_id"])
    op.create_table(
        "recurring_occurrence",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid()),
        sa.Column("reason", sa.Text()),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "day", "slot", name="pk_recurring_occurrence"),
        sa.ForeignKeyConstraint(["plan_id"], ["recurring_plan.id"], name="fk_recurring_occurrence_plan_id"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_recurring_occurrence_order_id"),
        sa.CheckConstraint("state IN ('ordered','failed','withdrawn')", name=op.f("ck_recurring_occurrence_state")),
        sa.CheckConstraint("state = 'failed' OR order_id IS NOT NULL", name=op.f("ck_recurring_occurrence_order")),
    )
    op.create_index("ix_recurring_occurrence_order_id", "recurring_occurrence", ["order_id"])


def _plans() -> None:
    op.create_table(
        "recurring_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("every", sa.SmallInteger(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("slots", postgresql.JSONB(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("holidays", sa.Text(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid()),
        sa.Column("provider_id", sa.Uuid()),
        sa.Column("requester_name", sa.Text()),
        sa.Column("requester_relation", sa.Text()),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("ended_reason", sa.Text()),
        sa.Column("made_through", sa.Date(), nullable=False),
        sa.Column("retry_at", TIME),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recurring_plan"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_recurring_plan_elder_id"),
        sa.ForeignKeyConstraint(["item_code"], ["service_item.code"], name="fk_recurring_plan_item_code"),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name="fk_recurring_plan_caregiver_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_recurring_plan_provider_id"),
        sa.CheckConstraint("holidays IN ('keep','skip','next_workday')", name=op.f("ck_recurring_plan_holidays")),
        sa.CheckConstraint("every BETWEEN 1 AND 366 AND minutes > 0", name=op.f("ck_recurring_plan_numbers")),
        sa.CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}'", name=op.f("ck_recurring_plan_weekdays")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_recurring_plan_valid")),
    )
    op.create_index("ix_recurring_plan_elder_id", "recurring_plan", ["elder_id"])
    op.create_index("ix_recurring_plan_division_code_id", "recurring_plan", ["division_code", "id"])
    op.create_index(
        "ix_recurring_plan_due",
        "recurring_plan",
        ["made_through", "id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("recurring_occurrence", "recurring_rest", "recurring_plan"):
        op.drop_table(table)
