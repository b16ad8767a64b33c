"""Tables of `dispatch`: offers, bookings under an exclusion constraint, decisions, weights, blocked pairs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    _offers()
    op.create_table(
        "booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_booking"),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name="fk_booking_caregiver_id"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_booking_order_id"),
        sa.CheckConstraint("status IN ('held','booked','released')", name=op.f("ck_booking_status")),
        postgresql.ExcludeConstraint(
            ("caregiver_id", "="),
            ("during", "&&"),
            name="ex_booking_caregiver_during",
            using="gist",
            where=sa.text("status <> 'released'"),
        ),
    )
    op.create_index("ix_booking_order_id", "booking", ["order_id"])
    _reasons()


def _offers() -> None:
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid()),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("deadline_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("reason_code", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_offer"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_offer_order_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_offer_provider_id"),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name="fk_offer_caregiver_id"),
        sa.CheckConstraint(
            "status IN ('offered','accepted','refused','expired','withdrawn')", name=op.f("ck_offer_status")
        ),
        sa.CheckConstraint("mode IN ('auto','manual')", name=op.f("ck_offer_mode")),
    )
    offered = sa.text("status = 'offered'")
    op.create_index("ix_offer_one_open", "offer", ["order_id"], unique=True, postgresql_where=offered)
    op.create_index("ix_offer_order_id", "offer", ["order_id"])
    op.create_index("ix_offer_waiting", "offer", ["deadline_at"], postgresql_where=offered)
    op.create_index(
        "ix_offer_load",
        "offer",
        ["provider_id", "service_day"],
        postgresql_where=sa.text("status IN ('offered','accepted')"),
    )


def _reasons() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("weights_version", sa.Integer()),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("excluded", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("funnel", postgresql.JSONB(), nullable=False),
        sa.Column("ranked", postgresql.JSONB(), nullable=False),
        sa.Column("chosen_caregiver_id", sa.Uuid()),
        sa.Column("chosen_provider_id", sa.Uuid()),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_decision_order_id"),
    )
    op.create_index("ix_decision_order_id", "decision", ["order_id"])
    op.create_table(
        "dispatch_weights",
        sa.Column("version", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("weights", postgresql.JSONB(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_dispatch_weights"),
        sa.CheckConstraint(
            "urgency IN ('any','emergency','urgent','normal','appointment')", name=op.f("ck_dispatch_weights_urgency")
        ),
    )
    op.create_table(
        "blocked_pair",
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("elder_id", "caregiver_id", name="pk_blocked_pair"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_blocked_pair_elder_id"),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"], name="fk_blocked_pair_caregiver_id"),
    )


def downgrade() -> None:
    for table in ("blocked_pair", "dispatch_weights", "decision", "booking", "offer"):
        op.drop_table(table)
