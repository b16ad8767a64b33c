"""A job exists with its transaction, runs once, is tried again, and is never lost from sight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict
from app.jobs import queue, worker
from app.jobs.queue import dead_letters, enqueue, forget_history, replay
from app.jobs.worker import Periodic, Task, Worker, retry_delay, run_once


class Abandoned(Exception):
    pass


@asynccontextmanager
async def working(
    database: Database, tasks: dict[str, Task], periodic: list[Periodic] | None = None
) -> AsyncIterator[Worker]:
    """A worker that runs beside the test and is stopped and waited for afterwards."""
    one = Worker(database, tasks, periodic or [])
    running = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        one.stop()
        await asyncio.wait_for(running, 20)


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.05)


async def scalar(database: Database, sql: str, *args: Any) -> Any:
    async with database.transaction() as tx:
        return await tx.fetchval(sql, *args)


async def is_idle(database: Database) -> bool:
    return not await scalar(database, "SELECT count(*) FROM pgqueuer WHERE status <> 'failed'")


async def test_a_job_exists_with_its_transaction(clean_database: Database) -> None:
    with pytest.raises(Abandoned):
        async with clean_database.transaction() as tx:
            await enqueue(tx, "note", {"n": 1})
            raise Abandoned
    async with clean_database.transaction() as tx:
        await enqueue(tx, "note", {"n": 2})
    seen: list[int] = []

    async def note(tx: Tx, payload: dict[str, Any]) -> None:
        seen.append(payload["n"])

    async with working(clean_database, {"note": note}):
        await until(lambda: is_idle(clean_database))
    assert seen == [2]


async def test_a_delay_is_a_delay_of_our_clock(clean_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[float] = []

    async def note(tx: Tx, payload: dict[str, Any]) -> None:
        ran.append(time.monotonic())

    monkeypatch.setattr(clock, "_rate", 60.0)
    begun = time.monotonic()
    async with clean_database.transaction() as tx:
        await enqueue(tx, "note", {}, after=timedelta(minutes=1))
    async with working(clean_database, {"note": note}):
        await until(lambda: is_idle(clean_database))
    assert 1.0 <= ran[0] - begun < 4


async def test_only_once(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        for n in range(3):
            await enqueue(tx, "note", {"n": n}, only_once="the same")
        await enqueue(tx, "note", {"n": 9}, only_once="another")
        assert await tx.fetchval("SELECT count(*) FROM pgqueuer") == 2
        await enqueue(tx, "note", {"n": 10})  # the transaction is still good


async def test_urgent_jobs_go_first(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        for n in range(30):
            await enqueue(tx, "note", {"n": n})
        await enqueue(tx, "note", {"n": 112}, priority=1)
    order: list[int] = []

    async def note(tx: Tx, payload: dict[str, Any]) -> None:
        order.append(payload["n"])

    async with working(clean_database, {"note": note}):
        await until(lambda: is_idle(clean_database))
    assert len(order) == 31
    assert order.index(112) < worker.BATCH


async def test_a_failure_is_tried_again_after_a_pause(
    clean_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FIRST_DELAY", timedelta(milliseconds=300))
    tried: list[float] = []

    async def shaky(tx: Tx, payload: dict[str, Any]) -> None:
        await tx.run("INSERT INTO periodic_task (name, next_at) VALUES ('effect', now())")
        tried.append(time.monotonic())
        if len(tried) < 3:
            raise RuntimeError("not yet")

    async with clean_database.transaction() as tx:
        await enqueue(tx, "shaky", {})
    async with working(clean_database, {"shaky": shaky}):
        await until(lambda: is_idle(clean_database))
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert len(tried) == 3
    assert 0.27 <= pauses[0] < 2
    assert 0.54 <= pauses[1] < 3
    assert await scalar(clean_database, "SELECT count(*) FROM periodic_task WHERE name = 'effect'") == 1


def test_pauses_double_up_to_a_cap() -> None:
    pauses = [retry_delay(attempts).total_seconds() for attempts in range(40)]
    assert all(0.45 * 2**n <= pauses[n] <= 0.55 * 2**n for n in range(8))
    assert max(pauses) <= 660
    assert sum(0.5 * 2**n for n in range(worker.MAX_ATTEMPTS - 1)) < 65


async def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(
    clean_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FIRST_DELAY", timedelta(milliseconds=20))
    healed = False
    done: list[int] = []

    async def note(tx: Tx, payload: dict[str, Any]) -> None:
        if payload["n"] == 13 and not healed:
            raise ValueError("王秀兰 13893512345 cannot be rung")
        done.append(payload["n"])

    async with clean_database.transaction() as tx:
        for n in range(40):
            await enqueue(tx, "note", {"n": n})
    async with working(clean_database, {"note": note}):
        await until(lambda: is_idle(clean_database), 30)
        assert sorted(done) == [n for n in range(40) if n != 13]
        async with clean_database.transaction() as tx:
            (letter,) = await dead_letters(tx)
        assert (letter["kind"], letter["attempts"]) == ("note", worker.MAX_ATTEMPTS)
        assert letter["reason"].startswith("ValueError")
        kept = await scalar(clean_database, "SELECT string_agg(traceback::text, ' ') FROM pgqueuer_log")
        for personal in ("王秀兰", "13893512345"):
            assert personal not in kept
        healed = True
        async with clean_database.transaction() as tx:
            await replay(tx, [letter["id"], 999_999])
        await until(lambda: is_idle(clean_database))
    assert done[-1] == 13
    async with clean_database.transaction() as tx:
        assert await dead_letters(tx) == []


async def test_a_replay_beside_the_same_work_is_refused(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await enqueue(tx, "note", {}, only_once="k")
        await tx.run("UPDATE pgqueuer SET status = 'failed'")
        await enqueue(tx, "note", {}, only_once="k")
        (letter,) = await dead_letters(tx)
        assert letter["reason"] is None
        with pytest.raises(Conflict) as refused:
            await replay(tx, [letter["id"]])
        assert refused.value.code == "job_queued_again"
        assert len(await dead_letters(tx)) == 1


async def test_a_job_delivered_twice_has_one_effect(clean_database: Database) -> None:
    async def note(tx: Tx, payload: dict[str, Any]) -> None:
        await asyncio.sleep(0.1)
        await tx.run("INSERT INTO idempotency_key (digest, request_hash, created_at) VALUES ('x', 'x', now())")

    deliveries = await asyncio.gather(*(run_once(clean_database, note, 7, b"{}") for _ in range(5)))
    assert sorted(deliveries) == [False, False, False, False, True]


async def test_a_lost_database_connection_does_not_stop_the_worker(clean_database: Database) -> None:
    done: list[int] = []

    async def note(tx: Tx, payload: dict[str, Any]) -> None:
        done.append(payload["n"])

    async with working(clean_database, {"note": note}):
        for n in range(3):
            async with clean_database.transaction() as tx:
                await enqueue(tx, "note", {"n": n})
            await until(lambda n=n: _holds(done, n), 15)  # type: ignore[misc]
            async with clean_database.transaction() as tx:
                await tx.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await asyncio.sleep(0.05)  # until our own pool has heard of it too
    assert done == [0, 1, 2]


async def _holds(done: list[int], n: int) -> bool:
    return n in done


async def test_stopping_finishes_the_job_in_hand(clean_database: Database) -> None:
    started = asyncio.Event()

    async def long(tx: Tx, payload: dict[str, Any]) -> None:
        started.set()
        await asyncio.sleep(0.5)

    async with clean_database.transaction() as tx:
        await enqueue(tx, "long", {})
    async with working(clean_database, {"long": long}):
        await asyncio.wait_for(started.wait(), 10)
    assert await scalar(clean_database, "SELECT count(*) FROM job_receipt") == 1
    assert await is_idle(clean_database)


async def test_a_worker_stopped_at_once_stops(clean_database: Database) -> None:
    one = Worker(clean_database, {"note": run_nothing}, [])
    running = asyncio.create_task(one.run())
    await asyncio.sleep(0)
    one.stop()
    await asyncio.wait_for(running, 10)


async def run_nothing(tx: Tx, payload: dict[str, Any]) -> None:
    pass


async def test_old_history_goes_and_dead_letters_keep_theirs(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await enqueue(tx, "note", {})
        await tx.run("UPDATE pgqueuer SET status = 'failed'")
        await tx.run("INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint) VALUES (0, 'successful', 0, 'x')")
        await tx.run("UPDATE pgqueuer_log SET created = now() - interval '31 days'")
        await tx.run("INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint) VALUES (0, 'successful', 0, 'x')")
        assert await forget_history(tx) == 1
        assert await tx.fetchval("SELECT count(*) FROM pgqueuer_log") == 2


def test_a_transaction_does_not_listen() -> None:
    with pytest.raises(NotImplementedError):
        asyncio.run(queue.TxDriver(None).add_listener("x", print))  # type: ignore[arg-type]
