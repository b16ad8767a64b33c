"""What is asked of the knowledge base, and what it answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.core.text import Body, Line, View, Word

Topic = Literal[
    "allowance", "service", "assessment", "insurance", "preference", "meals", "safety", "rights", "facilities",
    "hotline",
]  # fmt: skip
Division = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]


class ArticleBody(Body):
    """`code` and `division` name the article: the same again is its next version."""

    code: Code
    division: Division
    topic: Topic
    title: Line
    keywords: Annotated[list[Word], Field(max_length=30)] = Field(default_factory=list)
    answer: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    source: Line
    valid_from: Day
    valid_to: Day | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "senior_allowance",
                    "division": "620300",
                    "topic": "allowance",
                    "title": "高龄津贴怎么申请",
                    "keywords": ["高龄补贴", "八十岁", "长寿钱"],
                    "answer": "由户籍所在社区（村）受理，带身份证和户口簿；标准以民政部门当年公布为准。",
                    "source": "示例条目，非正式政策",
                    "valid_from": "2026-01-01",
                }
            ]
        },
    )


class Withdrawal(Body):
    reason: Line

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "文件已废止"}]})


class ArticleView(View):
    """One version of an article, with how often it was answered from."""

    id: UUID
    code: str
    division: str
    version: int
    topic: str
    topic_name: str
    title: str
    keywords: list[str]
    answer: str
    source: str
    valid_from: date
    valid_to: date | None = None
    published_at: datetime
    published_by: str
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None
    used: int
    used_at: datetime | None = None


class VersionView(View):
    id: UUID
    version: int
    valid_from: date
    valid_to: date | None = None
    withdrawn_at: datetime | None = None


class ArticleWithVersions(ArticleView):
    versions: list[VersionView]
    """Of the same code and division, the newest first."""
