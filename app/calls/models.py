"""Tables of `calls`. Numbers and notes are sealed; the row's own id is authenticated with them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.calls.record import CallbackReason, CallState, Outcome
from app.core.db import Base, one_of

Instant = TIMESTAMP(timezone=True)


class Call(Base):
    """One telephone call: nothing but the fold of its events (`record.fold`)."""

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("source", "source_instance", "call_id"),
        CheckConstraint(one_of("state", CallState), "state"),
        CheckConstraint(one_of("outcome", Outcome), "outcome"),
        Index(None, "caller_index", "first_at"),
        Index(None, "first_at", postgresql_where=text("outcome IS NULL")),
        Index("ix_call_by_day", "first_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    source_instance: Mapped[str] = mapped_column(Text)
    call_id: Mapped[str] = mapped_column(Text)
    """The exchange's own id of the call."""
    state: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)
    caller: Mapped[bytes | None] = mapped_column(LargeBinary)
    caller_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Null when the number was withheld, which is legal."""
    called: Mapped[str | None] = mapped_column(Text)
    queue: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    offers: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime] = mapped_column(Instant)
    queued_at: Mapped[datetime | None] = mapped_column(Instant)
    offered_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    abandoned_at: Mapped[datetime | None] = mapped_column(Instant)
    voicemail_at: Mapped[datetime | None] = mapped_column(Instant)
    recording_ref: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class CallEvent(Base):
    """What the exchange told us, once. Events of the exchange itself (source.lost) have an empty `call_id`."""

    __tablename__ = "call_event"
    __table_args__ = (
        UniqueConstraint("source", "source_instance", "call_id", "type", "event_key"),
        Index(None, "call_row_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_row_id: Mapped[UUID | None] = mapped_column(ForeignKey("call.id"))
    source: Mapped[str] = mapped_column(Text)
    source_instance: Mapped[str] = mapped_column(Text)
    call_id: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    event_key: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    facts: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed JSON of the rest: it names the caller."""
    received_at: Mapped[datetime] = mapped_column(Instant)


class CallbackTask(Base):
    """Whom to call. Somebody wanted us and did not get us: one per call, withdrawn if the call turns out answered, or
    (`result` called_again) if they were answered when they called again. Or a message of ours did not reach them: one
    per message, with the words to be said. Or an exchange was not heard for a while, and its own list is to be looked
    at: of no call and no message, and `words` say when."""

    __tablename__ = "callback_task"
    __table_args__ = (
        UniqueConstraint("call_id"),
        UniqueConstraint("message_id"),
        CheckConstraint(
            "num_nonnulls(call_id, message_id) = CASE reason WHEN 'exchange_unheard' THEN 0 ELSE 1 END", "of_one_thing"
        ),
        CheckConstraint(one_of("reason", CallbackReason), "reason"),
        CheckConstraint("status IN ('due', 'done', 'withdrawn')", "status"),
        Index(None, "phone_index"),
        Index("ix_callback_task_pressing", "status", text("urgent DESC"), "due_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("call.id"))
    message_id: Mapped[UUID | None]
    division_code: Mapped[str | None] = mapped_column(Text)
    """Where the person is at home whom the message is about. Null: everybody's, as every call to the centre is."""
    words: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    urgent: Mapped[bool] = mapped_column(server_default=text("false"))
    """Before everything else, however long that has been due: the words of an alarm."""
    due_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[str | None] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(Text)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
