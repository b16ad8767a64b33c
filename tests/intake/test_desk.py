"""The desk: requests taken, confirmed, closed; orders in one step; quotes."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.db import Database
from app.core.events import Bus
from app.intake import views
from app.intake.events import ComplaintReceived, EmergencyReceived
from app.jobs import feed
from app.jobs.feed import Position
from tests.intake.conftest import Headers
from tests.world.accounts import staff_headers
from tests.world.elders import make_elder

CALLER = {"name": "王芳", "phone": "0138 1234 5678", "relation": "child"}


async def taken(doors: httpx.AsyncClient, headers: Headers, **body: Any) -> dict[str, Any]:
    answer = await doors.post("/v1/care-requests", json={"caller": CALLER, **body}, headers=headers())
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_the_requester_is_not_the_beneficiary(doors: httpx.AsyncClient, operator: Headers, elder: UUID) -> None:
    made = await taken(doors, operator, elder_id=str(elder), item_code="clean_home", note="先打电话")
    assert made["status"] == "new"
    assert made["elder"] == {"id": str(elder), "name": "曾**"}
    assert made["caller"] == {"name": "王芳", "phone": "138****5678", "relation": "child"}
    assert made["missing"] == []
    assert made["next"] == ["answered", "confirmed", "merged", "rejected"]
    assert made["wanted"] == "asap"


async def test_what_is_missing_is_named_and_asked_for_at_confirmation(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID
) -> None:
    made = await taken(doors, operator, elder={"name": "李奶奶", "address": "上海路"}, note="想请人打扫")
    assert made["missing"] == ["elder", "item_code"]
    path = f"/v1/care-requests/{made['id']}/confirmation"
    refused = await doors.post(path, json={}, headers=operator())
    assert refused.status_code == 422
    assert refused.json()["missing"] == ["elder", "item_code"]
    done = await doors.post(path, json={"elder_id": str(elder), "item_code": "clean_home"}, headers=operator())
    assert done.status_code == 201
    order = done.json()
    assert order["care_request_id"] == made["id"]
    after = (await doors.get(f"/v1/care-requests/{made['id']}", headers=operator())).json()
    assert (after["status"], after["order_id"], after["version"]) == ("confirmed", order["id"], 2)
    assert after["elder"]["id"] == str(elder)


async def test_only_one_of_two_operators_confirms(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    made = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    path = f"/v1/care-requests/{made['id']}/confirmation"
    answers = await asyncio.gather(*(doors.post(path, json={}, headers=operator()) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]
    lost = next(a.json() for a in answers if a.status_code == 409)
    won = next(a.json() for a in answers if a.status_code == 201)
    assert (lost["status"], lost["code"]) == (409, "care_request_closed")
    assert lost["order_id"] == won["id"]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_order") == 1


async def test_duplicates_are_named_with_their_reasons(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        other = await make_elder(tx, name="解秀英")
    await taken(doors, operator, elder_id=str(other), item_code="clean_home")
    first = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    assert first["duplicates"] == []
    placed = await doors.post(
        "/v1/orders", json={"elder_id": str(elder), "item_code": "clean_home"}, headers=operator()
    )
    second = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    found = {(d["what"], d["id"]): d["reasons"] for d in second["duplicates"]}
    assert found == {
        ("request", first["id"]): ["same_item", "same_day"],
        ("order", placed.json()["id"]): ["same_item", "same_day"],
    }


async def test_a_caller_we_know_suggests_elders_and_nothing_more(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID
) -> None:
    made = await taken(doors, operator, caller={"phone": "8210001", "relation": "self"})
    assert made["elder"] is None
    assert made["suggested_elders"] == [{"id": str(elder), "name": "曾**"}]


async def desk_entries(database: Database) -> list[tuple[str, Any]]:
    async with database.transaction() as tx:
        return [(row["type"], row["facts"]) for row in await feed.read(tx, "desk", Position(), 100)]


@pytest.mark.parametrize(("kind", "event"), [("complaint", ComplaintReceived), ("emergency", EmergencyReceived)])
async def test_complaints_and_emergencies_are_handed_on_at_once_and_never_become_orders(
    doors: httpx.AsyncClient,
    operator: Headers,
    elder: UUID,
    clean_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    event: type,
) -> None:
    heard: list[Any] = []

    async def hear(_tx: Any, fact: Any) -> None:
        heard.append(fact)

    bus = Bus()
    bus.on(event, hear)
    monkeypatch.setattr(clean_database, "bus", bus)
    made = await taken(doors, operator, elder_id=str(elder), kind=kind, item_code="clean_home", note="没人来")
    assert made["status"] == "escalated"
    assert [fact.care_request_id for fact in heard] == [UUID(made["id"])]
    refused = await doors.post(f"/v1/care-requests/{made['id']}/confirmation", json={}, headers=operator())
    assert (refused.status_code, refused.json()["code"]) == (409, "care_request_move_forbidden")
    expected = "emergency.received" if kind == "emergency" else "request.received"
    assert [kind for kind, _ in await desk_entries(clean_database)] == [expected]
    if kind == "complaint":
        assert heard[0].words == "没人来"
    else:
        assert made["urgency"] == "emergency"


async def test_a_request_that_turns_out_to_be_an_emergency(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    made = await taken(doors, operator, note="我摔倒了")
    path = f"/v1/care-requests/{made['id']}"
    known = await doors.post(f"{path}/classification", json={"kind": "emergency"}, headers=operator())
    assert (known.json()["status"], known.json()["urgency"]) == ("escalated", "emergency")
    back = await doors.post(f"{path}/classification", json={"kind": "service"}, headers=operator())
    assert back.status_code == 409
    closed = await doors.post(f"{path}/answer", json={"answer": "已联系120和社区，老人无碍"}, headers=operator())
    assert closed.json()["status"] == "answered"
    entries = [kind for kind, _ in await desk_entries(clean_database)]
    assert entries == ["request.received", "emergency.received", "incident.raised"]


async def test_a_consultation_is_answered_a_service_rejected_a_repetition_merged(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID
) -> None:
    asked = await taken(doors, operator, kind="consultation", note="高龄津贴怎么办")
    unwanted = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    again = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    path = "/v1/care-requests/{}/{}"
    done = await doors.post(path.format(asked["id"], "answer"), json={"answer": "到街道办理"}, headers=operator())
    assert (done.json()["status"], done.json()["answer"]) == ("answered", "到街道办理")
    itself = await doors.post(path.format(again["id"], "merge"), json={"into": again["id"]}, headers=operator())
    assert itself.status_code == 422
    merged = await doors.post(path.format(again["id"], "merge"), json={"into": unwanted["id"]}, headers=operator())
    assert (merged.json()["status"], merged.json()["merged_into"]) == ("merged", unwanted["id"])
    back = await doors.post(path.format(unwanted["id"], "merge"), json={"into": again["id"]}, headers=operator())
    assert (back.status_code, back.json()["merged_into"]) == (409, unwanted["id"])
    no = await doors.post(path.format(unwanted["id"], "rejection"), json={"reason": "不在服务区"}, headers=operator())
    assert (no.json()["status"], no.json()["reason"]) == ("rejected", "不在服务区")
    twice = await doors.post(path.format(unwanted["id"], "rejection"), json={"reason": "不在"}, headers=operator())
    assert twice.status_code == 409


async def test_two_merges_across_do_not_deadlock_or_circle(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID
) -> None:
    one = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    two = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    answers = await asyncio.gather(
        doors.post(f"/v1/care-requests/{one['id']}/merge", json={"into": two["id"]}, headers=operator()),
        doors.post(f"/v1/care-requests/{two['id']}/merge", json={"into": one["id"]}, headers=operator()),
    )
    assert sorted(a.status_code for a in answers) == [200, 409]


async def test_a_stale_version_is_refused(doors: httpx.AsyncClient, operator: Headers) -> None:
    made = await taken(doors, operator, kind="consultation")
    path = f"/v1/care-requests/{made['id']}/answer"
    stale = await doors.post(path, json={"answer": "好"}, headers=operator() | {"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["version"]) == (412, 1)
    right = await doors.post(path, json={"answer": "好"}, headers=operator() | {"If-Match": '"1"'})
    assert right.status_code == 200


async def test_another_district_sees_only_what_is_nobodys_yet(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    theirs = await taken(doors, operator, elder_id=str(elder), item_code="clean_home")
    nobodys = await taken(doors, operator, note="想请人打扫")
    stranger = await staff_headers(clean_database, divisions=["620321"])
    listed = (await doors.get("/v1/care-requests", headers=stranger)).json()
    assert [item["id"] for item in listed["items"]] == [nobodys["id"]]
    assert (await doors.get(f"/v1/care-requests/{theirs['id']}", headers=stranger)).status_code == 404
    refused = await doors.post(f"/v1/care-requests/{theirs['id']}/rejection", json={"reason": "x"}, headers=stranger)
    assert refused.status_code == 404
    body = {"elder_id": str(elder), "item_code": "clean_home"}
    order = await doors.post("/v1/orders", json=body, headers=stranger | {"Idempotency-Key": str(uuid4())})
    assert order.status_code == 404
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_order") == 0


async def test_lists_are_paged_and_filtered(doors: httpx.AsyncClient, operator: Headers) -> None:
    ids = [(await taken(doors, operator, kind="consultation"))["id"] for _ in range(5)]
    await taken(doors, operator, kind="suggestion")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2, "kind": "consultation"} | ({"cursor": cursor} if cursor else {})
        page = (await doors.get("/v1/care-requests", params=params, headers=operator())).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


async def test_an_order_in_one_step(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    body = {"elder_id": str(elder), "item_code": "clean_home", "caller": CALLER, "note": "带拖把"}
    headers = operator()
    made = await doors.post("/v1/orders", json=body, headers=headers)
    assert made.status_code == 201, made.text
    order = made.json()
    assert order["elder"]["name"] == "曾**"
    assert order["price_fen"] > 0
    again = await doors.post("/v1/orders", json=body, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == order
    request = (await doors.get(f"/v1/care-requests/{order['care_request_id']}", headers=operator())).json()
    assert (request["status"], request["order_id"], request["caller"]["name"]) == ("confirmed", order["id"], "王芳")
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_order") == 1
        raw = await tx.fetchrow("SELECT note, caller_phone FROM care_request")
    assert "拖把".encode() not in bytes(raw["note"])
    assert b"13812345678" not in bytes(raw["caller_phone"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"elder_id": str(uuid4())}, 404),
        ({"item_code": "no_such_item"}, 404),
        ({"wanted": {"from": "2001-01-01T00:00:00+08:00"}}, 422),
        ({"wanted": {"from": "0001-01-01T00:00:00+14:00"}}, 422),
        ({"wanted": {"from": "2026-11-24T00:00:00"}}, 422),
        ({"wanted": "soon"}, 422),
        ({"call_id": str(uuid4())}, 422),
        ({"caller": {"phone": "abc"}}, 422),
        ({"status": "closed"}, 422),
    ],
)
async def test_orders_that_cannot_be_meant(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID, change: dict[str, Any], status: int
) -> None:
    body = {"elder_id": str(elder), "item_code": "clean_home"} | change
    answer = await doors.post("/v1/orders", json=body, headers=operator())
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"item_code": "no_such_item"}, "service_item_unknown"),
        ({"order_id": str(uuid4()), "kind": "complaint"}, "order_of_another_elder"),
        ({"elder": {}}, "invalid"),
        ({"wanted": {"from": "2030-01-01T10:00:00+08:00", "to": "2030-01-01T09:00:00+08:00"}}, "window_impossible"),
    ],
)
async def test_requests_that_cannot_be_meant(
    doors: httpx.AsyncClient, operator: Headers, town: Any, change: dict[str, Any], code: str
) -> None:
    answer = await doors.post("/v1/care-requests", json=change, headers=operator())
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_quote_and_the_order_cost_the_same(doors: httpx.AsyncClient, operator: Headers, elder: UUID) -> None:
    asked = {"elder_id": str(elder), "item_code": "clean_home", "starts_at": "2027-03-02T10:00:00+08:00"}
    quoted = (await doors.post("/v1/quotes", json=asked, headers=operator())).json()
    assert sum(part["amount_fen"] for part in quoted["payers"]) == quoted["price_fen"]
    body = {"elder_id": str(elder), "item_code": "clean_home", "wanted": {"from": "2027-03-02T10:00:00+08:00"}}
    order = (await doors.post("/v1/orders", json=body, headers=operator())).json()
    assert (order["price_fen"], order["copay_fen"]) == (quoted["price_fen"], quoted["copay_fen"])


async def test_a_reveal_leaves_an_audit_row(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    made = await taken(doors, operator, elder={"name": "李奶奶"}, address="上海路12号")
    path = f"/v1/care-requests/{made['id']}/reveals"
    body = {"fields": ["caller_phone", "address", "elder_words"], "reason": "回电"}
    plain = (await doors.post(path, json=body, headers=operator())).json()
    assert (plain["caller_phone"], plain["address"]) == ("+8613812345678", "上海路12号")
    assert plain["elder_words"]["name"] == "李奶奶"
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT fields, reason FROM audit_entry WHERE object_type = 'care_request'")
    assert (row["fields"], row["reason"]) == (["caller_phone", "address", "elder_words"], "回电")


async def test_a_transferred_ticket_is_taken_once(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    body = {"channel": "transfer_12345", "external_id": "12345-0077", "kind": "consultation", "note": "津贴"}
    first, again = [await taken(doors, operator, **body) for _ in range(2)]
    assert first["id"] == again["id"]
    other = await doors.post("/v1/care-requests", json=body | {"note": "别的事"}, headers=operator())
    assert (other.status_code, other.json()["code"]) == (422, "external_id_reused")


async def test_rare_characters_come_back_as_they_were_given(doors: httpx.AsyncClient, operator: Headers) -> None:
    name, note = "𠮷田·丽", "牛\u2f800奶"
    made = await taken(doors, operator, caller={"name": name}, note=note)
    assert (made["caller"]["name"], made["note"]) == (name, note)


async def test_what_may_be_the_same_wish_is_named_before_anything_is_taken(
    doors: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    at = "2027-03-02T10:00:00+08:00"
    body = {"elder_id": str(elder), "item_code": "clean_home", "wanted": {"from": at}}
    order = (await doors.post("/v1/orders", json=body, headers=operator())).json()
    request = await taken(doors, operator, elder_id=str(elder), note="还想洗衣")
    async with clean_database.transaction() as tx:
        found = await views.alike(tx, elder, "clean_home", datetime.fromisoformat(at))
    assert [(one.what, str(one.id), one.reasons) for one in found] == [
        ("order", order["id"], ["same_item", "same_day"]),
        ("request", request["id"], ["same_elder"]),
    ]
