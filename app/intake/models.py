"""Tables of `intake`. Phones, notes and raw messages are sealed; the row's own id is authenticated with them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, one_of
from app.intake.requests import Channel, Kind, Status, Urgency

Instant = TIMESTAMP(timezone=True)


class InboundContact(Base):
    """One thing that reached us from outside, kept as it came. `(channel, account, external_id)` is its identity."""

    __tablename__ = "inbound_contact"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        Index(None, "channel", "account", "sender_index", "received_at"),
        Index(None, "received_at", postgresql_where=text("processed_at IS NULL")),
        Index("ix_inbound_contact_by_day", "received_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(Text)
    """Whose door it came through: a WeChat account, an app key, a device vendor."""
    external_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    """What the channel calls it: text, voice, event, alarm type, request."""
    sender: Mapped[bytes | None] = mapped_column(LargeBinary)
    sender_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    words: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The part a person wrote, sealed."""
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the raw message: the same external id with another content is refused."""
    received_at: Mapped[datetime] = mapped_column(Instant)
    processed_at: Mapped[datetime | None] = mapped_column(Instant)
    care_request_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("care_request.id", use_alter=True, name="fk_inbound_contact_care_request_id")
    )


class ContactSender(Base):
    """A sender of a channel (an openid) that proved which phone number is theirs.

    `sender` and `phone_index` are the way back, from a phone to whom to write to; rows from before they were kept
    have neither until the sender proves the phone again.
    """

    __tablename__ = "contact_sender"
    __table_args__ = (
        UniqueConstraint("channel", "account", "sender_index"),
        Index(None, "channel", "phone_index"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(Text)
    sender_index: Mapped[bytes] = mapped_column(LargeBinary)
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    sender: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    bound_at: Mapped[datetime] = mapped_column(Instant)


class SenderCode(Base):
    """A word that a signed-in relative says to us on another channel, to prove that both are the same person."""

    __tablename__ = "sender_code"
    __table_args__ = (Index(None, "expires_at"),)

    code_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class CareRequest(Base):
    """诉求: what somebody asked for. The requester is not the beneficiary: `caller_*` asks, `elder_id` is cared for.

    `division_code` is null while we do not know whom it concerns; such a request is everybody's to triage.
    """

    __tablename__ = "care_request"
    __table_args__ = (
        CheckConstraint(one_of("channel", Channel), "channel"),
        CheckConstraint(one_of("kind", Kind), "kind"),
        CheckConstraint(one_of("status", Status), "status"),
        CheckConstraint(one_of("urgency", Urgency), "urgency"),
        CheckConstraint("wanted_to IS NULL OR wanted_to > wanted_from", "window"),
        CheckConstraint("kind = 'service' OR status <> 'confirmed'", "only_service_is_confirmed"),
        CheckConstraint("(status = 'confirmed') = (order_id IS NOT NULL)", "confirmed_has_order"),
        CheckConstraint("(status = 'merged') = (merged_into IS NOT NULL)", "merged_has_target"),
        CheckConstraint("article_id IS NULL OR status = 'answered'", "article_of_an_answer"),
        UniqueConstraint("order_id"),
        Index(None, "elder_id", "status"),
        Index(None, "status", "id"),
        Index(None, "division_code", "id"),
        Index(None, "caller_phone_index"),
        Index(None, "updated_at"),
        Index("ix_care_request_by_day", "created_at"),
        Index(None, "contact_id"),
        Index(None, "call_id"),
        Index(None, "merged_into"),
        Index(None, "article_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbound_contact.id"))
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("call.id"))
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    elder_id: Mapped[UUID | None] = mapped_column(ForeignKey("elder.id"))
    elder_words: Mapped[bytes | None] = mapped_column(LargeBinary)
    """How an elder we do not have yet was described: sealed JSON."""
    division_code: Mapped[str | None] = mapped_column(Text)
    caller_name: Mapped[str | None] = mapped_column(Text)
    caller_phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    caller_phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    relation: Mapped[str | None] = mapped_column(Text)
    item_code: Mapped[str | None] = mapped_column(ForeignKey("service_item.code"))
    wanted_from: Mapped[datetime | None] = mapped_column(Instant)
    """Null means as soon as possible."""
    wanted_to: Mapped[datetime | None] = mapped_column(Instant)
    minutes: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    about_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    """The order a complaint speaks of, or at which a hazard was seen."""
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_order.id"))
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("care_request.id"))
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    article_id: Mapped[UUID | None] = mapped_column(ForeignKey("article.id"))
    """The version of the article that the answer was given from."""
    reason: Mapped[str | None] = mapped_column(Text)
    taken_by: Mapped[str] = mapped_column(Text)
    closed_by: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)
