"""The desk at the telephones: presence, dialling, recordings, nuisance numbers, checks of calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    _people()
    _recordings()
    _judgements()


def _people() -> None:
    op.create_table(
        "operator_presence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("from_at", TIME, nullable=False),
        sa.Column("until_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_operator_presence"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_operator_presence_staff_id"),
        sa.CheckConstraint("state IN ('ready', 'paused', 'wrap_up')", name="state"),
        sa.CheckConstraint("until_at >= from_at", name="span"),
    )
    now = sa.text("until_at IS NULL")
    op.create_index("uq_operator_presence_staff", "operator_presence", ["staff_id"], unique=True, postgresql_where=now)
    op.create_index(
        "uq_operator_presence_extension", "operator_presence", ["extension"], unique=True, postgresql_where=now
    )
    op.create_index("ix_operator_presence_extension_from_at", "operator_presence", ["extension", "from_at"])
    op.create_table(
        "dial",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("taken_at", TIME),
        sa.Column("settled_at", TIME),
        sa.Column("cause", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_dial"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_dial_staff_id"),
        sa.CheckConstraint("status IN ('requested', 'taken', 'started', 'failed', 'expired')", name="status"),
    )
    op.create_index(
        "ix_dial_requested_at", "dial", ["requested_at"], postgresql_where=sa.text("status IN ('requested', 'taken')")
    )


def _recordings() -> None:
    op.create_table(
        "recording_source",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_instance", sa.Text(), nullable=False),
        sa.Column("bases", postgresql.JSONB(), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("source", "source_instance", name="pk_recording_source"),
        sa.CheckConstraint("keep_days > 0", name="keep"),
    )
    op.create_table(
        "recording",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("file_name", sa.Text()),
        sa.Column("media_type", sa.Text()),
        sa.Column("size_bytes", sa.Integer()),
        sa.Column("sha256", sa.LargeBinary()),
        sa.Column("keep_until", sa.Date()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("settled_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_recording"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_recording_call_id"),
        sa.UniqueConstraint("call_id", "reference", name="uq_recording_call_id_reference"),
        sa.CheckConstraint("status IN ('due', 'kept', 'refused', 'missing', 'forgotten')", name="status"),
        sa.CheckConstraint("(status = 'kept') = (file_name IS NOT NULL)", name="file"),
    )
    op.create_index("ix_recording_keep_until", "recording", ["keep_until"], postgresql_where=sa.text("status = 'kept'"))


def _judgements() -> None:
    op.create_table(
        "nuisance_number",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", TIME),
        sa.Column("valid_until", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_nuisance_number"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_nuisance_number_call_id"),
        sa.CheckConstraint("status IN ('proposed', 'listed', 'declined', 'lifted')", name="status"),
        sa.CheckConstraint("decided_by <> proposed_by", name="two_persons"),
        sa.CheckConstraint("status <> 'listed' OR valid_until IS NOT NULL", name="until"),
    )
    op.create_index(
        "uq_nuisance_number_phone",
        "nuisance_number",
        ["phone_index"],
        unique=True,
        postgresql_where=sa.text("status IN ('proposed', 'listed')"),
    )
    op.create_table(
        "score_sheet",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("valid_from", name="pk_score_sheet"),
    )
    op.create_table(
        "call_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("agent", sa.Text()),
        sa.Column("agent_staff_id", sa.Uuid()),
        sa.Column("sheet_from", sa.Date(), nullable=False),
        sa.Column("points", postgresql.JSONB(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("missed", postgresql.JSONB(), nullable=False),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("checked_by", sa.Uuid(), nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_check"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_call_check_call_id"),
        sa.ForeignKeyConstraint(["agent_staff_id"], ["staff.id"], name="fk_call_check_agent_staff_id"),
        sa.ForeignKeyConstraint(["sheet_from"], ["score_sheet.valid_from"], name="fk_call_check_sheet_from"),
        sa.ForeignKeyConstraint(["checked_by"], ["staff.id"], name="fk_call_check_checked_by"),
        sa.UniqueConstraint("call_id", name="uq_call_check_call_id"),
        sa.CheckConstraint("total BETWEEN 0 AND 100", name="total"),
        sa.CheckConstraint("checked_by <> agent_staff_id", name="two_persons"),
    )
    op.create_index("ix_call_check_agent_checked_at", "call_check", ["agent", "checked_at"])


def downgrade() -> None:
    for table in (
        "call_check", "score_sheet", "nuisance_number", "recording", "recording_source", "dial", "operator_presence",
    ):  # fmt: skip
        op.drop_table(table)
