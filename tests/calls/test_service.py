"""Calls in the database: any order, any number of times, also at once; call-backs; screen-pops; ghosts."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from app.calls import service as calls
from app.calls.record import CallEventFacts, EventType
from app.calls.service import Reported
from app.core import clock
from app.core.db import Database, Tx
from app.core.json import loads
from app.jobs import feed
from app.jobs.feed import Position
from tests.calls.test_record import ABANDONED_CALL, ANSWERED_CALL, START
from tests.intake.conftest import Headers
from tests.world.elders import make_elder

RECORD = """SELECT state, outcome, cause, called, queue, agent, offers, first_at, queued_at, offered_at, answered_at,
ended_at, abandoned_at, voicemail_at, recording_ref, caller_index FROM call WHERE call_id = $1"""
TASK = "SELECT status, reason, due_at FROM callback_task t JOIN call c ON c.id = t.call_id WHERE c.call_id = $1"


def reported(events: list[CallEventFacts], call_id: str = "c1") -> list[Reported]:
    return [Reported("pbx", "one", call_id, event) for event in events]


async def outcome_of(tx: Tx, call_id: str) -> tuple[Any, Any]:
    task = await tx.fetchrow(TASK, call_id)
    return tuple(await tx.fetchrow(RECORD, call_id)), tuple(task) if task else None


async def test_every_order_of_arrival_gives_the_same_call_and_call_back(tx: Tx) -> None:
    chosen = [ANSWERED_CALL[0], ANSWERED_CALL[1], ANSWERED_CALL[4], ANSWERED_CALL[6]]
    results = []
    for number, order in enumerate(itertools.permutations(chosen)):
        for event in order:
            await calls.record(tx, reported([event], f"c{number}"))
        results.append(await outcome_of(tx, f"c{number}"))
    whole = [record for record, _ in results]
    assert len(set(whole)) == 1
    assert whole[0][1] == "answered"
    # Some orders show a lost call for a while; none leaves a call-back that is still due.
    assert {task[0] if task else None for _, task in results} == {None, "withdrawn"}


async def test_an_abandoned_call_in_any_order_is_called_back_once(tx: Tx) -> None:
    dice = random.Random(7)
    results = set()
    for number in range(12):
        events = [*ABANDONED_CALL, *dice.sample(ABANDONED_CALL, 3)]
        dice.shuffle(events)
        while events:
            batch = [events.pop() for _ in range(min(len(events), dice.randint(1, 4)))]
            await calls.record(tx, reported(batch, f"c{number}"))
        results.add(await outcome_of(tx, f"c{number}"))
    assert len(results) == 1
    ((record, task),) = results
    assert record[1] == "abandoned"
    assert task == ("due", "abandoned", START + timedelta(seconds=7, minutes=30))


async def test_copies_that_arrive_at_once_are_one_call(clean_database: Database) -> None:
    async def tell(events: list[CallEventFacts]) -> list[bool]:
        async with clean_database.transaction() as tx:
            return await calls.record(tx, reported(events))

    told = await asyncio.gather(*(tell([event]) for event in ANSWERED_CALL * 3), tell(ANSWERED_CALL[::-1]))
    assert sum(new for batch in told for new in batch) == len(ANSWERED_CALL)
    async with clean_database.transaction() as tx:
        record, task = await outcome_of(tx, "c1")
        assert (record[0], record[1], record[6]) == ("over", "answered", 2)
        assert task is None or task[0] == "withdrawn"
        assert await tx.fetchval("SELECT count(*) FROM call") == 1


async def test_batches_with_calls_in_other_orders_do_not_deadlock(clean_database: Database) -> None:
    names = [f"c{i}" for i in range(8)]

    async def tell(order: list[str], event: CallEventFacts) -> None:
        async with clean_database.transaction() as tx:
            await calls.record(tx, [Reported("pbx", "one", name, event) for name in order])

    await asyncio.gather(*(tell(names if i % 2 else names[::-1], ANSWERED_CALL[i % 7]) for i in range(10)))
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM call WHERE outcome = 'answered'") == 8


async def test_the_screen_pop_names_call_and_elders_but_no_number(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
    calling = [
        CallEventFacts(EventType.QUEUED, "1", START, caller="8210001", called="12349"),
        CallEventFacts(EventType.OFFERED, "2", START + timedelta(seconds=1), agent="8001", caller="8210001"),
    ]
    async with clean_database.transaction() as tx:
        await calls.record(tx, reported(calling))
        await calls.record(tx, reported(calling))
    async with clean_database.transaction() as tx:
        entries = await feed.read(tx, "desk", Position(), 10)
        call_id = await tx.fetchval("SELECT id FROM call")
    assert [entry["type"] for entry in entries] == ["call.queued", "agent.offered"]
    pop = loads(entries[1]["facts"])
    assert (pop["call"], pop["agent"], pop["elders"]) == (str(call_id), "8001", [str(elder)])
    assert "8210001" not in str([dict(entry) for entry in entries])


async def test_an_offer_told_after_the_end_does_not_pop_up(tx: Tx) -> None:
    await calls.record(tx, reported([ANSWERED_CALL[6]]))
    await calls.record(tx, reported([ANSWERED_CALL[1]]))
    types = [row["type"] for row in await tx.fetch("SELECT type FROM feed_entry ORDER BY id")]
    assert "agent.offered" not in types
    assert "call.ended" in types


async def test_withheld_and_odd_numbers_are_calls_too(tx: Tx) -> None:
    for number, caller in enumerate([None, "anonymous", "", "Restricted<sip:x>", "0138" + "1234" * 10]):
        lost = CallEventFacts(EventType.ABANDONED, "1", START, caller=caller)
        await calls.record(tx, reported([lost], f"c{number}"))
        record, task = await outcome_of(tx, f"c{number}")
        assert (record[1], record[-1]) == ("abandoned", None)
        assert task is not None


async def test_a_ghost_is_closed_and_called_back_and_its_real_end_still_counts(tx: Tx) -> None:
    with clock.hold(START):
        await calls.record(tx, reported([ANSWERED_CALL[0]]))
    with clock.hold(START + timedelta(hours=3)):
        assert await calls.close_ghosts(tx) == 0
    with clock.hold(START + timedelta(hours=5)):
        assert await calls.close_ghosts(tx) == 1
        assert await calls.close_ghosts(tx) == 0
    record, task = await outcome_of(tx, "c1")
    assert (record[0], record[1], task[0]) == ("over", "unknown", "due")
    await calls.record(tx, reported([ANSWERED_CALL[4], ANSWERED_CALL[6]]))
    record, task = await outcome_of(tx, "c1")
    assert (record[1], task[0]) == ("answered", "withdrawn")


async def offers(tx: Tx) -> int:
    """Screen-pops on the desk's feed."""
    return sum(row["type"] == "agent.offered" for row in await tx.fetch("SELECT type FROM feed_entry"))


def restored(second: float, *there: str) -> Reported:
    at = START + timedelta(seconds=second)
    return Reported("pbx", "one", "", CallEventFacts(EventType.SOURCE_RESTORED, f"{second}", at), frozenset(there))


async def test_a_call_wrongly_presumed_ended_rings_all_the_same(tx: Tx) -> None:
    """The exchange's clock is a minute slow: what it told a moment ago looks old beside the bridge's time."""
    with clock.hold(START + timedelta(seconds=60)):
        await calls.record(tx, reported([ANSWERED_CALL[0]]))
        await calls.record(tx, [restored(60)])
        assert (await outcome_of(tx, "c1"))[0][:2] == ("over", "unknown")
        await calls.record(tx, reported([ANSWERED_CALL[1]]))
        record, task = await outcome_of(tx, "c1")
        assert (record[:2], task[0], await offers(tx)) == (("ringing", None), "due", 1)
    await calls.record(tx, reported([ANSWERED_CALL[4]]))
    record, task = await outcome_of(tx, "c1")
    assert (record[:2], task[0]) == (("talking", None), "withdrawn")


async def test_a_call_that_came_after_the_exchange_was_asked_is_not_presumed_ended(tx: Tx) -> None:
    with clock.hold(START + timedelta(seconds=60)):
        await calls.record(tx, [*reported([ANSWERED_CALL[0]], "gone"), restored(60), *reported([ANSWERED_CALL[0]])])
        assert (await outcome_of(tx, "c1"))[0][:2] == ("waiting", None)
        assert (await outcome_of(tx, "gone"))[0][:2] == ("over", "unknown")


async def test_an_exchange_with_a_fast_clock_leaves_no_call_open(tx: Tx) -> None:
    with clock.hold(START - timedelta(seconds=60)):
        await calls.record(tx, reported([ANSWERED_CALL[0]]))
        await calls.record(tx, [restored(-60)])
        assert (await outcome_of(tx, "c1"))[0][:2] == ("waiting", None), "heard of this very moment"
    with clock.hold(START - timedelta(seconds=30)):
        await calls.record(tx, [restored(-30)])
        record, task = await outcome_of(tx, "c1")
    assert (record[:2], task[0]) == (("over", "unknown"), "due")


async def test_who_came_back_to_life_may_become_a_ghost_again(tx: Tx) -> None:
    with clock.hold(START + timedelta(seconds=60)):
        await calls.record(tx, reported([ANSWERED_CALL[0]]))
        await calls.record(tx, [restored(60)])
        await calls.record(tx, reported([ANSWERED_CALL[1]]))
    with clock.hold(START + timedelta(hours=5)):
        assert await calls.close_ghosts(tx) == 1
        assert await calls.close_ghosts(tx) == 0
    record, task = await outcome_of(tx, "c1")
    assert (record[:2], task[0]) == (("over", "unknown"), "due")


async def test_a_caller_put_back_into_the_queue_who_gives_up_is_called_back(tx: Tx) -> None:
    await calls.record(tx, reported(ANSWERED_CALL[:5]))
    back = [replace(ANSWERED_CALL[0], key="again", at=START + timedelta(seconds=40))]
    given_up = [replace(one, key="again", at=START + timedelta(seconds=50)) for one in ABANDONED_CALL[-2:]]
    await calls.record(tx, reported([*back, *given_up]))
    record, task = await outcome_of(tx, "c1")
    assert (record[1], task) == ("answered", ("due", "abandoned", START + timedelta(seconds=50, minutes=30)))


async def test_calling_back(doors: httpx.AsyncClient, operator: Headers, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await calls.record(tx, reported(ABANDONED_CALL))
    (task,) = (await doors.get("/v1/callback-tasks", headers=operator())).json()["items"]
    assert (task["phone"], task["reason"], task["status"]) == ("138****2345", "abandoned", "due")
    opened = (await doors.get(f"/v1/callback-tasks/{task['id']}", headers=operator())).json()
    assert opened["phone"] == "+8613893512345"
    path = f"/v1/callback-tasks/{task['id']}/completion"
    nobody = (await doors.post(path, json={"result": "no_answer"}, headers=operator())).json()
    assert (nobody["status"], nobody["late"]) == ("due", False)
    done = (await doors.post(path, json={"result": "reached", "note": "订餐"}, headers=operator())).json()
    assert (done["status"], done["note"]) == ("done", "订餐")
    again = await doors.post(path, json={"result": "reached"}, headers=operator())
    assert again.status_code == 409
    assert (await doors.get("/v1/callback-tasks", headers=operator())).json()["items"] == []
    async with clean_database.transaction() as tx:
        await calls.record(tx, reported([ANSWERED_CALL[4]]))
        assert await tx.fetchval("SELECT status FROM callback_task") == "done"
        assert await tx.fetchval("SELECT count(*) FROM audit_entry WHERE object_type = 'callback_task'") == 1
