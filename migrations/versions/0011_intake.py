"""Tables of `intake`: contacts, calls, call-back tasks, care requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _inbound_contact()
    _contact_sender()
    _sender_code()
    _call()
    _call_event()
    _callback_task()
    _care_request()
    op.create_foreign_key(
        "fk_inbound_contact_care_request_id", "inbound_contact", "care_request", ["care_request_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint("fk_inbound_contact_care_request_id", "inbound_contact")
    for table in (
        "care_request",
        "callback_task",
        "call_event",
        "call",
        "sender_code",
        "contact_sender",
        "inbound_contact",
    ):
        op.drop_table(table)


def _inbound_contact() -> None:
    op.create_table(
        "inbound_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=True),
        sa.Column("sender_index", sa.LargeBinary(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("processed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("care_request_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_contact"),
        sa.UniqueConstraint("channel", "account", "external_id", name="uq_inbound_contact_channel_account_external_id"),
    )
    op.create_index(
        "ix_inbound_contact_channel_account_sender_index_received_at",
        "inbound_contact",
        ["channel", "account", "sender_index", "received_at"],
    )
    op.create_index(
        "ix_inbound_contact_received_at",
        "inbound_contact",
        ["received_at"],
        postgresql_where=sa.text("processed_at IS NULL"),
    )


def _contact_sender() -> None:
    op.create_table(
        "contact_sender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sender_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("bound_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact_sender"),
        sa.UniqueConstraint(
            "channel", "account", "sender_index", name="uq_contact_sender_channel_account_sender_index"
        ),
    )


def _sender_code() -> None:
    op.create_table(
        "sender_code",
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code_index", name="pk_sender_code"),
    )
    op.create_index("ix_sender_code_expires_at", "sender_code", ["expires_at"])


def _call() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_instance", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("caller", sa.LargeBinary(), nullable=True),
        sa.Column("caller_index", sa.LargeBinary(), nullable=True),
        sa.Column("called", sa.Text(), nullable=True),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("first_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("queued_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("offered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("abandoned_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("voicemail_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("recording_ref", sa.Text(), nullable=True),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('answered', 'voicemail', 'abandoned', 'unanswered', 'unknown')", name=op.f("ck_call_outcome")
        ),
        sa.CheckConstraint("state IN ('waiting', 'ringing', 'talking', 'over')", name=op.f("ck_call_state")),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
        sa.UniqueConstraint("source", "source_instance", "call_id", name="uq_call_source_source_instance_call_id"),
    )
    op.create_index("ix_call_caller_index_first_at", "call", ["caller_index", "first_at"])
    op.create_index("ix_call_first_at", "call", ["first_at"], postgresql_where=sa.text("outcome IS NULL"))


def _call_event() -> None:
    op.create_table(
        "call_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_row_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_instance", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_row_id"], ["call.id"], name="fk_call_event_call_row_id"),
        sa.PrimaryKeyConstraint("id", name="pk_call_event"),
        sa.UniqueConstraint(
            "source",
            "source_instance",
            "call_id",
            "type",
            "event_key",
            name="uq_call_event_source_source_instance_call_id_type_event_key",
        ),
    )
    op.create_index("ix_call_event_call_row_id", "call_event", ["call_row_id"])


def _callback_task() -> None:
    op.create_table(
        "callback_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("reason IN ('abandoned', 'voicemail', 'after_hours')", name=op.f("ck_callback_task_reason")),
        sa.CheckConstraint("status IN ('due', 'done', 'withdrawn')", name=op.f("ck_callback_task_status")),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_callback_task_call_id"),
        sa.PrimaryKeyConstraint("id", name="pk_callback_task"),
        sa.UniqueConstraint("call_id", name="uq_callback_task_call_id"),
    )
    op.create_index("ix_callback_task_phone_index", "callback_task", ["phone_index"])
    op.create_index("ix_callback_task_status_id", "callback_task", ["status", "id"])


def _care_request() -> None:
    op.create_table(
        "care_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=True),
        sa.Column("elder_words", sa.LargeBinary(), nullable=True),
        sa.Column("division_code", sa.Text(), nullable=True),
        sa.Column("caller_name", sa.Text(), nullable=True),
        sa.Column("caller_phone", sa.LargeBinary(), nullable=True),
        sa.Column("caller_phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.Column("item_code", sa.Text(), nullable=True),
        sa.Column("wanted_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("wanted_to", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("about_order_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'confirmed') = (order_id IS NOT NULL)", name=op.f("ck_care_request_confirmed_has_order")
        ),
        sa.CheckConstraint(
            "(status = 'merged') = (merged_into IS NOT NULL)", name=op.f("ck_care_request_merged_has_target")
        ),
        sa.CheckConstraint(
            "channel IN ('hotline', 'app', 'wechat', 'web', 'station', 'device', 'transfer_12345')",
            name=op.f("ck_care_request_channel"),
        ),
        sa.CheckConstraint(
            "kind = 'service' OR status <> 'confirmed'", name=op.f("ck_care_request_only_service_is_confirmed")
        ),
        sa.CheckConstraint(
            "kind IN ('service', 'consultation', 'complaint', 'emergency', 'suggestion')",
            name=op.f("ck_care_request_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('new', 'confirmed', 'answered', 'rejected', 'merged', 'escalated')",
            name=op.f("ck_care_request_status"),
        ),
        sa.CheckConstraint(
            "urgency IN ('emergency', 'urgent', 'normal', 'appointment')", name=op.f("ck_care_request_urgency")
        ),
        sa.CheckConstraint("wanted_to IS NULL OR wanted_to > wanted_from", name=op.f("ck_care_request_window")),
        sa.ForeignKeyConstraint(["about_order_id"], ["care_order.id"], name="fk_care_request_about_order_id"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_care_request_call_id"),
        sa.ForeignKeyConstraint(["contact_id"], ["inbound_contact.id"], name="fk_care_request_contact_id"),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_care_request_elder_id"),
        sa.ForeignKeyConstraint(["item_code"], ["service_item.code"], name="fk_care_request_item_code"),
        sa.ForeignKeyConstraint(["merged_into"], ["care_request.id"], name="fk_care_request_merged_into"),
        sa.ForeignKeyConstraint(["order_id"], ["care_order.id"], name="fk_care_request_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_care_request"),
        sa.UniqueConstraint("order_id", name="uq_care_request_order_id"),
    )
    op.create_index("ix_care_request_call_id", "care_request", ["call_id"])
    op.create_index("ix_care_request_caller_phone_index", "care_request", ["caller_phone_index"])
    op.create_index("ix_care_request_contact_id", "care_request", ["contact_id"])
    op.create_index("ix_care_request_division_code_id", "care_request", ["division_code", "id"])
    op.create_index("ix_care_request_elder_id_status", "care_request", ["elder_id", "status"])
    op.create_index("ix_care_request_merged_into", "care_request", ["merged_into"])
    op.create_index("ix_care_request_status_id", "care_request", ["status", "id"])
    op.create_index("ix_care_request_updated_at", "care_request", ["updated_at"])
