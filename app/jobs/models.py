"""Tables of background work. The queue's own tables belong to PgQueuer and are made by its migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.core.db import Base


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # so that Alembic recognises it in a database


class FeedEntry(Base):
    """One thing an audience ("provider:<id>", "desk") has to hear of. Thin: readers get the current snapshot.

    `txid` is the writing transaction. Sequence numbers are handed out before commit, so a reader that follows
    `id` alone skips whatever commits late; a reader that stops at the oldest running transaction does not.
    """

    __tablename__ = "feed_entry"
    __table_args__ = (
        Index(None, "audience", "txid", "id"),
        Index(None, "txid"),  # which audiences have news
        Index(None, "occurred_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    txid: Mapped[int] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    audience: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    order_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]
    seq: Mapped[int] = mapped_column(Integer)
    """The order's version when this happened."""
    facts: Mapped[str | None] = mapped_column(Text)
    """Small JSON for entries that are not about an order (a ringing call); no personal data."""
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class JobReceipt(Base):
    """A job whose effect is committed. The queue delivers at least once; this makes the effect once."""

    __tablename__ = "job_receipt"

    job_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    done_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), index=True)


class PeriodicTask(Base):
    """When a periodic task is due next. The row lock is the lease: one runner, in one transaction."""

    __tablename__ = "periodic_task"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    next_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    last_started_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    last_error: Mapped[str | None] = mapped_column(Text)
