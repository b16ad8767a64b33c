"""A periodic task runs when it is due, on one worker, and its failure is visible."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.jobs.worker import Periodic, Worker, forget_receipts, run_if_due
from tests.jobs.test_queue import run_nothing, scalar, until, working

MARK = "INSERT INTO feed_entry (audience, type, seq, occurred_at) VALUES ($1, 'ran', 0, $2)"
RUNS = "SELECT count(*) FROM feed_entry WHERE audience = $1"


async def declare(database: Database, name: str, due: datetime) -> None:
    async with database.transaction() as tx:
        await tx.run("INSERT INTO periodic_task (name, next_at) VALUES ($1, $2)", name, due)


async def test_three_workers_never_run_one_twice(clean_database: Database) -> None:
    async def sweep(tx: Tx) -> None:
        await tx.run(MARK, "sweep", clock.now())
        await asyncio.sleep(0.05)

    every = timedelta(seconds=0.5)
    begun = clock.now()
    one = Periodic("sweep", every, sweep)
    async with (
        working(clean_database, {}, [one]),
        working(clean_database, {}, [one]),
        working(clean_database, {}, [one]),
    ):
        await asyncio.sleep(3)
    ran = await scalar(clean_database, RUNS, "sweep")
    assert 3 <= ran <= (clock.now() - begun) / every + 1
    gaps = "SELECT min(g) FROM (SELECT occurred_at - lag(occurred_at) OVER (ORDER BY id) g FROM feed_entry) s"
    assert await scalar(clean_database, gaps) >= every - timedelta(milliseconds=50)


async def test_many_at_once_run_it_once(clean_database: Database) -> None:
    async def sweep(tx: Tx) -> None:
        await tx.run(MARK, "sweep", clock.now())
        await asyncio.sleep(0.2)

    await declare(clean_database, "sweep", clock.now())
    one = Periodic("sweep", timedelta(hours=1), sweep)
    ran = await asyncio.gather(*(run_if_due(clean_database, one) for _ in range(8)))
    assert sorted(ran) == [False] * 7 + [True]
    assert await scalar(clean_database, RUNS, "sweep") == 1


async def test_without_the_row_lock_it_would_run_often(clean_database: Database) -> None:
    """The control: looking first and moving on afterwards is not enough."""

    async def run_unlocked() -> None:
        async with clean_database.transaction() as tx:
            if await tx.fetchval("SELECT name FROM periodic_task WHERE next_at <= $1", clock.now()):
                await tx.run(MARK, "sweep", clock.now())
                await asyncio.sleep(0.2)
                await tx.run("UPDATE periodic_task SET next_at = $1", clock.now() + timedelta(hours=1))

    await declare(clean_database, "sweep", clock.now())
    await asyncio.gather(*(run_unlocked() for _ in range(8)))
    assert await scalar(clean_database, RUNS, "sweep") > 1


async def test_a_failed_run_leaves_nothing_but_its_reason(clean_database: Database) -> None:
    async def sweep(tx: Tx) -> None:
        await tx.run(MARK, "sweep", clock.now())
        raise ValueError("王秀兰")

    await declare(clean_database, "sweep", clock.now())
    one = Periodic("sweep", timedelta(minutes=5), sweep)
    with pytest.raises(ValueError, match="王秀兰"):
        await run_if_due(clean_database, one)
    assert await scalar(clean_database, RUNS, "sweep") == 0
    assert (await scalar(clean_database, "SELECT last_error FROM periodic_task")).startswith("ValueError")
    assert await scalar(clean_database, "SELECT next_at FROM periodic_task") > clock.now() + timedelta(minutes=4)
    assert await run_if_due(clean_database, one) is False


async def test_a_failing_task_does_not_hold_up_the_others(clean_database: Database) -> None:
    async def bad(tx: Tx) -> None:
        raise ValueError

    async def good(tx: Tx) -> None:
        await tx.run(MARK, "good", clock.now())

    every = timedelta(seconds=0.2)
    async with working(clean_database, {"note": run_nothing}, [Periodic("a", every, bad), Periodic("b", every, good)]):

        async def twice() -> bool:
            return bool(await scalar(clean_database, RUNS, "good") >= 2)

        await until(twice)


async def test_after_a_full_batch_it_goes_on_at_once(clean_database: Database) -> None:
    left = [10, 10, 3]

    async def sweep(tx: Tx) -> int:
        await tx.run(MARK, "sweep", clock.now())
        return left.pop(0)

    async def done() -> bool:
        return not left

    async with working(clean_database, {}, [Periodic("sweep", timedelta(hours=1), sweep, batch=10)]):
        await until(done)
        await asyncio.sleep(0.3)
    assert await scalar(clean_database, RUNS, "sweep") == 3
    assert await scalar(clean_database, "SELECT next_at FROM periodic_task") > clock.now() + timedelta(minutes=59)


async def test_the_interval_is_real_time_in_a_rehearsal(
    clean_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_rate", 60.0)
    await declare(clean_database, "sweep", clock.now())
    await run_if_due(clean_database, Periodic("sweep", timedelta(minutes=1), forget_receipts))
    ahead = await scalar(clean_database, "SELECT next_at FROM periodic_task") - clock.now()
    assert timedelta(minutes=59) < ahead <= timedelta(hours=1)


async def test_receipts_are_kept_a_week(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        for job, days in ((1, 6), (2, 8)):
            await tx.run("INSERT INTO job_receipt VALUES ($1, $2)", job, clock.now() - timedelta(days=days))
        assert await forget_receipts(tx) == 1
        assert await tx.fetchval("SELECT job_id FROM job_receipt") == 1


async def test_a_worker_without_work_waits(clean_database: Database) -> None:
    one = Worker(clean_database, {}, [])
    running = asyncio.create_task(one.run())
    await asyncio.sleep(0.2)
    assert not running.done()
    one.stop()
    await asyncio.wait_for(running, 5)
