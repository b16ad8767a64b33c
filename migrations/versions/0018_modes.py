"""Tables of `dispatch`: ways of offering an order, and visits of two caregivers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
LIVE = sa.text("status <> 'released'")


def upgrade() -> None:
    _two_caregivers()
    _offers()
    op.add_column("decision", sa.Column("mode_version", sa.Integer()))
    op.add_column("decision", sa.Column("chosen_second_id", sa.Uuid()))
    op.execute("UPDATE decision SET mode = 'ranked' WHERE mode = 'auto'")
    _rules()


def _two_caregivers() -> None:
    op.add_column("service_item", sa.Column("caregivers", sa.SmallInteger(), nullable=False, server_default="1"))
    op.alter_column("service_item", "caregivers", server_default=None)
    op.create_check_constraint(op.f("ck_service_item_caregivers"), "service_item", "caregivers IN (1, 2)")
    op.add_column("care_order", _caregiver("care_order"))
    op.create_check_constraint(
        op.f("ck_care_order_two_caregivers"), "care_order", "second_caregiver_id <> caregiver_id"
    )
    op.drop_constraint(op.f("ck_care_order_provider_when_dispatched"), "care_order")
    op.create_check_constraint(
        op.f("ck_care_order_provider_when_accepted"),
        "care_order",
        "(status IN ('placed','dispatched','cancelled')) OR provider_id IS NOT NULL",
    )
    op.add_column("booking", sa.Column("role", sa.Text(), nullable=False, server_default="lead"))
    op.alter_column("booking", "role", server_default=None)
    op.create_check_constraint(op.f("ck_booking_role"), "booking", "role IN ('lead','second')")
    op.create_index("ix_booking_one_live", "booking", ["order_id", "role"], unique=True, postgresql_where=LIVE)
    op.drop_index("ix_booking_order_id", "booking")


def _caregiver(table: str) -> sa.Column[sa.Uuid]:
    key = sa.ForeignKey("caregiver.id", name=f"fk_{table}_second_caregiver_id")
    return sa.Column("second_caregiver_id", sa.Uuid(), key)


def _offers() -> None:
    op.add_column("offer", _caregiver("offer"))
    op.add_column("offer", sa.Column("delivery", sa.Text(), nullable=False, server_default="fetched"))
    op.alter_column("offer", "delivery", server_default=None)
    for name, kind in (
        ("sent_at", TIME), ("fetched_at", TIME), ("fed_txid", sa.BigInteger()), ("fed_id", sa.BigInteger())
    ):  # fmt: skip
        op.add_column("offer", sa.Column(name, kind))
    op.drop_constraint(op.f("ck_offer_mode"), "offer")
    op.execute("UPDATE offer SET mode = 'ranked' WHERE mode = 'auto'")
    op.create_check_constraint(op.f("ck_offer_mode"), "offer", "mode IN ('ranked','grab','fixed','manual')")
    op.create_check_constraint(op.f("ck_offer_delivery"), "offer", "delivery IN ('queued','sent','fetched','expired')")
    op.create_check_constraint(op.f("ck_offer_two_caregivers"), "offer", "second_caregiver_id <> caregiver_id")
    op.drop_index("ix_offer_one_open", "offer")
    for name, columns, unique, where in (
        ("ix_offer_one_open", ["order_id"], True, "status = 'offered' AND mode <> 'grab'"),
        ("ix_offer_one_accepted", ["order_id"], True, "status = 'accepted'"),
        ("ix_offer_sent", ["provider_id"], False, "status = 'offered' AND delivery = 'sent'"),
    ):
        op.create_index(name, "offer", columns, unique=unique, postgresql_where=sa.text(where))


def _rules() -> None:
    op.create_table(
        "dispatch_mode",
        sa.Column("version", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("breadth", sa.SmallInteger()),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_dispatch_mode"),
        sa.CheckConstraint("mode IN ('ranked','grab','fixed')", name=op.f("ck_dispatch_mode_mode")),
        sa.CheckConstraint(
            "urgency IN ('any','emergency','urgent','normal','appointment')", name=op.f("ck_dispatch_mode_urgency")
        ),
        sa.CheckConstraint(
            "(mode = 'grab') = (breadth IS NOT NULL) AND breadth BETWEEN 2 AND 10",
            name=op.f("ck_dispatch_mode_breadth"),
        ),
    )
    op.create_table(
        "fixed_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("scheme_code", sa.Text(), nullable=False),
        sa.Column("contract_number", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fixed_provider"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_fixed_provider_provider_id"),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_fixed_provider_valid")),
        postgresql.ExcludeConstraint(
            ("division_code", "="),
            ("item_code", "="),
            ("scheme_code", "="),
            (sa.func.daterange(sa.column("valid_from"), sa.column("valid_to"), sa.text("'[]'")), "&&"),
            name="ex_fixed_provider_overlap",
            using="gist",
        ),
    )


def downgrade() -> None:
    """Orders offered to several at once have no provider, which the older schema cannot hold: they wait again."""
    op.drop_table("fixed_provider")
    op.drop_table("dispatch_mode")
    op.drop_column("decision", "chosen_second_id")
    op.drop_column("decision", "mode_version")
    op.execute("UPDATE decision SET mode = 'auto' WHERE mode <> 'manual'")
    op.execute("UPDATE offer SET status = 'withdrawn' WHERE status = 'offered' AND mode = 'grab'")
    op.execute(
        "UPDATE care_order SET status = 'placed', delivery = 'none' WHERE status = 'dispatched' AND provider_id IS NULL"
    )
    for name in ("ix_offer_sent", "ix_offer_one_accepted", "ix_offer_one_open"):
        op.drop_index(name, "offer")
    op.drop_constraint(op.f("ck_offer_mode"), "offer")
    op.execute("UPDATE offer SET mode = 'auto' WHERE mode <> 'manual'")
    op.create_check_constraint(op.f("ck_offer_mode"), "offer", "mode IN ('auto','manual')")
    op.create_index(
        "ix_offer_one_open", "offer", ["order_id"], unique=True, postgresql_where=sa.text("status = 'offered'")
    )
    for name in ("fed_id", "fed_txid", "fetched_at", "sent_at", "delivery", "second_caregiver_id"):
        op.drop_column("offer", name)
    op.create_index("ix_booking_order_id", "booking", ["order_id"])
    op.drop_index("ix_booking_one_live", "booking")
    op.drop_column("booking", "role")
    op.drop_constraint(op.f("ck_care_order_provider_when_accepted"), "care_order")
    op.create_check_constraint(
        op.f("ck_care_order_provider_when_dispatched"),
        "care_order",
        "(status IN ('placed','cancelled')) OR provider_id IS NOT NULL",
    )
    op.drop_column("care_order", "second_caregiver_id")
    op.drop_column("service_item", "caregivers")
