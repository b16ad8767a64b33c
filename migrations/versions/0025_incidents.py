"""SOS incidents and the ladder that is climbed while nobody has seen to one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
STEPS = "step IN ('operator', 'family', 'helper', 'authority')"
SEVERITIES = "severity IN ('critical', 'serious')"
CODES = "'pressed_by_mistake', 'testing', 'device_fault', 'cooking_or_steam', 'withdrawn', 'other'"


def upgrade() -> None:
    _incidents()
    _what_belongs_to_them()
    op.create_table(
        "escalation_rule",
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("after_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("division_code", "severity", "valid_from", "step", name="pk_escalation_rule"),
        sa.CheckConstraint(SEVERITIES, name="severity"),
        sa.CheckConstraint(STEPS, name="step"),
        sa.CheckConstraint("after_s >= 0", name="after"),
    )


def _incidents() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("elder_id", sa.Uuid()),
        sa.Column("division_code", sa.Text()),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("alarms", sa.Integer(), nullable=False),
        sa.Column("lng", sa.Double()),
        sa.Column("lat", sa.Double()),
        sa.Column("place", sa.Text()),
        sa.Column("acknowledged_at", TIME),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("finding", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("verified_at", TIME),
        sa.Column("closed_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_incident_elder_id"),
        sa.CheckConstraint("status IN ('open', 'acknowledged', 'verified', 'closed')", name="status"),
        sa.CheckConstraint(SEVERITIES, name="severity"),
        sa.CheckConstraint("finding IN ('real', 'false_alarm')", name="finding"),
        sa.CheckConstraint(f"code IN ({CODES})", name="code"),
        sa.CheckConstraint(
            "(code IS NOT NULL) = (finding IS NOT DISTINCT FROM 'false_alarm')", name="false_alarms_say_why"
        ),
        sa.CheckConstraint("status <> 'closed' OR finding IS NOT NULL", name="closed_was_verified"),
    )
    living, joined = "status <> 'closed'", "status <> 'closed' AND finding IS DISTINCT FROM 'false_alarm'"
    op.create_index("ux_incident_living", "incident", ["subject"], unique=True, postgresql_where=sa.text(joined))
    op.create_index("ix_incident_living", "incident", ["first_at"], postgresql_where=sa.text(living))
    op.create_index("ix_incident_elder_id", "incident", ["elder_id"])
    op.create_index("ix_incident_division_code_id", "incident", ["division_code", "id"])


def _what_belongs_to_them() -> None:
    def of_incident(table: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=f"fk_{table}_incident_id")

    op.create_table(
        "incident_alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("care_request_id", sa.Uuid()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_alarm"),
        sa.UniqueConstraint("source", name="uq_incident_alarm_source"),
        of_incident("incident_alarm"),
    )
    op.create_index("ix_incident_alarm_incident_id", "incident_alarm", ["incident_id"])
    op.create_table(
        "incident_step",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("taken_at", TIME),
        sa.Column("told", sa.Integer()),
        sa.PrimaryKeyConstraint("incident_id", "step", name="pk_incident_step"),
        of_incident("incident_step"),
        sa.CheckConstraint(STEPS, name="step"),
    )
    op.create_index("ix_incident_step_due", "incident_step", ["due_at"], postgresql_where=sa.text("taken_at IS NULL"))
    op.create_table(
        "incident_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB()),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_entry"),
        of_incident("incident_entry"),
    )
    op.create_index("ix_incident_entry_incident_id_at", "incident_entry", ["incident_id", "at"])


def downgrade() -> None:
    for table in ("escalation_rule", "incident_entry", "incident_step", "incident_alarm", "incident"):
        op.drop_table(table)
