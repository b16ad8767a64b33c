"""Tables of `settlement`.

`ledger_transfer` is append-only by privilege: UPDATE, DELETE and TRUNCATE are revoked from everybody, the owner
included. PostgreSQL enforces that for every role that is no superuser. The owner of the table could grant the
privileges back to itself, so this stops programs and slips, not a determined administrator; where the service
runs under a role of its own that does not own the tables, it stops that role too.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = (
    "contract",
    "settlement_run",
    "statement",
    "adjustment",
    "statement_line",
    "line_dispute",
    "ledger_account",
    "ledger_transfer",
)


def upgrade() -> None:
    _contract()
    _settlement_run()
    _statement()
    _adjustment()
    _statement_line()
    _line_dispute()
    _ledger_account()
    _ledger_transfer()
    for role in ("PUBLIC", "CURRENT_USER"):
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON ledger_transfer FROM {role}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _contract() -> None:
    op.create_table(
        "contract",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("bands", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unrated_bp", sa.Integer(), nullable=False),
        sa.Column("late_steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("complaint_bp", sa.Integer(), nullable=False),
        sa.Column("partly_visit_bp", sa.Integer(), nullable=False),
        sa.Column("holdback_bp", sa.Integer(), nullable=False),
        sa.Column("confirm_days", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("provider_id"), "="),
            (sa.column("division_code"), "="),
            (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            using="gist",
            name="ex_contract_one_at_a_time",
        ),
        sa.CheckConstraint("confirm_days >= 0", name=op.f("ck_contract_confirm_days")),
        sa.CheckConstraint(
            "unrated_bp BETWEEN 0 AND 10000 AND complaint_bp BETWEEN 0 AND 10000 AND partly_visit_bp "
            "BETWEEN 0 AND 10000 AND holdback_bp BETWEEN 0 AND 10000",
            name=op.f("ck_contract_basis_points"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_contract_validity")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_contract_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
    )


def _settlement_run() -> None:
    op.create_table(
        "settlement_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("fence_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f("ck_settlement_run_period")),
        sa.CheckConstraint("state IN ('running','done')", name=op.f("ck_settlement_run_state")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_settlement_run_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_run")),
    )
    op.create_index(
        "uq_settlement_run_period_provider_id",
        "settlement_run",
        ["period", "provider_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )


def _statement() -> None:
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("quality_fen", sa.BigInteger(), nullable=False),
        sa.Column("penalty_fen", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_fen", sa.BigInteger(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column("copay_fen", sa.BigInteger(), nullable=False),
        sa.Column("holdback_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("refreshed_by", sa.Text(), nullable=False),
        sa.Column("fence_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=True),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("confirm_by", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paid_by", sa.Text(), nullable=True),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paid_fen", sa.BigInteger(), nullable=True),
        sa.Column("payment_reference", sa.Text(), nullable=True),
        sa.CheckConstraint("period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f("ck_statement_period")),
        sa.CheckConstraint(
            "status IN ('draft','issued','confirmed','disputed','reviewed','approved','paid','void')",
            name=op.f("ck_statement_status"),
        ),
        sa.CheckConstraint(
            "approved_by <> reviewed_by AND approved_by <> created_by AND approved_by <> refreshed_by "
            "AND approved_by <> issued_by",
            name=op.f("ck_statement_two_people"),
        ),
        sa.CheckConstraint("paid_fen >= 0", name=op.f("ck_statement_paid")),
        sa.CheckConstraint(
            "payable_fen = gross_fen - quality_fen - penalty_fen + adjustment_fen AND due_fen = "
            "payable_fen - copay_fen - holdback_fen",
            name=op.f("ck_statement_sums"),
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_statement_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("number", name=op.f("uq_statement_number")),
    )
    op.create_index(op.f("ix_statement_period_id"), "statement", ["period", "id"], unique=False)
    op.create_index(
        "uq_statement_provider_period",
        "statement",
        ["provider_id", "period"],
        unique=True,
        postgresql_where=sa.text("status <> 'void'"),
    )


def _adjustment() -> None:
    op.create_table(
        "adjustment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("target_period", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source_kind IN ('manual','rating','complaint','dispute','carried','holdback')",
            name=op.f("ck_adjustment_source_kind"),
        ),
        sa.CheckConstraint("target_period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f("ck_adjustment_target_period")),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name=op.f("fk_adjustment_order_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_adjustment_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
    )
    op.create_index(op.f("ix_adjustment_order_id"), "adjustment", ["order_id"], unique=False)
    op.create_index(
        op.f("ix_adjustment_provider_id_target_period"), "adjustment", ["provider_id", "target_period"], unique=False
    )
    op.create_index("uq_adjustment_source", "adjustment", ["source_kind", "source_id"], unique=True)


def _statement_line() -> None:
    op.create_table(
        "statement_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("adjustment_id", sa.Uuid(), nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("service_period", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("coefficient_bp", sa.Integer(), nullable=False),
        sa.Column("quality_fen", sa.BigInteger(), nullable=False),
        sa.Column("penalty_fen", sa.BigInteger(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column("copay_fen", sa.BigInteger(), nullable=False),
        sa.Column("holdback_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("(kind = 'service') = (adjustment_id IS NULL)", name=op.f("ck_statement_line_adjustment")),
        sa.CheckConstraint(
            "kind = 'adjustment' OR (payable_fen = gross_fen - quality_fen - penalty_fen AND gross_fen "
            ">= 0 AND quality_fen >= 0 AND penalty_fen >= 0 AND copay_fen >= 0 AND holdback_fen >= 0 "
            "AND due_fen >= 0)",
            name=op.f("ck_statement_line_service_amounts"),
        ),
        sa.CheckConstraint("kind = 'adjustment' OR order_id IS NOT NULL", name=op.f("ck_statement_line_order")),
        sa.CheckConstraint("kind IN ('service','adjustment')", name=op.f("ck_statement_line_kind")),
        sa.CheckConstraint("due_fen = payable_fen - copay_fen - holdback_fen", name=op.f("ck_statement_line_due")),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustment.id"], name=op.f("fk_statement_line_adjustment_id")),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name=op.f("fk_statement_line_order_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_statement_line_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_line")),
    )
    op.create_index("uq_statement_line_position", "statement_line", ["statement_id", "position"], unique=True)
    op.create_index(
        "ix_statement_line_service",
        "statement_line",
        ["service_period", "order_id"],
        unique=False,
        postgresql_where=sa.text("kind = 'service' AND NOT void"),
    )
    op.create_index(
        "uq_statement_line_adjustment_once",
        "statement_line",
        ["adjustment_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'adjustment' AND NOT void"),
    )
    op.create_index(
        "uq_statement_line_order_once",
        "statement_line",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'service' AND NOT void"),
    )


def _line_dispute() -> None:
    op.create_table(
        "line_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("raised_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("decision IN ('upheld','rejected')", name=op.f("ck_line_dispute_decision")),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_line_dispute_decided")),
        sa.ForeignKeyConstraint(["line_id"], ["statement_line.id"], name=op.f("fk_line_dispute_line_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_line_dispute_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_dispute")),
    )
    op.create_index(op.f("ix_line_dispute_statement_id"), "line_dispute", ["statement_id"], unique=False)
    op.create_index("uq_line_dispute_line_id", "line_dispute", ["line_id"], unique=True)


def _ledger_account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('payer','provider','holdback','bank')", name=op.f("ck_ledger_account_kind")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ledger_account")),
    )


def _ledger_transfer() -> None:
    op.create_table(
        "ledger_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("debit_account", sa.Text(), nullable=False),
        sa.Column("credit_account", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason IN ('service','copay','adjustment','payment')", name=op.f("ck_ledger_transfer_reason")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_ledger_transfer_amount")),
        sa.CheckConstraint("debit_account <> credit_account", name=op.f("ck_ledger_transfer_two_accounts")),
        sa.ForeignKeyConstraint(
            ["credit_account"], ["ledger_account.code"], name=op.f("fk_ledger_transfer_credit_account")
        ),
        sa.ForeignKeyConstraint(
            ["debit_account"], ["ledger_account.code"], name=op.f("fk_ledger_transfer_debit_account")
        ),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_ledger_transfer_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transfer")),
    )
    op.create_index(
        op.f("ix_ledger_transfer_credit_account_id"), "ledger_transfer", ["credit_account", "id"], unique=False
    )
    op.create_index(
        op.f("ix_ledger_transfer_debit_account_id"), "ledger_transfer", ["debit_account", "id"], unique=False
    )
    op.create_index(op.f("ix_ledger_transfer_statement_id"), "ledger_transfer", ["statement_id"], unique=False)
    op.create_index(
        "uq_ledger_transfer_line",
        "ledger_transfer",
        ["line_id", "reason", "debit_account", "credit_account"],
        unique=True,
        postgresql_where=sa.text("line_id IS NOT NULL"),
    )
    op.create_index(
        "uq_ledger_transfer_payment",
        "ledger_transfer",
        ["statement_id"],
        unique=True,
        postgresql_where=sa.text("reason = 'payment'"),
    )
