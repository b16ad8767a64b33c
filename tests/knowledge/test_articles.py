"""Articles: which one holds where and when, how it is found, and what was answered from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from app.core import clock
from app.core.config import Settings
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.knowledge import service
from app.knowledge.router import router
from app.knowledge.service import NewArticle
from tests.intake.doors import client_of, small_app
from tests.world.accounts import staff_headers

CITY, COUNTY, TOWN = "620300", "620321", "620321100"


def article(**overrides: Any) -> NewArticle:
    usual: dict[str, Any] = {
        "code": "senior_allowance", "division": CITY, "topic": "allowance", "title": "高龄津贴怎么申请",
        "keywords": ("高龄补贴", "八十岁"), "answer": "到户籍所在社区办理。", "source": "示例条目",
        "valid_from": clock.today() - timedelta(days=30),
    }  # fmt: skip
    return NewArticle(**usual | overrides)


async def found(tx: Tx, words: str | None = None, *, division: str = CITY, **more: Any) -> list[str]:
    asked = {"topic": None, "day": clock.today(), "limit": 20} | more
    return [row["answer"] for row in await service.search(tx, words, division=division, **asked)]


async def test_the_nearest_place_answers(tx: Tx) -> None:
    await service.publish(tx, SYSTEM, article(division="000000", answer="国家"))
    assert await found(tx, "津贴", division=TOWN) == ["国家"]
    await service.publish(tx, SYSTEM, article(answer="市"))
    await service.publish(tx, SYSTEM, article(division=COUNTY, answer="县"))
    assert await found(tx, "津贴", division=TOWN) == ["县"]
    assert await found(tx, "津贴", division="620302") == ["市"]
    assert await found(tx, "津贴", division="110000") == ["国家"]


@pytest.mark.parametrize(
    "words",
    [
        "高龄津贴",
        "gljt",
        "GLJTzm",
        "我妈满八十岁了有没有高龄补贴",
        "补贴",
        "户籍",
        "怎么申请高龄津贴",
        "高龄津帖怎么申请",
    ],
)
async def test_it_is_found_by_what_people_say(tx: Tx, words: str) -> None:
    await service.publish(tx, SYSTEM, article())
    await service.publish(
        tx,
        SYSTEM,
        article(code="meals", topic="meals", title="老年食堂在哪里", keywords=("送餐",), answer="坐席可查。"),
    )
    assert await found(tx, words) == ["到户籍所在社区办理。"]


async def test_what_fits_better_comes_first_and_what_does_not_fit_not_at_all(tx: Tx) -> None:
    await service.publish(tx, SYSTEM, article(answer="甲"))
    await service.publish(tx, SYSTEM, article(code="b", title="老年食堂", keywords=(), answer="高龄津贴另问"))
    assert await found(tx, "高龄津贴") == ["甲", "高龄津贴另问"]
    assert await found(tx, "高龄津贴", limit=1, skip=1) == ["高龄津贴另问"]
    assert await found(tx, "天然气怎么充值") == []
    assert await found(tx, "%") == []
    assert await found(tx, None, topic="meals") == []


async def test_the_next_version_ends_the_one_before(tx: Tx) -> None:
    today = clock.today()
    first = await service.publish(tx, SYSTEM, article(answer="一"))
    await service.publish(tx, SYSTEM, article(answer="二", valid_from=today + timedelta(days=5)))
    assert await found(tx) == ["一"]
    assert await found(tx, day=today + timedelta(days=5)) == ["二"]
    # A correction from today on takes the place of what was to come, too.
    await service.publish(tx, SYSTEM, article(answer="三", valid_from=today))
    assert await found(tx) == await found(tx, day=today + timedelta(days=5)) == ["三"]
    assert await found(tx, day=today - timedelta(days=1)) == ["一"]
    row = await service.article(tx, first)
    assert (row["version"], row["valid_to"], row["withdrawn_at"]) == (1, today - timedelta(days=1), None)


async def test_two_versions_cannot_hold_on_one_day(tx: Tx) -> None:
    await service.publish(tx, SYSTEM, article())
    with pytest.raises(asyncpg.ExclusionViolationError):
        await tx.run(
            "INSERT INTO article SELECT gen_random_uuid(), code, division_code, 9, topic, title, initials, keywords, "
            "answer, source, valid_from, valid_to, published_at, published_by FROM article"
        )


async def test_what_is_not_yet_or_not_any_more_in_force_is_not_found(tx: Tx) -> None:
    today = clock.today()
    await service.publish(tx, SYSTEM, article(code="a", valid_from=today + timedelta(days=1)))
    await service.publish(tx, SYSTEM, article(code="b", valid_to=today - timedelta(days=1)))
    gone = await service.publish(tx, SYSTEM, article(code="c"))
    assert len(await found(tx)) == 1
    await service.withdraw(tx, SYSTEM, gone, "文件废止")
    assert await found(tx) == []


async def test_the_examples_are_marked_as_examples(tx: Tx) -> None:
    count = await service.load_examples(tx, SYSTEM, CITY, clock.today())
    rows = await service.search(tx, None, topic=None, division=CITY, day=clock.today(), limit=100)
    assert len(rows) == count == 15
    assert {row["source"] for row in rows} == {"示例条目，非正式政策"}


@pytest.fixture
async def doors(clean_database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    clean_database.cache.clear()
    app = small_app(clean_database)
    app.state.settings = settings
    app.include_router(router)
    async with client_of(app) as client:
        yield client


def body(**overrides: Any) -> dict[str, Any]:
    usual = {
        "code": "senior_allowance", "division": CITY, "topic": "allowance", "title": "高龄津贴怎么申请",
        "keywords": ["高龄补贴"], "answer": "到社区办理", "source": "示例条目", "valid_from": "2026-01-01",
    }  # fmt: skip
    return usual | overrides


async def test_a_supervisor_publishes_within_the_scope_and_an_operator_reads(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    boss = await staff_headers(clean_database, roles=["supervisor"], divisions=[COUNTY])
    operator = await staff_headers(clean_database)
    assert (await doors.post("/v1/articles", json=body(), headers=operator)).status_code == 403
    assert (await doors.post("/v1/articles", json=body(), headers=boss)).status_code == 404
    made = await doors.post("/v1/articles", json=body(division=COUNTY), headers=boss)
    assert made.status_code == 201, made.text
    page = (await doors.get("/v1/articles", params={"q": "gljt", "division": TOWN}, headers=operator)).json()
    assert [one["id"] for one in page["items"]] == [made.json()["id"]]
    assert (await doors.get("/v1/articles", params={"q": "gljt"}, headers=operator)).json()["items"] == []
    path = f"/v1/articles/{made.json()['id']}/withdrawal"
    key = {"Idempotency-Key": str(uuid4())}
    assert (await doors.post(path, json={"reason": "x"}, headers=operator | key)).status_code == 403
    gone = await doors.post(path, json={"reason": "废止"}, headers=boss | key)
    assert gone.json()["withdrawn_reason"] == "废止"
    again = await doors.post(path, json={"reason": "废止"}, headers=boss | {"Idempotency-Key": str(uuid4())})
    assert (again.status_code, again.json()["code"]) == (409, "article_withdrawn")


async def test_answers_from_an_article_are_counted_with_its_version(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    begin = clock.now() - timedelta(minutes=1)

    async def headers(role: str = "operator") -> dict[str, str]:
        return await staff_headers(clean_database, roles=[role])

    async def asked() -> str:
        made = await doors.post("/v1/care-requests", json={"kind": "consultation"}, headers=await headers())
        return f"/v1/care-requests/{made.json()['id']}/answer"

    versions = []
    for answer in ("一", "二"):
        made = await doors.post("/v1/articles", json=body(answer=answer), headers=await headers("supervisor"))
        versions.append(made.json()["id"])
    old, new = versions
    question = await asked()
    refused = await doors.post(question, json={"answer": "到社区", "article_id": old}, headers=await headers())
    assert (refused.status_code, refused.json()["code"]) == (422, "article_not_in_force")
    unknown = await doors.post(question, json={"answer": "好", "article_id": str(uuid4())}, headers=await headers())
    assert (unknown.status_code, unknown.json()["code"]) == (422, "article_unknown")
    done = await doors.post(question, json={"answer": "到社区", "article_id": new}, headers=await headers())
    assert (done.json()["status"], done.json()["article_id"]) == ("answered", new)
    twice = await doors.post(question, json={"answer": "到社区", "article_id": new}, headers=await headers())
    assert twice.status_code == 409
    bare = await doors.post(await asked(), json={"answer": "不清楚，已记录"}, headers=await headers())
    assert bare.json()["article_id"] is None
    await asked()
    late = await asked()
    async with clean_database.transaction() as tx:
        await tx.run(
            "UPDATE care_request SET created_at = created_at - interval '11 minutes' WHERE id = $1", late[18:54]
        )
    await doors.post(late, json={"answer": "到社区", "article_id": new}, headers=await headers())
    seen = (await doors.get(f"/v1/articles/{new}", headers=await headers())).json()
    assert (seen["used"], [one["version"] for one in seen["versions"]]) == (2, [2, 1])
    period = {"begin": (begin - timedelta(hours=1)).isoformat(), "end": clock.now().isoformat()}
    figures = (await doors.get("/v1/consultation-figures", params=period, headers=await headers("auditor"))).json()
    counted = {name: figures[name] for name in ("asked", "answered", "answered_at_once", "unanswered")}
    assert counted == {"asked": 4, "answered": 3, "answered_at_once": 2, "unanswered": 1}
    assert figures["topics"] == [{"topic": "allowance", "answers": 2}]
    assert [(one["version"], one["answers"]) for one in figures["articles"]] == [(2, 2)]
    assert figures["requests_without_article"] == [bare.json()["id"]]
    before = {"begin": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    assert (await doors.get("/v1/consultation-figures", params=before, headers=await headers())).json()["asked"] == 0
