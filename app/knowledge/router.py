"""Doors to the knowledge base."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.core import clock
from app.core.errors import Invalid
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, decode_cursor, encode_cursor
from app.knowledge import queries, service
from app.knowledge.models import TOPICS
from app.knowledge.schemas import (
    ArticleBody,
    ArticleView,
    ArticleWithVersions,
    Division,
    Topic,
    VersionView,
    Withdrawal,
)
from app.knowledge.service import NewArticle

router = Router(tags=["knowledge"])

Words = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Words, initials of the title, or the question as it was asked",
        examples=["高龄津贴", "gljt", "我妈八十了有补贴吗"],
    ),
]


@router.get("/v1/articles", response_model=Page[ArticleView], summary="What to answer here and today")
@allow("articles.read")
async def list_articles(
    tx: TxDep,
    request: Request,
    q: Words = None,
    topic: Topic | None = None,
    division: Annotated[Division | None, Query(description="Where the question comes from; default the city")] = None,
    day: Annotated[date | None, Query(description="Default today")] = None,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> Any:
    place, skip = division or request.app.state.settings.city_division, _skipped(cursor)
    rows = await service.search(
        tx, q, topic=topic, division=place, day=day or clock.today(), limit=limit + 1, skip=skip
    )
    more = len(rows) > limit
    return Page[ArticleView](
        items=[ArticleView(**_facts(row)) for row in rows[:limit]],
        next_cursor=encode_cursor(skip + limit) if more else None,
    )


@router.get("/v1/articles/{article_id}", response_model=ArticleWithVersions, summary="One version of an article")
@allow("articles.read")
async def read_article(tx: TxDep, article_id: UUID) -> Any:
    return await _with_versions(tx, article_id)


@router.post(
    "/v1/articles", response_model=ArticleWithVersions, status_code=201, summary="Publish an article's next version"
)
@allow("articles.write")
async def publish_article(tx: TxDep, caller: CallerDep, body: ArticleBody, response: Response) -> Any:
    given = body.model_dump(exclude={"keywords"})
    article_id = await service.publish(tx, caller, NewArticle(**given, keywords=tuple(body.keywords)))
    response.headers["Location"] = f"/v1/articles/{article_id}"
    return await _with_versions(tx, article_id)


@router.post(
    "/v1/articles/{article_id}/withdrawal", response_model=ArticleView, summary="Withdraw a version; it stays readable"
)
@allow("articles.write")
async def withdraw_article(tx: TxDep, caller: CallerDep, article_id: UUID, body: Withdrawal) -> Any:
    return ArticleView(**_facts(await service.withdraw(tx, caller, article_id, body.reason)))


async def _with_versions(tx: TxDep, article_id: UUID) -> ArticleWithVersions:
    row = await service.article(tx, article_id)
    found = await queries.versions(tx, row["code"], row["division_code"])
    return ArticleWithVersions(**_facts(row), versions=[VersionView(**dict(one)) for one in found])


def _facts(row: Any) -> dict[str, Any]:
    facts = {name: row[name] for name in ArticleView.model_fields if name not in {"division", "topic_name"}}
    return facts | {"division": row["division_code"], "topic_name": TOPICS[row["topic"]]}


def _skipped(cursor: str | None) -> int:
    """How many were shown before: what fits best has no order that an id could stand for."""
    if cursor is None:
        return 0
    (skipped, *_) = decode_cursor(cursor)
    if not (skipped.isascii() and skipped.isdigit()) or len(skipped) > 6:
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor")
    return int(skipped)
