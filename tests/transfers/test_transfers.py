"""Tickets between 12345 and us: their numbers, deadlines and replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict
from app.core.json import loads
from app.jobs import feed
from app.jobs.feed import Position
from app.regions import service as regions
from app.transfers import replies, service
from app.transfers.lifecycle import FIRST, LAST, NEXT, OPEN, Direction, Status, check_move
from app.transfers.router import router
from app.transfers.schemas import Deadline
from tests.intake.doors import client_of, small_app
from tests.world.accounts import staff_headers, staff_token
from tests.world.orders import Town, make_town

Headers = Callable[[], dict[str, str]]


@pytest.fixture
async def doors(clean_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    clean_database.cache.clear()
    app = small_app(clean_database)
    app.include_router(router)
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def town(clean_database: Database) -> Town:
    async with clean_database.transaction() as tx:
        await regions.load_calendar(tx)
        return await make_town(tx)


@pytest.fixture
async def operator(clean_database: Database) -> Headers:
    token = await staff_token(clean_database)
    return lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


def ticket(number: str = "JC-1", **request: Any) -> dict[str, Any]:
    wish = {"kind": "consultation", "note": "问津贴", "caller": {"name": "王芳", "phone": "13812345678"}} | request
    return {"direction": "in", "their_number": number, "deadline": {"workdays": 2}, "request": wish}


class Desk:
    """One operator at the doors."""

    def __init__(self, doors: httpx.AsyncClient, headers: Headers) -> None:
        self.doors, self.headers = doors, headers

    async def post(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        answer = await self.doors.post(path, json=body, headers=self.headers())
        assert answer.status_code == status, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def transfer(self, status: int = 201, **body: Any) -> dict[str, Any]:
        return await self.post("/v1/transfers", status, **body)

    async def move(self, transfer: dict[str, Any], verb: str, status: int = 200, **body: Any) -> dict[str, Any]:
        return await self.post(f"/v1/transfers/{transfer['id']}/{verb}", status, **body)

    async def get(self, path: str, **params: Any) -> Any:
        return (await self.doors.get(path, params=params, headers=self.headers())).json()

    async def request(self, transfer: dict[str, Any]) -> Any:
        return await self.get(f"/v1/care-requests/{transfer['care_request_id']}")


@pytest.fixture
def desk(doors: httpx.AsyncClient, operator: Headers, town: Town) -> Desk:
    return Desk(doors, operator)


def test_every_way_ends_and_no_way_leads_back() -> None:
    for direction in Direction:
        seen, front = set(), {FIRST[direction]}
        while front:
            assert not front & seen
            seen |= front
            front = {after for status in front for after in NEXT[status]} - seen
        assert seen - OPEN == {LAST[direction], Status.RETURNED}
    for status in Status:
        for to in Status:
            if to not in NEXT[status]:
                with pytest.raises(Conflict):
                    check_move(status, to)


@pytest.mark.parametrize(
    ("course", "words"),
    [
        ({"request": "new"}, None),
        ({"request": "answered", "answer": "到社区办"}, "到社区办"),
        ({"request": "rejected", "reason": "重复"}, "经核实未予受理：重复"),
        ({"request": "confirmed", "order": "assigned", "item": "助洁"}, None),
        (
            {"request": "confirmed", "order": "closed", "outcome": "done", "item": "助洁",
             "ended": datetime(2026, 3, 3)},
            "已安排助洁，3月3日服务完成。",
        ),
        (
            {"request": "confirmed", "order": "completed", "outcome": "not_done", "outcome_reason": "elder_absent",
             "item": "助洁", "ended": datetime(2026, 3, 3)},
            "已安排助洁，3月3日服务未能完成：老人不在家。",
        ),
        ({"request": "confirmed", "order": "cancelled", "item": "助洁"}, "已受理助洁，后经联系取消，未上门服务。"),
    ],
)  # fmt: skip
def test_a_reply_is_proposed_once_something_became_of_it(course: dict[str, Any], words: str | None) -> None:
    assert replies.proposed(replies.Course(**course)) == words


async def test_a_ticket_of_theirs_becomes_a_request_and_is_replied_to(desk: Desk) -> None:
    made = await desk.transfer(**ticket())
    assert (made["status"], made["their_number"], made["overdue"], made["proposed_reply"]) == (
        "received", "JC-1", False, None,
    )  # fmt: skip
    request = await desk.request(made)
    assert (request["channel"], request["kind"], request["status"]) == ("transfer_12345", "consultation", "new")
    early = await desk.move(made, "reply", 409, text="好")
    assert (early["code"], early["status"]) == ("transfer_move_forbidden", 409)
    await desk.move(made, "acceptance")
    await desk.post(f"/v1/care-requests/{request['id']}/answer", answer="到户籍所在社区办理")
    ready = await desk.get(f"/v1/transfers/{made['id']}")
    assert ready["proposed_reply"] == "到户籍所在社区办理"
    done = await desk.move(made, "reply", text=ready["proposed_reply"])
    assert (done["status"], done["reply"], done["proposed_reply"]) == ("replied", "到户籍所在社区办理", None)
    assert [step["status"] for step in done["steps"]] == ["received", "accepted", "replied"]
    await desk.move(made, "reply", 409, text="再说一次")


async def test_their_deadline_is_counted_in_working_days(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    await regions.load_calendar(tx)
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 9, 30, 2, 0, tzinfo=UTC))
    # The National Day holiday lies between: from the first to the seventh of October nobody works.
    assert await service.due(tx, Deadline(workdays=2), clock.now()) == datetime(2026, 10, 9, 2, 0, tzinfo=UTC)
    at = datetime(2026, 10, 1, tzinfo=UTC)
    assert await service.due(tx, Deadline(at=at), clock.now()) == at
    with pytest.raises(ValueError, match="a moment or working days"):
        Deadline(at=at, workdays=2)


async def test_their_number_is_one_ticket(desk: Desk, clean_database: Database) -> None:
    made = await desk.transfer(**ticket())
    again = await desk.transfer(409, **ticket(note="另一种说法"))
    assert (again["code"], again["transfer_id"], again["state"]) == ("transfer_known", made["id"], "received")
    other = await desk.transfer(**ticket() | {"hotline": "12333"})
    assert other["id"] != made["id"]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_request") == 2


async def test_one_ticket_typed_in_by_four_operators_is_one_request(desk: Desk, clean_database: Database) -> None:
    answers = await asyncio.gather(
        *(desk.doors.post("/v1/transfers", json=ticket(), headers=desk.headers()) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"transfer_known"}
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_request") == 1


async def test_a_ticket_that_is_not_our_affair_goes_back_and_the_request_is_closed(desk: Desk) -> None:
    made = await desk.transfer(**ticket())
    back = await desk.move(made, "return", reason="属社保业务")
    assert (back["status"], back["reason"]) == ("returned", "属社保业务")
    assert (await desk.request(made))["status"] == "rejected"


async def test_what_became_of_the_order_is_proposed(desk: Desk, town: Town) -> None:
    made = await desk.transfer(**ticket(kind="service", elder_id=str(town.elder), item_code="clean_home"))
    await desk.move(made, "acceptance")
    order = await desk.post(f"/v1/care-requests/{made['care_request_id']}/confirmation", 201)
    assert (await desk.get(f"/v1/transfers/{made['id']}"))["proposed_reply"] is None
    await desk.post(f"/v1/orders/{order['id']}/cancellation", reason_code="family_request", by="family")
    proposed = (await desk.get(f"/v1/transfers/{made['id']}"))["proposed_reply"]
    assert proposed == f"已受理{order['item']['name']}，后经联系取消，未上门服务。"


async def test_an_emergency_never_goes_back(desk: Desk, town: Town) -> None:
    made = await desk.transfer(**ticket(kind="emergency", elder_id=str(town.elder)))
    assert (await desk.request(made))["status"] == "escalated"
    refused = await desk.move(made, "return", 409, reason="不是我们的")
    assert refused["code"] == "care_request_move_forbidden"
    assert (await desk.get(f"/v1/transfers/{made['id']}"))["status"] == "received"


async def test_a_request_of_ours_goes_out_and_their_answer_closes_it(desk: Desk) -> None:
    request = await desk.post("/v1/care-requests", 201, kind="suggestion", note="路灯不亮")
    out = {"direction": "out", "care_request_id": request["id"], "note": "请处理"}
    made = await desk.transfer(**out)
    assert (made["status"], made["their_number"], made["due_at"]) == ("sent", None, None)
    assert (await desk.transfer(409, **out))["code"] == "care_request_transferred"
    known = await desk.move(made, "acknowledgement", their_number="SZ-9")
    assert (known["status"], known["their_number"]) == ("acknowledged", "SZ-9")
    done = await desk.move(made, "reply", text="已修好")
    assert done["status"] == "answered"
    after = await desk.request(made)
    assert (after["status"], after["answer"]) == ("answered", "已修好")
    assert (await desk.transfer(409, **out))["code"] == "care_request_closed"


async def test_what_they_return_stays_ours(desk: Desk) -> None:
    request = await desk.post("/v1/care-requests", 201, kind="consultation")
    out = {"direction": "out", "care_request_id": request["id"]}
    first = await desk.transfer(**out)
    await desk.move(first, "return", reason="仍属养老热线")
    assert (await desk.request(first))["status"] == "new"
    second = await desk.transfer(**out | {"hotline": "12333"})
    await desk.move(second, "acknowledgement", their_number="A")
    taken = await desk.post("/v1/care-requests", 201, kind="consultation")
    third = await desk.transfer(**out | {"care_request_id": taken["id"], "hotline": "12333"})
    assert (await desk.move(third, "acknowledgement", 409, their_number="A"))["code"] == "transfer_known"


async def test_the_desk_is_told_once_of_what_is_late(desk: Desk, clean_database: Database) -> None:
    late = await desk.transfer(**ticket("L") | {"deadline": {"at": (clock.now() - timedelta(hours=1)).isoformat()}})
    await desk.transfer(**ticket("T"))
    done = await desk.transfer(**ticket("D") | {"deadline": {"at": (clock.now() - timedelta(hours=1)).isoformat()}})
    await desk.move(done, "return", reason="重复")
    for expected in (1, 0):
        async with clean_database.transaction() as tx:
            assert await service.announce_overdue(tx) == expected
    async with clean_database.transaction() as tx:
        rows = await feed.read(tx, "desk", Position(), 100)
    told = [loads(row["facts"]) for row in rows if row["type"] == "transfer.overdue"]
    assert [one["transfer_id"] for one in told] == [late["id"]]
    listed = await desk.get("/v1/transfers", overdue=True)
    assert [one["id"] for one in listed["items"]] == [late["id"]]
    assert len((await desk.get("/v1/transfers", direction="in", status="received"))["items"]) == 2


async def test_another_district_sees_no_ticket_of_an_elder_here(
    desk: Desk, town: Town, clean_database: Database
) -> None:
    theirs = await desk.transfer(**ticket("E", elder_id=str(town.elder)))
    nobodys = await desk.transfer(**ticket("N"))
    stranger = await staff_headers(clean_database, divisions=["620321"])
    listed = (await desk.doors.get("/v1/transfers", headers=stranger)).json()
    assert [one["id"] for one in listed["items"]] == [nobodys["id"]]
    assert (await desk.doors.get(f"/v1/transfers/{theirs['id']}", headers=stranger)).status_code == 404
    path = f"/v1/transfers/{theirs['id']}/acceptance"
    assert (await desk.doors.post(path, headers=stranger)).status_code == 404


async def test_what_was_written_is_sealed(desk: Desk, clean_database: Database) -> None:
    made = await desk.transfer(**ticket())
    await desk.move(made, "acceptance")
    await desk.move(made, "reply", text="王芳已知晓")
    async with clean_database.transaction() as tx:
        assert "王芳".encode() not in bytes(await tx.fetchval("SELECT reply FROM transfer"))
