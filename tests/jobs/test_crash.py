"""kill -9 of real worker processes: every job happens, and happens once."""

from __future__ import annotations

import asyncio
import os
import random
import sys

import pytest

from app.core.db import Database
from app.jobs.queue import enqueue
from app.jobs.worker import Worker
from tests.jobs import mortal_worker
from tests.jobs.test_queue import is_idle, scalar, until

KILLS = int(os.environ.get("NUANXIAN_WORKER_KILLS", "4"))
JOBS = 150
EFFECTS = "SELECT count(*) FROM feed_entry WHERE audience = 'effects'"
DIFFERENT = "SELECT count(DISTINCT type) FROM feed_entry WHERE audience = 'effects'"

pytestmark = pytest.mark.chaos


async def start(dsn: str, dies: str) -> asyncio.subprocess.Process:
    program = (sys.executable, "-m", "tests.jobs.mortal_worker", dsn, dies)
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"working\n"
    return process


async def finish(database: Database) -> None:
    """Let a healthy worker do what is left, waiting for the leases of the dead."""
    healthy = Worker(database, {"effect": mortal_worker.effect}, [], lease=mortal_worker.LEASE)
    running = asyncio.create_task(healthy.run())
    await until(lambda: is_idle(database), 40)
    healthy.stop()
    await running


async def die_once(database: Database, dies: str) -> None:
    async with database.transaction() as tx:
        await enqueue(tx, "effect", {"name": "one"})
    process = await start(database.dsn, dies)
    assert await asyncio.wait_for(process.wait(), 30) == -9
    assert await scalar(database, "SELECT status::text FROM pgqueuer") == "picked"


async def test_death_before_the_commit_loses_nothing(clean_database: Database) -> None:
    await die_once(clean_database, "before_commit")
    assert await scalar(clean_database, EFFECTS) == 0
    await finish(clean_database)
    assert await scalar(clean_database, EFFECTS) == 1


async def test_death_between_effect_and_acknowledgement_repeats_nothing(clean_database: Database) -> None:
    await die_once(clean_database, "before_ack")
    assert await scalar(clean_database, EFFECTS) == 1
    await finish(clean_database)
    assert await scalar(clean_database, EFFECTS) == 1


async def test_without_its_receipt_it_would_be_repeated(clean_database: Database) -> None:
    """The control: at least once is all the queue promises."""
    await die_once(clean_database, "before_ack")
    async with clean_database.transaction() as tx:
        assert await tx.run("DELETE FROM job_receipt") == 1
    await finish(clean_database)
    assert await scalar(clean_database, EFFECTS) == 2


async def test_killed_at_any_moment_every_job_happens_once(clean_database: Database) -> None:
    chance = random.Random(12349)
    async with clean_database.transaction() as tx:
        for n in range(JOBS):
            await enqueue(tx, "effect", {"name": f"job {n}", "takes": 0.2})
    for _ in range(KILLS):
        process = await start(clean_database.dsn, "never")
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        process.kill()
        await process.wait()
    assert await scalar(clean_database, "SELECT count(*) FROM pgqueuer") > 0, "nothing was left to be taken over"
    await finish(clean_database)
    assert await scalar(clean_database, EFFECTS) == JOBS
    assert await scalar(clean_database, DIFFERENT) == JOBS
