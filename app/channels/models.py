"""Tables of `channels`: the WeChat accounts we answer for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, LargeBinary, Text
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
