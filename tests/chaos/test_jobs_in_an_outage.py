"""The database goes away under a job in hand: the job waits with it, and nobody has to replay it by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pgqueuer.queries import Queries

from app.core import clock
from app.core.db import Database, Tx
from app.jobs import feed
from app.jobs.queue import enqueue
from app.jobs.worker import Worker
from tests.chaos.proxies import brittle_line
from tests.conftest import vault

pytestmark = pytest.mark.chaos

STANDING = """SELECT (SELECT count(*) FROM pgqueuer WHERE status <> 'failed') AS waiting,
  (SELECT count(*) FROM pgqueuer WHERE status = 'failed') AS given_up,
  (SELECT count(*) FROM feed_entry WHERE audience = 'effects') AS effects"""


async def standing(database: Database) -> tuple[int, int, int]:
    async with database.transaction() as tx:
        row = await tx.fetchrow(STANDING)
        assert row is not None
        return row["waiting"], row["given_up"], row["effects"]


async def test_a_job_outlasts_an_outage(clean_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is cut under the commit. The queue's own connections die too: it could not note a retry, and would
    write the job off as soon as the database is back."""

    async def cut_off(*_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(Queries, "retry_job", cut_off)
    async with clean_database.transaction() as tx:
        await enqueue(tx, "effect", {})
    async with brittle_line(clean_database.dsn) as line:
        outages: list[asyncio.Task[None]] = []

        async def effect(tx: Tx, _payload: dict[str, Any]) -> None:
            await feed.append(tx, "effects", "effect", occurred_at=clock.now())
            if not outages:
                outages.append(asyncio.create_task(line.go_dark(0.4)))
                await asyncio.sleep(0)

        database = Database(line.dsn, vault=vault(), pool_size=5)
        database.dsn = clean_database.dsn  # a short outage escapes the queue, which looks once a second
        worker = Worker(database, {"effect": effect}, [])
        working = asyncio.create_task(worker.run())
        for _ in range(100):
            found = await standing(clean_database)
            if found[0] == 0:
                break
            await asyncio.sleep(0.1)
        worker.stop()
        await asyncio.wait_for(working, 20)
        await database.close()
    assert outages, "the job never ran"
    assert found == (0, 0, 1)


async def test_a_job_that_fails_by_itself_is_not_repeated_at_once(clean_database: Database) -> None:
    """The database answers, so it is the job: the queue's pauses and its dead letters are for that."""
    async with clean_database.transaction() as tx:
        await enqueue(tx, "effect", {})
    tried = 0

    async def broken(_tx: Tx, _payload: dict[str, Any]) -> None:
        nonlocal tried
        tried += 1
        raise ConnectionRefusedError("the gateway, not the database")

    worker = Worker(clean_database, {"effect": broken}, [])
    working = asyncio.create_task(worker.run())
    await asyncio.sleep(1.2)
    worker.stop()
    await asyncio.wait_for(working, 20)
    assert 1 <= tried <= 3
