"""Tables of `rounds`: planned days and their repairs; offers that a plan makes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
JSON = postgresql.JSONB()
MODES = "mode IN ('ranked','grab','fixed','manual'{})"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_offer_mode"), "offer")
    op.create_check_constraint(op.f("ck_offer_mode"), "offer", MODES.format(",'round'"))
    _plans()
    _repairs()


def _plans() -> None:
    op.create_table(
        "round_plan",
        *_where(),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("budget_cpu_s", sa.Double(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("step", sa.Text()),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("problem", JSON),
        sa.Column("problem_hash", sa.Text()),
        sa.Column("based_on", JSON),
        sa.Column("fingerprint", sa.Text()),
        *(sa.Column(name, JSON) for name in ("plan", "aside", "cost_before", "cost_after")),
        sa.Column("bound", sa.Double()),
        sa.Column("steps", JSON),
        sa.Column("failure", sa.Text()),
        sa.Column("failure_detail", sa.Text()),
        sa.Column("violations", JSON),
        *_made(),
        sa.Column("started_at", TIME),
        sa.Column("ended_at", TIME),
        *_decided(),
        sa.PrimaryKeyConstraint("id", name="pk_round_plan"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_round_plan_provider_id"),
        sa.CheckConstraint(
            "status IN ('draft','solving','ready','failed','published','discarded')", name=op.f("ck_round_plan_status")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_round_plan_progress")),
        sa.CheckConstraint("budget_cpu_s > 0", name=op.f("ck_round_plan_budget")),
        sa.CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name=op.f("ck_round_plan_failure")),
        sa.CheckConstraint("status NOT IN ('ready','published') OR plan IS NOT NULL", name=op.f("ck_round_plan_plan")),
    )
    op.create_index("ix_round_plan_service_day_division_code", "round_plan", ["service_day", "division_code"])
    op.create_index(
        "ix_round_plan_at_work",
        "round_plan",
        [
            "service_day", "division_code",
            sa.text("coalesce(provider_id, '00000000-0000-0000-0000-000000000000'::uuid)"),
        ],
        unique=True,
        postgresql_where=sa.text("status IN ('draft','solving')"),
    )  # fmt: skip


def _repairs() -> None:
    op.create_table(
        "round_repair",
        *_where(),
        sa.Column("round_plan_id", sa.Uuid()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("what", JSON, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("problem", JSON),
        sa.Column("based_on", JSON),
        sa.Column("frontier", JSON),
        sa.Column("failure", sa.Text()),
        sa.Column("failure_detail", sa.Text()),
        sa.Column("chosen", sa.Text()),
        *_made(),
        *_decided(),
        sa.PrimaryKeyConstraint("id", name="pk_round_repair"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_round_repair_provider_id"),
        sa.ForeignKeyConstraint(["round_plan_id"], ["round_plan.id"], name="fk_round_repair_round_plan_id"),
        sa.CheckConstraint("kind IN ('caregiver_ill','emergency','overrun')", name=op.f("ck_round_repair_kind")),
        sa.CheckConstraint("status IN ('searching','open','failed','chosen')", name=op.f("ck_round_repair_status")),
        sa.CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name=op.f("ck_round_repair_failure")),
        sa.CheckConstraint("(status = 'chosen') = (chosen IS NOT NULL)", name=op.f("ck_round_repair_chosen")),
    )
    op.create_index("ix_round_repair_service_day_division_code", "round_repair", ["service_day", "division_code"])


def _where() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Uuid()),
    ]


def _made() -> list[sa.Column[object]]:
    return [sa.Column("made_by", sa.Text(), nullable=False), sa.Column("made_at", TIME, nullable=False)]


def _decided() -> list[sa.Column[object]]:
    return [sa.Column("decided_by", sa.Text()), sa.Column("decided_at", TIME)]


def downgrade() -> None:
    """Offers that a plan made were a person's choice in the older words."""
    op.drop_table("round_repair")
    op.drop_table("round_plan")
    op.drop_constraint(op.f("ck_offer_mode"), "offer")
    op.execute("UPDATE offer SET mode = 'manual' WHERE mode = 'round'")
    op.create_check_constraint(op.f("ck_offer_mode"), "offer", MODES.format(""))
