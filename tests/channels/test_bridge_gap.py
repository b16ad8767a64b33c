"""Calls that came and went while nobody listened: somebody looks at the exchange's list, or a second bridge heard."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.calls import service as calls
from app.channels.bridge import running, told
from app.channels.bridge.door import Door
from app.core.db import Database
from tests.channels import exchanges
from tests.channels.exchanges import Playing, Said, listening
from tests.channels.test_bridge import QUEUE_CALL, RECORDED, Bridges, _signed_in_again, bridges, connect  # noqa: F401
from tests.intake.conftest import Headers
from tests.world.accounts import make_app_key

BEGAN = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


class Telling:
    """What one bridge tells of its exchange, at seconds after BEGAN."""

    def __init__(self, doors: httpx.AsyncClient, key: tuple[str, str], instance: str = "one") -> None:
        self._door = Door(doors, key, "freeswitch", instance)

    async def say(self, *events: dict[str, Any]) -> None:
        self._door.put(list(events))
        work = asyncio.create_task(self._door.work())
        await asyncio.wait_for(self._door.sent(), 10)
        work.cancel()
        assert self._door.refused == 0


def at(second: float) -> datetime:
    return BEGAN + timedelta(seconds=second)


def back(second: float, *, is_first: bool = False) -> dict[str, Any]:
    return told.restored(at(second), [], is_first=is_first)[0]


def call(second: float) -> dict[str, Any]:
    return told.event("call.queued", f"c{second}", "1", at(second), caller="13893512345", called="12349")


@pytest.fixture
async def key(clean_database: Database) -> tuple[str, str]:
    async with clean_database.transaction() as tx:
        return await make_app_key(tx, kind="telephony", name="pbx")


async def gaps(doors: httpx.AsyncClient, operator: Headers) -> list[tuple[str, float, float]]:
    """Every task to look at an exchange's list: which, and from when to when."""
    listed = (await doors.get("/v1/callback-tasks", headers=operator())).json()
    found = [one["unheard"] for one in listed["items"] if one["reason"] == "exchange_unheard"]
    return [
        (one["instance"], *((datetime.fromisoformat(one[end]) - BEGAN).total_seconds() for end in ("since", "until")))
        for one in found
    ]


async def test_after_a_gap_somebody_looks_at_the_exchanges_list(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, key: tuple[str, str]
) -> None:
    bridge, other = Telling(doors, key), Telling(doors, key, "two")
    await bridge.say(back(0, is_first=True), call(5))
    assert await gaps(doors, operator) == [], "nothing was ever heard before"
    await other.say(told.lost(at(50)), back(55))
    await bridge.say(told.lost(at(100)), back(105), told.lost(at(200)), told.lost(at(300)))
    assert await gaps(doors, operator) == [], "too short for anybody to have come and gone"
    for _ in range(2):
        await bridge.say(back(3600))
    await bridge.say(call(3700), back(3800))
    assert await gaps(doors, operator) == [("one", 200, 3600)]
    [task] = (
        one
        for one in (await doors.get("/v1/callback-tasks", headers=operator())).json()["items"]
        if one["reason"] == "exchange_unheard"
    )
    assert (task["status"], task["words"], task["phone"], task["message_id"]) == ("due", None, None, None)
    page = (await doors.get(f"/v1/callback-tasks/{task['id']}", headers=operator())).json()
    assert page["unheard"]["source"] == "freeswitch"
    done = await doors.post(
        f"/v1/callback-tasks/{task['id']}/completion", json={"result": "reached", "note": "两个来电已回拨"},
        headers=operator(),
    )  # fmt: skip
    assert done.json()["status"] == "done"
    assert await gaps(doors, operator) == []


async def test_a_bridge_that_died_without_a_word_leaves_a_gap_too(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, key: tuple[str, str]
) -> None:
    await Telling(doors, key).say(back(0, is_first=True), call(5))
    async with clean_database.transaction() as tx:
        await tx.run("UPDATE call_event SET received_at = at")
    await Telling(doors, key).say(back(7200, is_first=True))
    assert await gaps(doors, operator) == [("one", 5, 7200)]


@pytest.mark.parametrize(("last", "found"), [(3000, [("one", 3000, 3600)]), (3595, [])])
async def test_what_another_bridge_heard_meanwhile_is_no_gap(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, key: tuple[str, str],
    last: float, found: list[tuple[str, float, float]],
) -> None:  # fmt: skip
    bridge, other = Telling(doors, key), Telling(doors, key)
    await bridge.say(back(0, is_first=True))
    await bridge.say(told.lost(at(200)))
    await other.say(call(last))
    async with clean_database.transaction() as tx:
        await tx.run("UPDATE call_event SET received_at = at")
    await bridge.say(back(3600))
    assert await gaps(doors, operator) == found


async def test_what_we_presume_ourselves_was_not_heard(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, key: tuple[str, str]
) -> None:
    bridge = Telling(doors, key)
    await bridge.say(back(0, is_first=True), call(5), told.lost(at(200)))
    async with clean_database.transaction() as tx:
        await tx.run("UPDATE call SET updated_at = $1, first_at = $1", at(0) - timedelta(days=1))
        await tx.run("UPDATE call_event SET received_at = at")
        assert await calls.close_ghosts(tx) == 1
    await bridge.say(back(3600))
    assert await gaps(doors, operator) == [("one", 200, 3600)]


@pytest.mark.parametrize(("kind", "said"), [("freeswitch", RECORDED), ("asterisk", QUEUE_CALL)])
async def test_two_bridges_side_by_side_hear_every_call_once(
    bridges: Bridges, doors: httpx.AsyncClient, clean_database: Database, key: tuple[str, str],  # noqa: F811
    kind: str, said: list[Said],
) -> None:  # fmt: skip
    """One of them is away for the middle of it all; both tell under one instance."""
    alone = await bridges.calls(kind, Playing([said]))
    third = len(said) // 3
    heard = [Playing([said]), Playing([said[:third], said[2 * third :]])]
    live = [{"uuid": one, "direction": "inbound", "dest": "12349", "created_epoch": "1795291230"} for one in alone]
    if kind == "freeswitch":
        heard[1]._open_rows = [[], live]
    doors_of = [Door(doors, key, kind, "pair") for _ in heard]
    async with listening(getattr(exchanges, kind)(heard[0])) as a, listening(getattr(exchanges, kind)(heard[1])) as b:
        work = [
            asyncio.create_task(running.run(lambda port=port: connect(kind, port), door))  # type: ignore[misc]
            for door, port in zip(doors_of, (a, b), strict=True)
        ]
        await _signed_in_again(heard[0])
        await _signed_in_again(heard[1])
        for door in doors_of:
            await asyncio.wait_for(door.sent(), 10)
        for one in work:
            one.cancel()
    shown = ("call_id", "outcome", "agent", "offers", "answered_at", "ended_at", "cause", "recording_ref")
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT * FROM call WHERE source_instance = 'pair'")
        told_of = {
            row["source_instance"]: row["count"]
            for row in await tx.fetch(
                "SELECT source_instance, count(*) FROM call_event WHERE call_id <> '' AND event_key <> 'id:found' "
                "AND type <> 'call.presumed_ended' GROUP BY 1"
            )
        }
        tasks = await tx.fetchval(
            "SELECT count(*) FROM callback_task t JOIN call c ON c.id = t.call_id "
            "WHERE c.source_instance = 'pair' AND t.status = 'due'"
        )
    assert told_of["pair"] == told_of["i1"], "every event once"
    assert {row["call_id"]: [row[name] for name in shown] for row in rows} == {
        one: [one if name == "call_id" else facts[name] for name in shown] for one, facts in alone.items()
    }
    assert tasks == sum(facts["due"] is not None for facts in alone.values())


def test_only_the_first_restoration_says_that_nothing_is_known_before() -> None:
    assert [back(0, is_first=first).get("cause") for first in (True, False)] == ["started", None]
