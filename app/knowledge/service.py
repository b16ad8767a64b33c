"""Verbs of the knowledge base."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any
from uuid import UUID

from pypinyin import Style, lazy_pinyin

from app.accounts import audit, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.knowledge import queries
from app.regions.divisions import lineage

LEAST = 0.3
"""Points below which an article has nothing to do with the words: pg_trgm's own idea of similar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """`models.Article` explains the fields. `valid_to` None: until replaced or withdrawn."""

    code: str
    division: str
    topic: str
    title: str
    keywords: tuple[str, ...]
    answer: str
    source: str
    valid_from: date
    valid_to: date | None = None


async def search(
    tx: Tx, words: str | None, *, topic: str | None, division: str, day: date, limit: int, skip: int = 0
) -> list[Any]:
    """Articles in force in `division` on `day`, the best fitting first; without words the most used first."""
    asked = words.strip().lower() if words else None
    return await queries.search(tx, lineage(division), day, asked or None, topic, LEAST, limit, skip)


async def article(tx: Tx, article_id: UUID) -> Any:
    """One version, in force or not. Raises NotFound."""
    row = await queries.get(tx, article_id)
    if row is None:
        raise NotFound("article_not_found", "there is no such article")
    return row


async def publish(tx: Tx, caller: Caller, new: NewArticle) -> UUID:
    """A new article, or the next version of one: from `valid_from` on it is what holds, whatever did before.

    Raises NotFound for a division out of the caller's scope, Invalid for a validity that ends before it begins.
    """
    if not scope.sees(caller, new.division):
        raise NotFound("division_not_found", "there is no such division for you")
    if new.valid_to is not None and new.valid_to < new.valid_from:
        raise Invalid("validity_empty", "it ends before it begins", field="valid_to")
    now, article_id = clock.now(), new_id()
    version = await queries.next_version(tx, new.code, new.division)
    await queries.make_room(
        tx, new.code, new.division, new.valid_from, now, caller.actor, f"replaced by version {version}"
    )
    await queries.add(
        tx, article_id, new.code, new.division, version, new.topic, new.title, initials(new.title),
        list(new.keywords), new.answer, new.source, new.valid_from, new.valid_to, now, caller.actor,
    )  # fmt: skip
    await audit.record(tx, caller, "articles.publish", "article", article_id, ["answer"], new.source)
    return article_id


async def withdraw(tx: Tx, caller: Caller, article_id: UUID, reason: str) -> Any:
    """From now on nobody answers from it; the row stays, with who took it back and why. Raises Conflict twice."""
    row = await article(tx, article_id)
    if not scope.sees(caller, row["division_code"]):
        raise NotFound("article_not_found", "there is no such article")
    if not await queries.withdraw(tx, article_id, clock.now(), caller.actor, reason):
        raise Conflict("article_withdrawn", "this version is withdrawn already")
    await audit.record(tx, caller, "articles.withdraw", "article", article_id, reason=reason)
    return await article(tx, article_id)


async def used(tx: Tx, article_id: UUID) -> None:
    """An answer is being given from this version. Raises Invalid for one nobody may answer from any more."""
    row = await queries.get(tx, article_id)
    if row is None:
        raise Invalid("article_unknown", "there is no such article", field="article_id")
    today = clock.today()
    in_force = row["valid_from"] <= today and (row["valid_to"] is None or row["valid_to"] >= today)
    if row["withdrawn_at"] is not None or not in_force:
        raise Invalid("article_not_in_force", "this version does not hold today", field="article_id")
    await queries.used(tx, article_id, clock.now())


def initials(title: str) -> str:
    """What an operator types for it: 高龄津贴 → gljt; letters and digits of the title stay."""
    return "".join(lazy_pinyin(title, style=Style.FIRST_LETTER)).replace(" ", "").lower()


async def load_examples(tx: Tx, caller: Caller, division: str, valid_from: date) -> int:
    """The demo's articles, written for showing the system and decided by nobody. Returns how many there are."""
    shipped = json.loads((files("app.knowledge") / "data" / "examples.json").read_text(encoding="utf-8"))
    for one in shipped:
        words = tuple(one.pop("keywords"))
        new = NewArticle(**one, keywords=words, division=division, source="示例条目，非正式政策", valid_from=valid_from)
        await publish(tx, caller, new)
    return len(shipped)
