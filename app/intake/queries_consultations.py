"""SQL of what was asked and answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.core.db import Tx

# A closed request does not change any more, so its last change is its end.
_ASKED = """FROM care_request r LEFT JOIN article a ON a.id = r.article_id
WHERE r.kind = 'consultation' AND r.created_at >= $1 AND r.created_at < $2
  AND (r.division_code IS NULL OR EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS s(low, high)
    WHERE r.division_code >= s.low AND r.division_code < s.high))"""
COUNTS = f"""SELECT count(*) AS asked, count(*) FILTER (WHERE r.status = 'answered') AS answered,
  count(*) FILTER (WHERE r.status = 'answered' AND r.updated_at - r.created_at <= $5) AS answered_at_once,
  count(*) FILTER (WHERE r.article_id IS NOT NULL) AS with_article,
  count(*) FILTER (WHERE r.status IN ('new', 'escalated')) AS unanswered
{_ASKED}"""
TOPICS = f"SELECT a.topic, count(*) AS answers {_ASKED} AND a.id IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
ARTICLES = f"""SELECT a.id, a.code, a.division_code AS division, a.version, a.title, count(*) AS answers
{_ASKED} AND a.id IS NOT NULL GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC, 2, 4 LIMIT $5"""
WITHOUT = f"SELECT r.id {_ASKED} AND r.status = 'answered' AND a.id IS NULL ORDER BY r.id DESC LIMIT $5"


class Period:
    """What is counted: requests taken from `begin` until before `end`, within division ranges or of nobody yet."""

    def __init__(self, begin: datetime, end: datetime, ranges: Sequence[tuple[str, str]]) -> None:
        self.arguments = (begin, end, [low for low, _ in ranges], [high for _, high in ranges])


async def counts(tx: Tx, period: Period, at_once: timedelta) -> Any:
    return await tx.fetchrow(COUNTS, *period.arguments, at_once)


async def topics(tx: Tx, period: Period) -> list[Any]:
    return await tx.fetch(TOPICS, *period.arguments)


async def articles(tx: Tx, period: Period, limit: int) -> list[Any]:
    """The versions most answers came from."""
    return await tx.fetch(ARTICLES, *period.arguments, limit)


async def without_article(tx: Tx, period: Period, limit: int) -> list[Any]:
    return [row["id"] for row in await tx.fetch(WITHOUT, *period.arguments, limit)]
