"""Tables of `channels`: the WeChat accounts we answer for, and the makers of devices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
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
