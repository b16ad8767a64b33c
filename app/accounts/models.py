"""Tables of staff, outside keys, links and the audit trail. No secret is stored in a form that could be used."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Instant = TIMESTAMP(timezone=True)


class Staff(Base):
    """A person who works at the centre."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'disabled')", name="status"),
        CheckConstraint("username = lower(username)", name="username"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    otp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed; present when a one-time password is asked for."""
    otp_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The last 30-second step whose password was used: none serves twice."""
    divisions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text)
    failed_count: Mapped[int] = mapped_column(Integer, server_default="0")
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class StaffRole(Base):
    __tablename__ = "staff_role"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)


class StaffSession(Base):
    __tablename__ = "staff_session"
    __table_args__ = (Index(None, "staff_id"), Index(None, "expires_at"))

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    """Exact to a minute: writing it with every request would make every read a write."""
    expires_at: Mapped[datetime] = mapped_column(Instant)


class SavedView(Base):
    """What somebody likes to look at: a page of theirs, with its filters, by a name of their own."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("staff_id", "page", "name"),
        CheckConstraint("length(name) BETWEEN 1 AND 40 AND length(query) <= 2000", name="lengths"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    page: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    """The filters, as the page's address has them behind the question mark."""
    saved_at: Mapped[datetime] = mapped_column(Instant)


class AppKey(Base):
    """What an outside system signs with."""

    __tablename__ = "app_key"
    __table_args__ = (
        CheckConstraint("kind IN ('provider', 'telephony', 'device', 'app')", name="kind"),
        CheckConstraint("(kind = 'provider') = (provider_id IS NOT NULL)", name="provider"),
        CheckConstraint("(kind = 'device') = (vendors IS NOT NULL)", name="vendors"),
        Index(None, "provider_id"),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    provider_id: Mapped[UUID | None]
    """The company whose key this is; companies live on a higher floor, so there is no foreign key."""
    vendors: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """The makers whose devices this key speaks for."""
    name: Mapped[str] = mapped_column(Text)
    secrets: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed lines, the newest secret first; two at most."""
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Instant)
    rotated_at: Mapped[datetime | None] = mapped_column(Instant)


class AppNonce(Base):
    """A nonce that was used. The primary key is what stops a replay."""

    __tablename__ = "app_nonce"
    __table_args__ = (Index(None, "seen_at"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    nonce: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant)


class SignedLink(Base):
    """A link to one thing for somebody without an account."""

    __tablename__ = "signed_link"
    __table_args__ = (Index(None, "purpose", "subject_id"), Index(None, "expires_at"))

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    uses: Mapped[int] = mapped_column(Integer, server_default="0")
    held_by: Mapped[str | None] = mapped_column(Text)
    """Whom it was given to, like "family:0197…"; null where nobody wrote it down."""


class LinkOpening(Base):
    """A link was opened: when, and with what kind of device; never from which address.

    Openings of one link by one kind of device within ten minutes (`slot`) are one row: who reloads a page, or leaves
    it open, does not bury the others.
    """

    __tablename__ = "link_opening"
    __table_args__ = (
        CheckConstraint("device IN ('wechat', 'phone', 'computer', 'program')", name="device"),
        Index(None, "purpose", "subject_id", "opened_at"),
        Index(None, "opened_at"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    device: Mapped[str] = mapped_column(Text, primary_key=True)
    slot: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID]
    held_by: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    last_at: Mapped[datetime] = mapped_column(Instant)
    times: Mapped[int] = mapped_column(Integer)


class OneTimeCode(Base):
    """A six-digit code on its way to a phone."""

    __tablename__ = "one_time_code"
    __table_args__ = (Index(None, "purpose", "phone_index", "created_at"), Index(None, "created_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class FamilySession(Base):
    """Somebody who has proved to hold a phone. Whom they may see is decided above, by that phone."""

    __tablename__ = "family_session"
    __table_args__ = (Index(None, "expires_at"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class CaregiverSession(Base):
    """A caregiver signed in on their own phone, for the company that employs them."""

    __tablename__ = "caregiver_session"
    __table_args__ = (
        CheckConstraint("octet_length(device_key) = 65", name="device_key"),
        Index(None, "caregiver_id"),
        Index(None, "expires_at"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    caregiver_id: Mapped[UUID]
    provider_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    device_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The public key of the phone, a point of P-256; a browser that cannot keep one may read, not report."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class Consent(Base):
    """An elder's permission for one purpose, given to one party, until withdrawn."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "uq_consent_standing",
            "elder_id",
            "purpose",
            "granted_to",
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID]
    purpose: Mapped[str] = mapped_column(Text)
    granted_to: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    """A reference (recording or document id), never the thing itself."""
    guardian_id: Mapped[UUID | None]
    """The family member who spoke in the elder's place; families live on a higher floor, so there is no foreign key."""
    granted_at: Mapped[datetime] = mapped_column(Instant)
    granted_by: Mapped[str] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_channel: Mapped[str | None] = mapped_column(Text)
    withdrawn_evidence: Mapped[str | None] = mapped_column(Text)


class AuditEntry(Base):
    """Who did what to which thing, and why. Written in the transaction of the deed; never changed."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "object_type", "object_id", "at"), Index(None, "actor", "at"), Index(None, "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    object_type: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str] = mapped_column(Text)
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Names of the fields seen or changed, never their values."""
    reason: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
