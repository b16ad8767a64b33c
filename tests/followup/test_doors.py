"""Doors of follow-up: the call queue, complaints, and what a family sees of one order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.accounts import consent, links
from app.core.db import Database
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.elders.facts import NewFamilyMember
from app.followup.family import PARTS
from app.followup.service import FAMILY_LINK
from tests.world import World
from tests.world.visits import Assigned


@pytest.fixture
def staff(world: World, clean_database: Database) -> Any:
    """Headers of a new staff member with the role."""

    async def headers(role: str, divisions: tuple[str, ...] = ("620300",)) -> dict[str, str]:
        made: dict[str, str] = await world.staff_headers(clean_database, (role,), divisions)
        return made

    return headers


async def visited(database: Database, world: World, **overrides: Any) -> tuple[Assigned, str]:
    """A finished visit with its follow-up, and the family's link to it."""
    async with database.transaction() as tx:
        made: Assigned = await world.visit(tx, **overrides)
        return made, await links.issue(tx, FAMILY_LINK, made.order_id, timedelta(days=30))


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def test_the_call_queue_and_one_call(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made, _ = await visited(database, world)
    await visited(database, world, division_code="110101001001")
    operator = await staff("operator")
    queue = (await api.get("/v1/followups?status=due", headers=operator)).json()["items"]
    assert [item["order_id"] for item in queue] == [str(made.order_id)]
    assert queue[0]["elder_name"] == "曾**"
    assert (queue[0]["own"], queue[0]["selected_because"]) == (False, "first_visit")
    path = f"/v1/followups/{queue[0]['id']}"
    said = {"outcome": "no_answer", "note": "无人接听"}
    tried = await api.post(f"{path}/attempts", json=said, headers=operator)
    assert tried.status_code == 201, tried.text
    assert (tried.json()["attempts"], tried.json()["history"][0]["note"]) == (1, "无人接听")
    again = await api.post(f"{path}/attempts", json=said, headers=operator)
    assert again.headers["idempotency-replayed"] == "true"
    stale = operator | key() | {"If-Match": '"1"'}
    assert (await api.post(f"{path}/attempts", json=said, headers=stale)).status_code == 412
    answers = [{"question": "是否准时", "answer": "是"}]
    reached = {"outcome": "reached", "solved": True, "score": 5, "answers": answers}
    closed = await api.post(f"{path}/attempts", json=reached, headers=operator | key())
    assert (closed.json()["status"], closed.json()["outcome"]) == ("closed", "reached")
    assert closed.json()["history"][1]["answers"] == answers
    order = (await api.get(f"/v1/orders/{made.order_id}", headers=operator)).json()
    assert (order["status"], order["rating"]) == ("closed", 5)
    nobody_reached = {"outcome": "no_answer", "score": 5}
    assert (await api.post(f"{path}/attempts", json=nobody_reached, headers=operator | key())).status_code == 422
    assert (await api.get(path, headers=await staff("operator", ("110000",)))).status_code == 404
    assert (await api.get("/v1/followups", headers=await staff("settlement_clerk"))).status_code == 403


async def test_the_queue_pages_by_what_is_due(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    expected = {str((await visited(database, world))[0].order_id) for _ in range(3)}
    seen: list[str] = []
    cursor, headers = "", await staff("operator")
    for _ in range(3):
        page = (await api.get(f"/v1/followups?limit=1{cursor}", headers=headers)).json()
        seen += [item["order_id"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert len(seen) == 3
    assert set(seen) == expected
    assert (await api.get("/v1/followups?cursor=eHh4", headers=headers)).json()["code"] == "cursor_malformed"


async def test_a_family_sees_what_the_elder_consented_to(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, token = await visited(database, world)
    await visited(database, world)
    path = f"/v1/family/orders/{token}"
    bare = (await api.get(path)).json()
    assert bare["status_words"] == "服务已结束"
    assert bare["withheld"] == list(PARTS)
    assert [bare[name] for name in ("who", "item", "began_at", "price_fen", "result_words")] == [None] * 5
    async with database.transaction() as tx:
        await consent.grant(tx, SYSTEM, made.elder_id, "family_page.times", "family", "hotline")
    partly = (await api.get(path)).json()
    assert partly["withheld"] == ["people", "work", "costs"]
    assert partly["left_at"] is not None
    async with database.transaction() as tx:
        await consent.grant(tx, SYSTEM, made.elder_id, "family_page", "family", "hotline")
        await consent.withdraw(tx, SYSTEM, made.elder_id, "family_page.times", "family")
    whole = (await api.get(path)).json()
    assert whole["withheld"] == []
    assert whole["who"]["caregiver"].startswith("王*")
    assert whole["result_words"] == "服务已完成，共100分钟"
    assert (whole["price_fen"], whole["copay_fen"]) == (7000, 1400)
    assert [cost["payer"] for cost in whole["costs"]] == ["政府购买服务", "自付"]
    async with database.transaction() as tx:
        await consent.withdraw(tx, SYSTEM, made.elder_id, "family_page", "family")
    assert (await api.get(path)).json() == bare
    assert (await api.get(f"/v1/family/orders/{token[:-1]}x")).status_code == 404


async def test_approving_a_relative_opens_the_page_until_the_elder_says_otherwise(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    async with database.transaction() as tx:
        relative = NewFamilyMember(name="曾小明", relation="child", phone="13800000001", approved=True)
        elder_id = await world.elder(tx, family=(relative,))
    _, token = await visited(database, world, elder_id=elder_id)
    path = f"/v1/family/orders/{token}"
    assert (await api.get(path)).json()["withheld"] == []
    async with database.transaction() as tx:
        await consent.grant(tx, SYSTEM, elder_id, "family_page.people", "family", "hotline")
    assert (await api.get(path)).json()["withheld"] == ["times", "work", "costs"]
    async with database.transaction() as tx:
        await consent.withdraw(tx, SYSTEM, elder_id, "family_page.people", "family")
    assert (await api.get(path)).json()["withheld"] == list(PARTS)


async def test_a_link_opens_one_order_and_rates_it_once(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made, token = await visited(database, world)
    path = f"/v1/family/orders/{token}/rating"
    assert (await api.post(path, json={"score": 6}, headers=key())).status_code == 422
    assert (await api.post(path, json={"score": 5})).json()["code"] == "idempotency_key_required"
    rated = await api.post(path, json={"score": 1, "tags": ["迟到"], "comment": "晚了一小时"}, headers=key())
    assert rated.status_code == 201, rated.text
    assert rated.json()["counts"] is True
    second = await api.post(path, json={"score": 5}, headers=key())
    assert second.json()["counts"] is False
    page = (await api.get(f"/v1/family/orders/{token}")).json()
    assert (page["rating"], page["may_rate"], page["complaint_open"]) == (1, False, True)
    [complaint] = (await api.get("/v1/complaints?status=open", headers=await staff("operator"))).json()["items"]
    assert complaint["id"] == rated.json()["complaint_id"]
    assert (complaint["order_id"], complaint["detail"]) == (str(made.order_id), "晚了一小时")
    async with database.transaction() as tx:
        await links.revoke(tx, FAMILY_LINK, made.order_id)
    assert (await api.get(f"/v1/family/orders/{token}")).status_code == 404


async def test_a_complaint_from_opening_to_decision(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made, _ = await visited(database, world)
    operator = await staff("operator")
    new = {"order_id": str(made.order_id), "reason_code": "late_arrival", "detail": "约好九点"}
    opened = await api.post("/v1/complaints", json=new, headers=operator)
    assert opened.status_code == 201, opened.text
    path = opened.headers["location"]
    again = await api.post("/v1/complaints", json=new, headers=operator | key())
    assert (again.status_code, again.json()["code"]) == (409, "complaint_open")
    flags = (await api.get(f"/v1/orders/{made.order_id}", headers=operator)).json()["flags"]
    assert flags == ["complaint"]
    reply = await api.post(f"{path}/reply", json={"text": "已致歉"}, headers=operator | key())
    assert (reply.json()["status"], reply.json()["reply"]) == ("replied", "已致歉")
    decision = {"upheld": "no", "measures": "核实为约定时间有误"}
    assert (await api.post(f"{path}/decision", json=decision, headers=operator | key())).status_code == 403
    elsewhere = await staff("supervisor", ("110000",))
    assert (await api.post(f"{path}/decision", json=decision, headers=elsewhere)).status_code == 404
    stale = await staff("supervisor") | {"If-Match": '"1"'}
    assert (await api.post(f"{path}/decision", json=decision, headers=stale)).status_code == 412
    decided = await api.post(f"{path}/decision", json=decision, headers=await staff("supervisor"))
    assert (decided.json()["status"], decided.json()["upheld"]) == ("decided", "no")
    assert (await api.get(f"/v1/orders/{made.order_id}", headers=operator)).json()["flags"] == []
    assert (await api.get(path, headers=await staff("auditor"))).json()["measures"] == "核实为约定时间有误"
    overdue = await api.get("/v1/complaints?overdue=true", headers=operator)
    assert overdue.json()["items"] == []


async def test_a_complaint_needs_somebody_it_is_about(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made, _ = await visited(database, world)
    other, _ = await visited(database, world)
    operator = await staff("operator")

    async def status(body: dict[str, Any], headers: dict[str, str]) -> int:
        return (
            await api.post("/v1/complaints", json={"reason_code": "x", **body}, headers=headers | key())
        ).status_code

    assert await status({}, operator) == 422
    assert await status({"order_id": str(new_id())}, operator) == 404
    assert await status({"order_id": str(made.order_id), "elder_id": str(other.elder_id)}, operator) == 422
    assert await status({"elder_id": str(made.elder_id)}, await staff("operator", ("110000",))) == 404
    assert await status({"elder_id": str(made.elder_id)}, operator) == 201


async def test_the_desk_reads_who_looked_at_an_order(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made, token = await visited(database, world)
    await visited(database, world)
    await api.get(f"/v1/family/orders/{token}", headers={"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0"})
    await api.get(f"/f/{token}", headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0)", "Accept": "text/html"})
    await api.get(f"/f/{token[:-1]}", headers={"Accept": "text/html"})
    path = f"/v1/orders/{made.order_id}/family-link-openings"
    for role in ("operator", "auditor"):
        found = (await api.get(path, headers=await staff(role))).json()
        assert {(one["device"], one["times"]) for one in found} == {("wechat", 1), ("computer", 1)}
    assert (await api.get(path, headers=await staff("settlement_clerk"))).status_code == 403
    assert (await api.get(path, headers=await staff("operator", ("110000",)))).status_code == 404
