"""Templates, the messages made of them and what became of those. Addresses and words are sealed and forgotten after
a while."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Instant = TIMESTAMP(timezone=True)


class Template(Base):
    """A city's own wording, with `{gaps}`. A new version is a new row; the newest whose day has come is used.

    Without a row the product's wording in `data/templates.csv` applies.
    """

    __tablename__ = "template"
    __table_args__ = (CheckConstraint("channel IN ('sms', 'wechat', 'push', 'voice')", name="channel"),)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class OutgoingMessage(Base):
    """One message to one person.

    `unknown` is the status from the moment a message is handed over until the answer is written down: after a
    time-out or a crash nobody knows whether the person has it, and it is not sent again blindly.
    """

    __tablename__ = "outgoing_message"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'sent', 'delivered', 'failed', 'unknown', 'suppressed')", name="status"),
        Index(None, "order_id"),
        Index(None, "recipient_kind", "recipient_id"),
        Index("ix_outgoing_message_contents", "created_at", postgresql_where="params IS NOT NULL"),
        Index("ix_outgoing_message_external", "channel", "external_id"),
        Index(
            "ix_outgoing_message_unanswered",
            "handed_over_at",
            postgresql_where="status = 'unknown' AND urgent AND settled_at IS NULL",
        ),
        Index("ix_outgoing_message_waiting", "channel", postgresql_where="status = 'queued'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    template_code: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    recipient_kind: Mapped[str] = mapped_column(Text)
    recipient_id: Mapped[str | None] = mapped_column(Text)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    address_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    params: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed JSON of what fills the gaps."""
    order_id: Mapped[UUID | None]
    division_code: Mapped[str | None] = mapped_column(Text)
    """Where the person is at home whom it is about: whose desk says it when no message can. Null: everybody's."""
    dedupe_key: Mapped[str] = mapped_column(Text, unique=True)
    urgent: Mapped[bool]
    status: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    external_id: Mapped[str | None] = mapped_column(Text)
    """The gateway's name for it; its receipts come under this name."""
    failure: Mapped[str | None] = mapped_column(Text)
    """A code, never words from outside."""
    not_before: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    handed_over_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    otherwise: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed JSON `[[channel, address], …]`: the ways that are left when this one fails for good."""
    stands_in_for: Mapped[UUID | None]
    """The message whose failure this one makes up for."""


class MessageReceipt(Base):
    """What a gateway reported of a message: stored first, under a natural key, also when we do not know the message
    yet. The fate of a message is a function of the set of its receipts, in whatever order they come."""

    __tablename__ = "message_receipt"
    __table_args__ = (
        UniqueConstraint(
            "channel", "external_id", "address_index", "delivered", "code", name="uq_message_receipt_natural_key"
        ),
        Index(None, "received_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(Text)
    address_index: Mapped[bytes] = mapped_column(LargeBinary)
    """Empty where the gateway does not name the address."""
    delivered: Mapped[bool]
    code: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Instant)


class RecipientWay(Base):
    """Another way to reach a recipient than the phone number: an openid, a device that has registered for pushes."""

    __tablename__ = "recipient_way"
    __table_args__ = (CheckConstraint("channel IN ('wechat', 'push')", name="channel"),)

    recipient_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    recipient_id: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    address: Mapped[bytes] = mapped_column(LargeBinary)
    since: Mapped[datetime] = mapped_column(Instant)


class RecipientChoice(Base):
    """What a recipient wants to hear of. Without a row they are told; an alarm asks nobody."""

    __tablename__ = "recipient_choice"

    recipient_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    recipient_id: Mapped[str] = mapped_column(Text, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    allowed: Mapped[bool]
    decided_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str] = mapped_column(Text)


class ChannelBreaker(Base):
    """A channel that has failed of late; see `breaker`."""

    __tablename__ = "channel_breaker"

    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    open_until: Mapped[datetime | None] = mapped_column(Instant)
    probe_until: Mapped[datetime | None] = mapped_column(Instant)
    last_failure: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant)
