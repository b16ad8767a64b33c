"""The door to how consultations were answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.core.errors import Invalid
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.text import Instant, View
from app.intake import consultations, queries_consultations
from app.intake.queries_consultations import Period
from app.regions.divisions import scope_ranges

door = Router(tags=["intake"])
MOST = 20


class TopicCount(View):
    topic: str
    answers: int


class ArticleCount(View):
    id: UUID
    code: str
    division: str
    version: int
    title: str
    answers: int


class ConsultationFigures(View):
    """`at_once_share` is null when nothing was asked."""

    begin: datetime
    end: datetime
    asked: int
    answered: int
    answered_at_once: int
    at_once_share: float | None
    unanswered: int
    closed_otherwise: int
    with_article: int
    without_article: int
    topics: list[TopicCount]
    articles: list[ArticleCount]
    """The most used versions."""
    requests_without_article: list[UUID]
    """The newest answers that came from no article: what to write one about."""


@door.get(
    "/v1/consultation-figures", response_model=ConsultationFigures, summary="What was asked, and how it was answered"
)
@allow("hotline.read")
async def consultation_figures(
    tx: TxDep, caller: CallerDep, begin: Annotated[Instant, Query()], end: Annotated[Instant, Query()]
) -> Any:
    if end <= begin:
        raise Invalid("period_empty", "the period ends before it begins", field="end")
    period = Period(begin, end, scope_ranges(caller.divisions))
    counted = consultations.Figures(**dict(await queries_consultations.counts(tx, period, consultations.AT_ONCE)))
    return ConsultationFigures(
        begin=begin, end=end, asked=counted.asked, answered=counted.answered,
        answered_at_once=counted.answered_at_once, at_once_share=counted.at_once_share,
        unanswered=counted.unanswered, closed_otherwise=counted.closed_otherwise,
        with_article=counted.with_article, without_article=counted.without_article,
        topics=[TopicCount(**dict(row)) for row in await queries_consultations.topics(tx, period)],
        articles=[ArticleCount(**dict(row)) for row in await queries_consultations.articles(tx, period, MOST)],
        requests_without_article=await queries_consultations.without_article(tx, period, MOST),
    )  # fmt: skip
