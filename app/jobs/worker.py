"""Running the work: jobs with retries and dead letters, periodic tasks that never run twice.

A task gets a transaction and its payload. Its receipt is written in the same transaction, so a job that the
queue delivers again after a crash finds its receipt and does nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from app.core import clock, log
from app.core.db import Database, Tx
from app.core.dsn import asyncpg_dsn
from app.core.errors import Unavailable
from app.core.sqlstate import as_unavailable

Task = Callable[[Tx, dict[str, Any]], Awaitable[None]]
Sweep = Callable[[Tx], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Long:
    """A task that takes longer than a transaction may: it opens short ones of its own.

    No receipt protects it, so it has to bear being delivered twice, even at the same time.
    """

    run: Callable[[Database, dict[str, Any]], Awaitable[None]]


Work = Task | Long

MAX_ATTEMPTS = 8
"""After half a second, one, two, … a job has failed for good within about a minute."""
FIRST_DELAY = timedelta(milliseconds=500)
LONGEST_DELAY = timedelta(minutes=10)
LEASE = timedelta(seconds=30)
BATCH = 10

RECEIPT = "INSERT INTO job_receipt (job_id, done_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true"
FORGET_RECEIPTS = "DELETE FROM job_receipt WHERE done_at < $1"
DECLARE = """INSERT INTO periodic_task (name, next_at) SELECT unnest($1::text[]), $2 ON CONFLICT (name) DO NOTHING"""
DUE = """SELECT name FROM periodic_task WHERE name = ANY($1::text[]) AND next_at <= $2"""
TAKE = """SELECT name FROM periodic_task WHERE name = $1 AND next_at <= $2 FOR UPDATE SKIP LOCKED"""
SIGNS_OF_LIFE = """SELECT (SELECT version_num FROM alembic_version) AS revision,
  (SELECT max(last_started_at) FROM periodic_task) AS last_started_at"""
MOVE_ON = """UPDATE periodic_task SET next_at = $2, last_started_at = $3, last_error = $4
WHERE name = $1 AND next_at <= $3"""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task that runs every `every` of real time, in one transaction, on one worker at a time.

    One with a `batch` returns how much it has done; after so much there may be more, and it is due again at once.
    """

    name: str
    every: timedelta
    task: Sweep
    batch: int | None = None


class TaskFailed(Exception):
    """A job failed for good. Says what `log.describe` says: where, and nothing about anybody."""


class Worker:
    """One worker process. `tasks` maps job kinds to their functions; `app/wiring.py` has the list."""

    def __init__(
        self, database: Database, tasks: Mapping[str, Work], periodic: list[Periodic], *, lease: timedelta = LEASE
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._periodic = {one.name: one for one in periodic}
        self._lease = lease
        self._log = log.get("worker")
        self._stop = asyncio.Event()
        self._queue: QueueManager | None = None
        # Jobs in hand leave connections for the periodic tasks.
        self._room = asyncio.Semaphore(max(1, database.pool_size - 3))

    async def run(self) -> None:
        """Work until `stop` is called; begins again with a pause when the database goes away."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._persist(self._run_jobs))
            both.create_task(self._persist(self._run_periodic))

    def stop(self) -> None:
        self._stop.set()
        if self._queue is not None:
            self._queue.shutdown.set()

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> None:
        while not self._stop.is_set():
            try:
                await work()
            except Exception as failure:
                if not _is_outage(failure):
                    raise
                self._log.warning("database_lost", error=log.describe(failure))
                await self._pause(2.0)

    async def _run_jobs(self) -> None:
        if not self._tasks:
            await self._stop.wait()
            return
        dsn = asyncpg_dsn(self._database.dsn)
        pool = await asyncpg.create_pool(dsn, min_size=2, max_size=4, timeout=5)
        try:
            queue = QueueManager(Queries.from_asyncpg_pool(pool))
            for kind, task in self._tasks.items():
                queue.entrypoint(kind, on_failure="hold", accepts_context=False)(self._entry(kind, task))
            self._queue = queue
            if self._stop.is_set():
                return
            await queue.run(
                batch_size=BATCH,
                max_concurrent_tasks=2 * BATCH,
                # A short timeout: a deferred job is otherwise noticed only when the wait for news ends.
                dequeue_timeout=timedelta(seconds=1),
                heartbeat_timeout=self._lease,
            )
        finally:
            # Not `close`, which waits for ever for a listening connection that died in the queue's hands.
            pool.terminate()

    def _entry(self, kind: str, task: Work) -> Callable[[Job], Awaitable[None]]:
        async def run(job: Job) -> None:
            try:
                await self._run_through_outages(task, job)
            except Exception as failure:
                # The queue keeps what it is told: no text of the failure, which may quote a person.
                reason = log.describe(failure)
                attempt = job.attempts + 1
                self._log.warning("job_failed", kind=kind, job_id=int(job.id), attempt=attempt, reason=reason)
                if attempt >= MAX_ATTEMPTS:
                    raise TaskFailed(reason) from None
                raise RetryRequested(retry_delay(job.attempts), reason) from None

        return run

    async def _run_through_outages(self, task: Work, job: Job) -> None:
        """Run a job, again if the database went away meanwhile.

        The queue could not note a retry then, and would give the job up as soon as the database is back.
        """
        while True:
            try:
                if isinstance(task, Long):
                    await task.run(self._database, orjson.loads(job.payload or b"{}"))
                    return
                async with self._room:
                    await run_once(self._database, task, int(job.id), job.payload)
                return
            except Exception:
                if not await self._was_away():
                    raise

    async def _was_away(self) -> bool:
        """Whether the database is away; comes back when that is over, or the worker is to stop."""
        away = False
        while not self._stop.is_set():
            try:
                async with self._database.transaction() as tx:
                    await tx.fetchval("SELECT 1")
                return away
            except Exception as failure:
                if not _is_outage(failure):
                    raise
                away = True
            await self._pause(0.5)
        return False

    async def _run_periodic(self) -> None:
        names = list(self._periodic)
        running: dict[str, asyncio.Task[None]] = {}
        async with self._database.transaction() as tx:
            await tx.run(DECLARE, names, clock.now())
        try:
            while not self._stop.is_set():
                async with self._database.transaction() as tx:
                    due = [row["name"] for row in await tx.fetch(DUE, names, clock.now())]
                running = {name: task for name, task in running.items() if not task.done()}
                for name in due:
                    if name not in running:
                        running[name] = asyncio.create_task(self._run_one(self._periodic[name]))
                await self._pause(min([1.0, *(one.every.total_seconds() for one in self._periodic.values())]))
        finally:
            await asyncio.gather(*running.values())

    async def _run_one(self, periodic: Periodic) -> None:
        try:
            while await run_if_due(self._database, periodic) and periodic.batch and not self._stop.is_set():
                pass
        except Exception as failure:
            self._log.error("periodic_task_failed", task=periodic.name, error=log.describe(failure))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


def retry_delay(attempts: int) -> timedelta:
    """The pause before the next attempt: doubling, capped, give or take a tenth by chance."""
    delay = min(FIRST_DELAY * (1 << attempts), LONGEST_DELAY)
    return delay * random.uniform(0.9, 1.1)  # noqa: S311 (jitter, not a secret)


async def run_once(database: Database, task: Task, job_id: int, payload: bytes | None) -> bool:
    """Run a job unless its receipt exists; returns whether it ran."""
    async with database.transaction() as tx:
        if not await tx.fetchval(RECEIPT, job_id, clock.now()):
            return False
        await task(tx, orjson.loads(payload or b"{}"))
    return True


async def run_if_due(database: Database, periodic: Periodic) -> bool:
    """Run a declared periodic task if it is due and no other worker has it; returns whether it ran."""
    started = clock.now()
    next_at = started + periodic.every * _clock_rate()
    try:
        async with database.transaction() as tx:
            if not await tx.fetchval(TAKE, periodic.name, started):
                return False
            done = await periodic.task(tx)
            more = periodic.batch is not None and isinstance(done, int) and done >= periodic.batch
            await tx.run(MOVE_ON, periodic.name, started if more else next_at, started, None)
        return True
    except Exception as failure:
        async with database.transaction() as tx:
            await tx.run(MOVE_ON, periodic.name, next_at, started, log.describe(failure))
        raise


async def forget_receipts(tx: Tx) -> int:
    """Drop receipts that no redelivery can ask for any more."""
    return await tx.run(FORGET_RECEIPTS, clock.now() - timedelta(days=7))


def _is_outage(failure: BaseException) -> bool:
    if isinstance(failure, BaseExceptionGroup):
        return all(_is_outage(one) for one in failure.exceptions)
    # The queue trips over its dead connections in ways of its own, all of them the driver's refusals.
    refusals = (OSError, Unavailable, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return isinstance(failure, refusals) or as_unavailable(failure) is not None


def _clock_rate() -> float:
    return timedelta(hours=1) / clock.real_delay(timedelta(hours=1))


async def signs_of_life(tx: Tx) -> tuple[str | None, datetime | None]:
    """The schema's revision, and when any periodic task last began."""
    row = await tx.fetchrow(SIGNS_OF_LIFE)
    return (row["revision"], row["last_started_at"]) if row else (None, None)
