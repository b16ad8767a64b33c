"""The desk's stream: nothing lost over a broken connection, nothing of other districts, one reader."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from app.channels import desk
from app.channels.desk import DeskFeed, Entry
from app.core.db import Database
from app.core.json import loads
from app.jobs import feed
from app.jobs.feed import Position
from tests.intake.conftest import Headers


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "INTERVAL_S", 0.02)
    monkeypatch.setattr(desk, "HEARTBEAT_S", 0.2)


async def tell(database: Database, kind: str, **facts: Any) -> None:
    async with database.transaction() as tx:
        await feed.append(tx, "desk", kind, facts=facts)


async def heard(stream: DeskFeed, after: Position | None, seconds: float) -> list[Entry]:
    start = await stream.start(after)
    return [entry async for entries in stream.follow(start, seconds) for entry in entries]


async def test_many_listeners_hear_everything_from_now_on(clean_database: Database) -> None:
    await tell(clean_database, "before")
    stream = DeskFeed(clean_database)
    listening = [asyncio.create_task(heard(stream, None, 1.0)) for _ in range(5)]
    await asyncio.sleep(0.3)
    for number in range(3):
        await tell(clean_database, f"news.{number}")
    results = [[entry.type for entry in await task] for task in listening]
    assert results == [["news.0", "news.1", "news.2"]] * 5


async def test_whoever_comes_back_catches_up_and_goes_on(clean_database: Database) -> None:
    for number in range(5):
        await tell(clean_database, f"old.{number}")
    async with clean_database.transaction() as tx:
        rows = await feed.read(tx, "desk", Position(), 10)
    stream = DeskFeed(clean_database)
    listening = asyncio.create_task(heard(stream, Position(rows[1]["txid"], rows[1]["id"]), 1.0))
    await asyncio.sleep(0.3)
    await tell(clean_database, "new")
    assert [entry.type for entry in await listening] == ["old.2", "old.3", "old.4", "new"]


async def test_a_late_commit_is_not_skipped(clean_database: Database) -> None:
    stream = DeskFeed(clean_database)
    listening = asyncio.create_task(heard(stream, None, 1.5))
    await asyncio.sleep(0.2)
    async with clean_database.transaction() as slow:
        await feed.append(slow, "desk", "slow")
        await tell(clean_database, "quick")
        await asyncio.sleep(0.3)
    assert {entry.type for entry in await listening} == {"slow", "quick"}


async def test_a_short_memory_falls_back_to_the_database(
    clean_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "KEPT", 2)
    monkeypatch.setattr(desk, "PAGE", 3)
    stream = DeskFeed(clean_database)
    keeping = asyncio.create_task(heard(stream, None, 2.0))
    await asyncio.sleep(0.2)
    async with clean_database.transaction() as tx:
        start = Position(await feed.fence(tx), 0)
        for number in range(10):
            await feed.append(tx, "desk", f"n{number}")
    await asyncio.sleep(0.3)
    late = await heard(stream, min(start, Position(start.txid - 1, 0)), 0.6)
    assert [entry.type for entry in late] == [f"n{number}" for number in range(10)]
    assert [entry.type for entry in await keeping] == [f"n{number}" for number in range(10)]


async def test_silence_is_a_heartbeat(clean_database: Database) -> None:
    stream = DeskFeed(clean_database)
    beats = [entries async for entries in stream.follow(await stream.start(None), 0.7)]
    assert beats
    assert beats == [[] for _ in beats]


@pytest.mark.parametrize(
    ("kind", "data", "divisions", "agent", "expected"),
    [
        ("emergency.received", {"division": "620302001"}, ("620302",), None, True),
        ("emergency.received", {"division": "620302001"}, ("620321",), None, False),
        ("emergency.received", {"division": None}, ("620321",), None, True),
        ("agent.offered", {"agent": "8001"}, ("620300",), "8001", True),
        ("agent.offered", {"agent": "8001"}, ("620300",), "8002", False),
        ("agent.offered", {"agent": "8001"}, ("620300",), None, True),
        ("call.ended", {"agent": "8001"}, ("620300",), "8002", True),
    ],
)
def test_whom_an_entry_concerns(
    kind: str, data: dict[str, Any], divisions: tuple[str, ...], agent: str | None, expected: bool
) -> None:
    assert Entry(Position(), kind, data).concerns(divisions, agent) is expected


async def test_the_door_speaks_server_sent_events(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    asking = asyncio.create_task(doors.get("/v1/desk/stream", params={"hold": 6}, headers=operator()))
    await asyncio.sleep(2.5)
    await tell(clean_database, "emergency.received", division="620302001", care_request_id="r1")
    await tell(clean_database, "emergency.received", division="640100", care_request_id="r2")
    answer = await asking
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = answer.text.strip().split("\n\n")
    said = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [loads(data)["type"] for data in said] == ["ready", "emergency.received"]
    (event,) = [block for block in blocks if block.startswith("id:")]
    lines = event.splitlines()
    assert lines[1] == "event: emergency.received"
    assert '"care_request_id":"r1"' in lines[2]
    position = lines[0].removeprefix("id: ")
    again = await doors.get("/v1/desk/stream", params={"hold": 1}, headers=operator() | {"Last-Event-ID": position})
    assert "r1" not in again.text
    bad = await doors.get("/v1/desk/stream", headers=operator() | {"Last-Event-ID": "x"})
    assert bad.status_code == 422
    assert (await doors.get("/v1/desk/stream")).status_code == 401
