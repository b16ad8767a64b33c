"""Tables of `channels`: WeChat accounts, makers of devices, and the gateways our messages leave by."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class WechatAccount(Base):
    """One official account in safe mode. `account` is its name in our path, not a secret."""

    __tablename__ = "wechat_account"

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    appid: Mapped[str] = mapped_column(Text)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    aes_key: Mapped[bytes] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(Boolean)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


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
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class DeviceCode(Base):
    """What a maker's code means to us."""

    __tablename__ = "device_code"

    vendor: Mapped[str] = mapped_column(ForeignKey("device_maker.vendor"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


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
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class GatewayTemplate(Base):
    """Under which name a gateway keeps one of our templates, and what it wants filled in, in its order. The newest
    row whose day has come is used."""

    __tablename__ = "gateway_template"

    gateway: Mapped[str] = mapped_column(ForeignKey("message_gateway.name"), primary_key=True)
    template_code: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    external_code: Mapped[str] = mapped_column(Text)
    params: Mapped[list[str]] = mapped_column(ARRAY(Text))
