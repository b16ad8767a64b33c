"""The job queue's own tables as its library declares them, the event feed, receipts and periodic tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.qb import DBSettings, Durability, QueryBuilderEnvironment
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.jobs.models import Xid8

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _queue() -> QueryBuilderEnvironment:
    return QueryBuilderEnvironment(DBSettings(durability=Durability.durable))


def _script(statements: str) -> None:
    """Run several statements at once, which prepared statements cannot."""
    bind = op.get_bind()
    bind.exec_driver_sql("SELECT 1")  # SQLAlchemy begins with its own first statement only
    bind.connection.dbapi_connection.run_async(lambda driver: driver.execute(statements))  # type: ignore[union-attr]


def upgrade() -> None:
    _script(_queue().build_install_query(create_schema=False))
    _script(_queue().build_optimize_autovacuum_query())
    op.create_table(
        "feed_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("txid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("occurred_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed_entry"),
    )
    op.create_index("ix_feed_entry_audience_txid_id", "feed_entry", ["audience", "txid", "id"])
    op.create_index("ix_feed_entry_txid", "feed_entry", ["txid"])
    op.create_index("ix_feed_entry_occurred_at", "feed_entry", ["occurred_at"])
    op.create_table(
        "job_receipt",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("done_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_job_receipt"),
    )
    op.create_index("ix_job_receipt_done_at", "job_receipt", ["done_at"])
    op.create_table(
        "periodic_task",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_started_at", TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_periodic_task"),
    )


def downgrade() -> None:
    for table in ("periodic_task", "job_receipt", "feed_entry"):
        op.drop_table(table)
    _script(_queue().build_uninstall_query())
