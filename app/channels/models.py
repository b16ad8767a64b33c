"""Tables of `channels`: WeChat accounts and what we may say through them, makers of devices, message gateways."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Instant = TIMESTAMP(timezone=True)


class WechatAccount(Base):
    """One official account or mini-program, in safe mode. `account` is its name in our path, not a secret.

    `secret` (the AppSecret) is needed only to speak to WeChat; an account without one just listens.
    """

    __tablename__ = "wechat_account"
    __table_args__ = (CheckConstraint("kind IN ('official', 'mini_program')", "kind"),)

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    appid: Mapped[str] = mapped_column(Text)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    aes_key: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(Text, server_default="official")
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(Boolean)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class WechatFollower(Base):
    """Whether somebody follows an account, as of the newest event about it; without a row nobody has told us."""

    __tablename__ = "wechat_follower"

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    sender_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    following: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class WechatTemplate(Base):
    """WeChat's template for one of our messages, and the way it goes. `page` is opened by a tap on it."""

    __tablename__ = "wechat_template"
    __table_args__ = (CheckConstraint("way IN ('template', 'subscription', 'mini_program')", "way"),)

    account: Mapped[str] = mapped_column(ForeignKey("wechat_account.account"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    template_id: Mapped[str] = mapped_column(Text)
    way: Mapped[str] = mapped_column(Text)
    page: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class WechatConsent(Base):
    """How many messages of a template somebody still wants: each consent is good for one."""

    __tablename__ = "wechat_consent"
    __table_args__ = (CheckConstraint("left_over >= 0", "left_over"),)

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    sender_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    template_id: Mapped[str] = mapped_column(Text, primary_key=True)
    left_over: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class WechatToken(Base):
    """WeChat's access token for an account, sealed: one for all processes. Whoever renews it holds the row."""

    __tablename__ = "wechat_token"
    __table_args__ = (
        CheckConstraint("(token IS NULL) = (fetched_at IS NULL) AND (token IS NULL) = (expires_at IS NULL)", "whole"),
    )

    account: Mapped[str] = mapped_column(ForeignKey("wechat_account.account"), primary_key=True)
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    fetched_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class WechatUsedState(Base):
    """A state that a page in WeChat came back with: it opens nothing a second time."""

    __tablename__ = "wechat_used_state"
    __table_args__ = (Index(None, "expires_at"),)

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class DeviceMaker(Base):
    """How a maker's devices reach us: the form of its pushes, the datum of its positions, its secret."""

    __tablename__ = "device_maker"
    __table_args__ = (
        CheckConstraint("form IN ('json', 'action', 'form', 'onenet')", name="form"),
        CheckConstraint("datum IN ('wgs84', 'gcj02', 'bd09')", name="datum"),
        CheckConstraint("(form = 'json') = (token IS NULL)", name="its_own_form_is_proved"),
    )

    vendor: Mapped[str] = mapped_column(Text, primary_key=True)
    form: Mapped[str] = mapped_column(Text)
    datum: Mapped[str] = mapped_column(Text)
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class DeviceCode(Base):
    """What a maker's code means to us."""

    __tablename__ = "device_code"

    vendor: Mapped[str] = mapped_column(ForeignKey("device_maker.vendor"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class MessageGateway(Base):
    """One account with a company that carries our messages. Of each channel at most one is active; receipts of the
    others are taken all the same."""

    __tablename__ = "message_gateway"
    __table_args__ = (
        CheckConstraint(
            "(channel = 'sms' AND vendor IN ('aliyun', 'tencent')) OR (channel = 'push' AND vendor = 'jpush')",
            name="vendor",
        ),
        Index("ux_message_gateway_active", "channel", unique=True, postgresql_where="active"),
    )

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str] = mapped_column(Text)
    endpoint: Mapped[str] = mapped_column(Text)
    settings: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed JSON: keys, signature, application."""
    receipt_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """Blind index of the secret part of the address its receipts come to."""
    active: Mapped[bool] = mapped_column(Boolean)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class GatewayTemplate(Base):
    """Under which name a gateway keeps one of our templates, and what it wants filled in, in its order. The newest
    row whose day has come is used."""

    __tablename__ = "gateway_template"

    gateway: Mapped[str] = mapped_column(ForeignKey("message_gateway.name"), primary_key=True)
    template_code: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    external_code: Mapped[str] = mapped_column(Text)
    params: Mapped[list[str]] = mapped_column(ARRAY(Text))
