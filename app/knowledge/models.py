"""Articles, a row per version."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Text, UniqueConstraint, column, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

TOPICS = {
    "allowance": "津贴补贴",
    "service": "居家服务",
    "assessment": "能力评估",
    "insurance": "长期护理保险",
    "preference": "老年优待",
    "meals": "助餐",
    "safety": "安全与求助",
    "rights": "权益与投诉",
    "facilities": "机构与设施",
    "hotline": "热线说明",
}


class Article(Base):
    """One version. `initials` are the first letters of the title's pinyin, `keywords` what people say instead of it."""

    __tablename__ = "article"
    __table_args__ = (
        UniqueConstraint("code", "division_code", "version"),
        CheckConstraint("topic IN (" + ", ".join(f"'{topic}'" for topic in TOPICS) + ")", name="topic"),
        CheckConstraint("division_code ~ '^[0-9]{6,12}$'", name="division_code"),
        CheckConstraint("valid_to >= valid_from", name="valid"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn_by_somebody"),
        ExcludeConstraint(
            (column("code"), "="),
            (column("division_code"), "="),
            (func.daterange(column("valid_from"), column("valid_to"), text("'[]'")), "&&"),
            using="gist",
            where=text("withdrawn_at IS NULL"),
            name="ex_article_overlap",
        ),
        Index(None, "topic"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    division_code: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    topic: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    initials: Mapped[str] = mapped_column(Text)
    keywords: Mapped[list[str]] = mapped_column(ARRAY(Text))
    answer: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    """Name and number of the document it follows; "示例条目" marks the demo's."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    published_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    published_by: Mapped[str] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)
    used: Mapped[int] = mapped_column(Integer, server_default="0")
    """How many answers were given from this version."""
    used_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
