"""Checks of calls: by lot, by the sheet of the day, never one's own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from app.calls import service as calls
from app.core import clock
from app.core.db import Database
from app.hotline import checks
from tests.calls.test_record import ANSWERED_CALL, START
from tests.calls.test_service import reported
from tests.intake.conftest import Headers
from tests.world.accounts import staff_headers

FULL = {
    "greeting": 10, "listening": 15, "identity": 15, "need": 20, "emergency": 15, "information": 15, "record": 5,
    "closing": 5,
}  # fmt: skip


@pytest.fixture
async def supervisor(clean_database: Database) -> dict[str, str]:
    async with clean_database.transaction() as tx:
        await checks.load_default_sheet(tx)
        await checks.load_default_sheet(tx)
    return await staff_headers(clean_database, ["supervisor"])


async def answered(database: Database, count: int = 1) -> list[str]:
    async with database.transaction() as tx:
        for number in range(count):
            await calls.record(tx, reported(ANSWERED_CALL, f"c{number}"))
        return [str(row["id"]) for row in await tx.fetch("SELECT id FROM call ORDER BY call_id")]


async def judge(doors: httpx.AsyncClient, headers: dict[str, str], call_id: str, points: Any) -> httpx.Response:
    key = {"Idempotency-Key": f"judge-{call_id}-{sum(points.values())}"}
    return await doors.post(f"/v1/calls/{call_id}/check", json={"points": points}, headers=headers | key)


async def test_a_call_is_judged_once_by_the_sheet_of_its_day(
    doors: httpx.AsyncClient, supervisor: dict[str, str], clean_database: Database
) -> None:
    first, second = await answered(clean_database, 2)
    assert (await judge(doors, supervisor, first, FULL | {"identity": 0})).json()["total"] == 0
    again = await judge(doors, supervisor, first, FULL)
    assert (again.status_code, again.json()["code"]) == (409, "call_judged")
    assert (await judge(doors, supervisor, second, {"greeting": 1})).json()["code"] == "points_impossible"
    assert (await judge(doors, supervisor, second, FULL)).json()["total"] == 100
    listed = (await doors.get("/v1/call-checks", headers=supervisor)).json()["items"]
    assert [(one["total"], one["failed"], one["agent"]) for one in listed] == [(100, False, "8002"), (0, True, "8002")]


async def test_nobody_judges_their_own_call(
    doors: httpx.AsyncClient, supervisor: dict[str, str], clean_database: Database
) -> None:
    with clock.hold(START):
        await doors.put("/v1/desk/presence", json={"extension": "8002"}, headers=supervisor)
    [call_id] = await answered(clean_database)
    answer = await judge(doors, supervisor, call_id, FULL)
    assert (answer.status_code, answer.json()["code"]) == (403, "two_persons")
    other = await staff_headers(clean_database, ["supervisor"])
    assert (await judge(doors, other, call_id, FULL)).json()["agent_staff_id"] is not None


async def test_the_lot_can_be_drawn_again(
    doors: httpx.AsyncClient, supervisor: dict[str, str], clean_database: Database
) -> None:
    await answered(clean_database, 12)
    begin, end = (START - timedelta(days=1)).isoformat(), (START + timedelta(days=1)).isoformat()

    async def drawn(seed: str) -> list[str]:
        query = {"begin": begin, "end": end, "count": 5, "seed": seed}
        answer = await doors.get("/v1/call-checks/sample", params=query, headers=supervisor)
        return [call["id"] for call in answer.json()["calls"]]

    first = await drawn("a")
    assert len(first) == 5
    assert first == await drawn("a")
    assert {tuple(first)} != {tuple(await drawn(seed)) for seed in "bcd"}
    await judge(doors, supervisor, first[0], FULL)
    assert first[0] not in await drawn("a")


async def test_a_used_sheet_stays_as_it_is(
    doors: httpx.AsyncClient, supervisor: dict[str, str], operator: Headers, clean_database: Database
) -> None:
    [call_id] = await answered(clean_database)
    await judge(doors, supervisor, call_id, FULL)
    items = [{"code": "all", "label": "全部", "points": 100}]

    async def put(day: date, listed: Any = items) -> httpx.Response:
        headers = supervisor | {"Idempotency-Key": f"sheet-{day}-{len(listed)}"}
        return await doors.put("/v1/score-sheet", json={"valid_from": str(day), "items": listed}, headers=headers)

    assert (await put(checks.FIRST_DAY)).json()["code"] == "sheet_used"
    assert (await put(date(2026, 12, 1), items * 2)).json()["code"] == "sheet_impossible"
    assert (await put(date(2026, 12, 1))).status_code == 200
    for at, count in (("2026-11-30T12:00:00+08:00", 8), ("2026-12-01T12:00:00+08:00", 1)):
        sheet = (await doors.get("/v1/score-sheet", params={"at": at}, headers=operator())).json()
        assert len(sheet["items"]) == count
