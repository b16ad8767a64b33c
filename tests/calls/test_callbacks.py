"""Who is called back first, how often, and who need not be called any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import Request

from app.calls import callbacks, queries
from app.calls import service as calls
from app.calls.record import EventType
from app.channels.desk import Entry
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import NotFound
from app.core.http import SYSTEM, Caller
from app.core.ids import new_id
from app.elders.facts import NewPhone
from app.web.console import queues, router_queues
from tests.calls.test_record import ABANDONED_CALL, CALLER, START, event
from tests.calls.test_service import reported
from tests.intake.conftest import Headers
from tests.world.accounts import staff_headers
from tests.world.elders import make_elder

TASKS = """SELECT c.call_id, t.status, t.result, t.due_at FROM callback_task t JOIN call c ON c.id = t.call_id
ORDER BY c.call_id"""
HALF_AN_HOUR = timedelta(minutes=30)


async def lose(tx: Tx, name: str, second: float = 0, caller: str | None = None) -> UUID:
    """Somebody calls and gives up; the task."""
    await calls.record(
        tx,
        reported(
            [
                event(EventType.QUEUED, second, caller=caller or f"+86139000{ord(name[-1]):05}"),
                event(EventType.ABANDONED, second + 7),
                event(EventType.ENDED, second + 7),
            ],
            name,
        ),
    )
    task: UUID = await tx.fetchval(
        "SELECT t.id FROM callback_task t JOIN call c ON c.id = t.call_id WHERE c.call_id = $1", name
    )
    return task


async def answer(tx: Tx, name: str, second: float, caller: str = CALLER) -> None:
    await calls.record(
        tx,
        reported(
            [
                event(EventType.QUEUED, second, caller=caller),
                event(EventType.ANSWERED, second + 5, "8001"),
                event(EventType.ENDED, second + 60),
            ],
            name,
        ),
    )


async def states(tx: Tx) -> dict[str, tuple[str, str | None]]:
    return {row["call_id"]: (row["status"], row["result"]) for row in await tx.fetch(TASKS)}


async def shown(tx: Tx) -> list[UUID]:
    return [one.id for one in await queues.of_callbacks(tx, SYSTEM, clock.now(), queues.MOST)]


async def test_the_words_of_an_alarm_come_before_a_surge_of_lost_calls(tx: Tx) -> None:
    """Two hundred who cannot be reached hide neither whoever calls after them nor an alarm."""
    with clock.hold(START):
        for number in range(queues.MOST):
            await lose(tx, f"c{number:03}", caller=f"+86138935{number:05}")
    with clock.hold(START + HALF_AN_HOUR):
        for row in await tx.fetch("SELECT id FROM callback_task"):
            await callbacks.complete(tx, SYSTEM, row["id"], "no_answer", None)
        later = await lose(tx, "later", 900, "+8613893599998")
        message = new_id()
        await callbacks.call_for_message(tx, new_id(), "+8613900000002", "请转告", urgent=False)
        await callbacks.call_for_message(tx, message, "+8613900000001", "老人求助", urgent=True)
        seen = await shown(tx)
        alarm = await tx.fetchval("SELECT id FROM callback_task WHERE message_id = $1", message)
    assert len(seen) == queues.MOST
    assert seen[:2] == [alarm, later]


async def test_whom_nobody_reached_waits_behind_the_others(tx: Tx) -> None:
    with clock.hold(START):
        first, second = await lose(tx, "a", 0), await lose(tx, "b", 1)
        assert await shown(tx) == [first, second]
        await callbacks.complete(tx, SYSTEM, first, "no_answer", None)
        await callbacks.complete(tx, SYSTEM, second, "no_answer", None)
        third = await lose(tx, "c", -60)
        assert (await shown(tx))[0] == third


async def test_pages_follow_the_same_order(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        for number in range(5):
            await lose(tx, f"c{number}", second=-number)
        for number in range(3):
            await callbacks.call_for_message(tx, new_id(), f"+861390000000{number}", "请转告", urgent=number > 0)
        whole = [row["id"] for row in await queries.tasks(tx, "due", None, [], 100)]
    seen: list[str] = []
    cursor: str | None = None
    urgent = []
    for _ in range(9):
        page = (
            await doors.get(
                "/v1/callback-tasks", params={"limit": 3} | ({"cursor": cursor} if cursor else {}), headers=operator()
            )
        ).json()
        seen += [task["id"] for task in page["items"]]
        urgent += [task["urgent"] for task in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(one) for one in whole]
    assert urgent == [True, True, *[False] * 6]


@pytest.mark.parametrize("cursor", ["x", "MXwyfDM", "MQ"])
async def test_a_cursor_of_somebody_elses_making_is_refused(
    doors: httpx.AsyncClient, operator: Headers, cursor: str
) -> None:
    answer = await doors.get("/v1/callback-tasks", params={"cursor": cursor}, headers=operator())
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_malformed")


async def test_what_is_told_late_does_not_undo_a_postponement(tx: Tx) -> None:
    await calls.record(tx, reported(ABANDONED_CALL))
    task = await tx.fetchval("SELECT id FROM callback_task")
    with clock.hold(START + timedelta(hours=1)):
        await callbacks.complete(tx, SYSTEM, task, "no_answer", None)
        recording = event(EventType.RECORDING, 8, recording_ref="a.wav")
        await calls.record(tx, reported([recording]))
        row = await queries.locked_task(tx, task)
        assert (row["result"], row["due_at"]) == ("no_answer", clock.now() + HALF_AN_HOUR)
        await calls.record(tx, reported([event(EventType.VOICEMAIL, 9, recording_ref="vm.wav")]))
    row = await queries.locked_task(tx, task)
    assert (row["reason"], row["due_at"]) == ("voicemail", START + timedelta(seconds=9) + HALF_AN_HOUR)


async def test_before_anybody_has_tried_every_order_gives_the_same_time(tx: Tx) -> None:
    told = [event(EventType.ABANDONED, 20, cause="timeout", caller=CALLER), event(EventType.ABANDONED, 40)]
    due = []
    for name, order in (("a", told), ("b", told[::-1])):
        for one in order:
            await calls.record(tx, reported([one], name))
        due.append(await tx.fetchval("SELECT due_at FROM callback_task ORDER BY id DESC LIMIT 1"))
    assert due == [START + timedelta(seconds=40) + HALF_AN_HOUR] * 2


async def test_who_calls_again_and_is_answered_is_not_called_back(tx: Tx) -> None:
    await lose(tx, "a", 0, CALLER)
    await lose(tx, "b", 60, CALLER)
    await lose(tx, "other", 0, "+8613893599999")
    await calls.record(tx, reported([event(EventType.VOICEMAIL, 80, recording_ref="vm.wav", caller=CALLER)], "words"))
    await callbacks.call_for_message(tx, new_id(), CALLER, "请转告", urgent=True)
    await answer(tx, "c", 120)
    await lose(tx, "d", 600, CALLER)
    expected = {
        "a": ("withdrawn", "called_again"), "b": ("withdrawn", "called_again"), "other": ("due", None),
        "words": ("due", None), "d": ("due", None),
    }  # fmt: skip
    assert await states(tx) == expected
    assert await tx.fetchval("SELECT status FROM callback_task WHERE message_id IS NOT NULL") == "due"
    # What is told late of the lost call brings nobody back, but for words that nobody has heard.
    await calls.record(tx, reported([event(EventType.RECORDING, 9, recording_ref="a.wav")], "a"))
    assert await states(tx) == expected
    await calls.record(tx, reported([event(EventType.VOICEMAIL, 9, recording_ref="vm.wav")], "a"))
    assert await states(tx) == expected | {"a": ("due", None)}


async def test_it_makes_no_difference_which_of_the_two_calls_is_told_first(tx: Tx) -> None:
    await answer(tx, "b", 60)
    await lose(tx, "a", 0, CALLER)
    assert await states(tx) == {"a": ("withdrawn", "called_again")}


async def test_two_calls_at_once_are_not_one_that_called_again(tx: Tx) -> None:
    """Answered on the one line before giving up on the other."""
    await answer(tx, "b", 6)
    await lose(tx, "a", 3, CALLER)
    assert await states(tx) == {"a": ("due", None)}


async def test_a_station_is_not_one_person(tx: Tx) -> None:
    for number in range(callbacks.COUPLE + 1):
        await make_elder(tx, phones=(NewPhone(CALLER),), name=f"老人{number}")
    task = await lose(tx, "a", 0, CALLER)
    await lose(tx, "b", 60, CALLER)
    await answer(tx, "c", 120)
    assert await states(tx) == {"a": ("due", None), "b": ("due", None)}
    await callbacks.complete(tx, SYSTEM, task, "reached", None)
    assert await states(tx) == {"a": ("done", "reached"), "b": ("due", None)}


@pytest.mark.parametrize(("result", "status"), [("reached", "done"), ("no_answer", "due")])
async def test_who_was_lost_three_times_is_called_once(tx: Tx, result: str, status: str) -> None:
    task = await lose(tx, "a", 0, CALLER)
    await lose(tx, "b", 60, CALLER)
    await lose(tx, "c", 120, CALLER)
    await lose(tx, "other", 0, "+8613893599999")
    with clock.hold(START + HALF_AN_HOUR):
        await callbacks.complete(tx, SYSTEM, task, result, "订餐")
        due = {row["call_id"]: row["due_at"] for row in await tx.fetch(TASKS)}
    seen = await states(tx)
    assert {seen[name] for name in "abc"} == {(status, result)}
    assert seen["other"] == ("due", None)
    if result == "no_answer":
        assert {due[name] for name in "abc"} == {START + 2 * HALF_AN_HOUR}


async def test_a_wrong_number_says_nothing_of_the_other_calls(tx: Tx) -> None:
    task = await lose(tx, "a", 0, CALLER)
    await lose(tx, "b", 60, CALLER)
    await callbacks.complete(tx, SYSTEM, task, "wrong_number", None)
    assert (await states(tx))["b"] == ("due", None)


HERE, THERE = "620302001001", "620321100200"


async def test_what_stands_for_a_message_is_its_divisions_alone(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    """Seen, dialled, opened and closed by whoever has the division; for all others it is not there."""
    own = await staff_headers(clean_database, divisions=["620302"])
    others = await staff_headers(clean_database, divisions=["620321"])
    async with clean_database.transaction() as tx:
        lost = await lose(tx, "a", 0, CALLER)
        for division, number in ((HERE, 1), (THERE, 2), (None, 3)):
            await callbacks.call_for_message(
                tx, new_id(), f"+861390000000{number}", "老人求助", urgent=True, division_code=division
            )
        task = await tx.fetchval("SELECT id FROM callback_task WHERE division_code = $1", HERE)

    async def listed(headers: dict[str, str]) -> set[str | None]:
        items = (await doors.get("/v1/callback-tasks", headers=headers)).json()["items"]
        assert str(lost) in {one["id"] for one in items}, "a call to the centre is everybody's"
        return {one["division"] for one in items}

    assert await listed(own) == {HERE, None}
    assert await listed(others) == {THERE, None}
    await doors.put("/v1/desk/presence", json={"extension": "8001"}, headers=others)
    path, dial = f"/v1/callback-tasks/{task}", {"about": "callback_task", "about_id": str(task)}

    async def closed(headers: dict[str, str]) -> httpx.Response:
        fresh = headers | {"Idempotency-Key": str(new_id())}
        return await doors.post(f"{path}/completion", json={"result": "reached"}, headers=fresh)

    refused = [
        await doors.get(path, headers=others),
        await doors.post("/v1/dials", json=dial, headers=others | {"Idempotency-Key": str(new_id())}),
        await closed(others),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(404, "callback_task_not_found")] * 3
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM audit_entry WHERE object_type = 'callback_task'") == 0
    assert (await doors.get(path, headers=own)).json()["words"] == "老人求助"
    assert (await closed(own)).status_code == 200


async def test_the_consoles_pages_keep_to_divisions_too(tx: Tx) -> None:
    await callbacks.call_for_message(tx, new_id(), CALLER, "老人求助", urgent=True, division_code=HERE)
    task = await tx.fetchval("SELECT id FROM callback_task")
    own = Caller(kind="staff", id=str(new_id()), name="坐席", divisions=("620302",))
    other = replace(own, divisions=("620321",))
    assert [one.id for one in await queues.of_callbacks(tx, own, clock.now(), 10)] == [task]
    assert await queues.of_callbacks(tx, other, clock.now(), 10) == []
    request, form = Request({"type": "http"}), router_queues.CallbackForm(result="reached")
    for door in (
        router_queues.show_callback(request, tx, other, task),
        router_queues.reveal_callback(request, tx, other, task),
        router_queues.complete_callback(tx, other, task, form),
    ):
        with pytest.raises(NotFound):
            await door


async def test_another_desk_does_not_hear_of_it(tx: Tx) -> None:
    for division in (HERE, None):
        await callbacks.call_for_message(tx, new_id(), CALLER, "请转告", urgent=True, division_code=division)
    rows = await tx.fetch("SELECT * FROM feed_entry WHERE type = 'callback.due' ORDER BY id")
    entries = [Entry.of(row) for row in rows]
    assert [one.concerns(("620302",), None) for one in entries] == [True, True]
    assert [one.concerns(("620321",), None) for one in entries] == [False, True]
