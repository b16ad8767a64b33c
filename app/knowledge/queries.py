"""SQL of articles. A city has some hundred of them, so a search looks at each that holds; no index is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

COLUMNS = """id, code, division_code, version, topic, title, keywords, answer, source, valid_from, valid_to,
  published_at, published_by, withdrawn_at, withdrawn_by, withdrawn_reason, used, used_at"""

# Of each code the one of the nearest place of the lineage $1; then who asks for what: the words of the title, its
# initials, a keyword (also one inside a whole spoken sentence), the answer, or something that only looks like it.
SEARCH = f"""WITH here AS (
  SELECT DISTINCT ON (code) {COLUMNS}, initials FROM article
  WHERE division_code = ANY($1::text[]) AND withdrawn_at IS NULL AND valid_from <= $2
    AND (valid_to IS NULL OR valid_to >= $2)
  ORDER BY code, array_position($1::text[], division_code)
), ranked AS (
  SELECT *, CASE
    WHEN $3::text IS NULL THEN 1
    WHEN strpos(lower(title), $3) > 0 THEN 6
    WHEN starts_with(initials, $3) THEN 5
    WHEN EXISTS (SELECT FROM unnest(keywords) AS said
      WHERE strpos($3, lower(said)) > 0 OR strpos(lower(said), $3) > 0) THEN 4
    WHEN strpos(lower(answer), $3) > 0 THEN 2
    ELSE 0 END + coalesce(greatest(word_similarity($3, title), word_similarity(title, $3)), 0) AS points
  FROM here WHERE $4::text IS NULL OR topic = $4
)
SELECT {COLUMNS}, points FROM ranked WHERE points >= $5 ORDER BY points DESC, used DESC, code LIMIT $6 OFFSET $7"""

GET = f"SELECT {COLUMNS} FROM article WHERE id = $1"
VERSIONS = """SELECT id, version, valid_from, valid_to, withdrawn_at FROM article
WHERE code = $1 AND division_code = $2 ORDER BY version DESC"""
LAST_VERSION = "SELECT max(version) FROM article WHERE code = $1 AND division_code = $2"
REPLACE = """UPDATE article SET withdrawn_at = $4, withdrawn_by = $5, withdrawn_reason = $6
WHERE code = $1 AND division_code = $2 AND withdrawn_at IS NULL AND valid_from >= $3"""
END = """UPDATE article SET valid_to = $3::date - 1
WHERE code = $1 AND division_code = $2 AND withdrawn_at IS NULL AND valid_from < $3
  AND (valid_to IS NULL OR valid_to >= $3)"""
ADD = """INSERT INTO article (id, code, division_code, version, topic, title, initials, keywords, answer, source,
  valid_from, valid_to, published_at, published_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"""
WITHDRAW = """UPDATE article SET withdrawn_at = $2, withdrawn_by = $3, withdrawn_reason = $4
WHERE id = $1 AND withdrawn_at IS NULL"""
USED = "UPDATE article SET used = used + 1, used_at = $2 WHERE id = $1"


async def search(
    tx: Tx, lineage: Sequence[str], day: date, words: str | None, topic: str | None, least: float, limit: int, skip: int
) -> list[Any]:
    """Articles in force on `day` in the first place of `lineage`, the best fitting first."""
    return await tx.search(SEARCH, list(lineage), day, words, topic, least, limit, skip)


async def get(tx: Tx, article_id: UUID) -> Any:
    return await tx.fetchrow(GET, article_id)


async def versions(tx: Tx, code: str, division_code: str) -> list[Any]:
    return await tx.fetch(VERSIONS, code, division_code)


async def next_version(tx: Tx, code: str, division_code: str) -> int:
    """The number of the next version; nobody else gets it before this transaction ends."""
    await tx.one_at_a_time("article", code, division_code)
    return (await tx.fetchval(LAST_VERSION, code, division_code) or 0) + 1


async def make_room(
    tx: Tx, code: str, division_code: str, valid_from: date, now: datetime, actor: str, reason: str
) -> None:
    """What holds from that day on ends the day before; what would begin that day or later is withdrawn."""
    await tx.run(REPLACE, code, division_code, valid_from, now, actor, reason)
    await tx.run(END, code, division_code, valid_from)


async def add(tx: Tx, *values: Any) -> None:
    await tx.run(ADD, *values)


async def withdraw(tx: Tx, article_id: UUID, now: datetime, actor: str, reason: str) -> bool:
    return await tx.run(WITHDRAW, article_id, now, actor, reason) == 1


async def used(tx: Tx, article_id: UUID, now: datetime) -> None:
    await tx.run(USED, article_id, now)
