"""Running the work: jobs with retries and dead letters, periodic tasks that never run twice.

A task gets a transaction and its payload. Its receipt is written in the same transaction, so a job that the
queue delivers again after a crash finds its receipt and does nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
from pgqueuer import PgQueuer
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Job

from app.core import clock, log
from app.core.db import Database, Tx
from app.core.dsn import asyncpg_dsn

Task = Callable[[Tx, dict[str, Any]], Awaitable[None]]
Sweep = Callable[[Tx], Awaitable[object]]

MAX_ATTEMPTS = 8
LEASE = timedelta(seconds=30)

RECEIPT = "INSERT INTO job_receipt (job_id, done_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true"
FORGET_RECEIPTS = "DELETE FROM job_receipt WHERE done_at < $1"
DECLARE = """INSERT INTO periodic_task (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"""
TAKE = """SELECT name FROM periodic_task WHERE name = $1 AND next_at <= $2 FOR UPDATE SKIP LOCKED"""
MOVE_ON = """UPDATE periodic_task SET next_at = $2, last_started_at = $3, last_error = $4 WHERE name = $1"""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task that runs every `every` of real time, in one transaction, on one worker at a time."""

    name: str
    every: timedelta
    task: Sweep


class Worker:
    """One worker process. `tasks` maps job kinds to their functions; `app/wiring.py` has the list."""

    def __init__(self, database: Database, tasks: dict[str, Task], periodic: list[Periodic]) -> None:
        self._database = database
        self._tasks = tasks
        self._periodic = periodic
        self._log = log.get("worker")
        self._stop = asyncio.Event()
        self._queue: PgQueuer | None = None

    async def run(self) -> None:
        """Work until `stop` is called; restarts its queue connection with a pause when the database goes away."""
        await asyncio.gather(self._run_jobs(), *(self._run_periodic(p) for p in self._periodic))

    def stop(self) -> None:
        self._stop.set()
        if self._queue is not None:
            self._queue.shutdown.set()

    async def _run_jobs(self) -> None:
        while not self._stop.is_set():
            try:
                async with asyncpg.create_pool(asyncpg_dsn(self._database.dsn), min_size=2, max_size=4) as pool:
                    self._queue = PgQueuer.from_asyncpg_pool(pool)
                    for kind, task in self._tasks.items():
                        self._register(self._queue, kind, task)
                    # A short timeout: a deferred job is otherwise noticed only when the wait for news ends.
                    await self._queue.run(
                        batch_size=20, dequeue_timeout=timedelta(seconds=1), heartbeat_timeout=LEASE
                    )
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
                self._log.warning("queue_connection_lost", error=type(away).__name__)
                await self._pause(2.0)

    def _register(self, queue: PgQueuer, kind: str, task: Task) -> None:
        def executor(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
            return DatabaseRetryEntrypointExecutor(
                parameters,
                max_attempts=MAX_ATTEMPTS,
                initial_delay=timedelta(milliseconds=500),
                max_delay=timedelta(minutes=10),
            )

        @queue.entrypoint(kind, executor_factory=executor, on_failure="hold", accepts_context=False)
        async def run(job: Job) -> None:
            await run_once(self._database, task, int(job.id), job.payload)

    async def _run_periodic(self, periodic: Periodic) -> None:
        while not self._stop.is_set():
            try:
                await run_if_due(self._database, periodic)
            except Exception as failure:
                self._log.error("periodic_task_failed", task=periodic.name, error=repr(failure))
            await self._pause(min(1.0, periodic.every.total_seconds()))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


async def run_once(database: Database, task: Task, job_id: int, payload: bytes | None) -> bool:
    """Run a job unless its receipt exists; returns whether it ran."""
    async with database.transaction() as tx:
        if not await tx.fetchval(RECEIPT, job_id, clock.now()):
            return False
        await task(tx, orjson.loads(payload or b"{}"))
    return True


async def run_if_due(database: Database, periodic: Periodic) -> bool:
    """Run a periodic task if it is due and no other worker has it; returns whether it ran."""
    started = clock.now()
    next_at = started + periodic.every * _clock_rate()
    try:
        async with database.transaction() as tx:
            await tx.run(DECLARE, periodic.name, started)
            if not await tx.fetchval(TAKE, periodic.name, started):
                return False
            await periodic.task(tx)
            await tx.run(MOVE_ON, periodic.name, next_at, started, None)
        return True
    except Exception as failure:
        async with database.transaction() as tx:
            await tx.run(MOVE_ON, periodic.name, next_at, started, type(failure).__name__)
        raise


async def forget_receipts(tx: Tx) -> int:
    """Drop receipts that no redelivery can ask for any more."""
    return await tx.run(FORGET_RECEIPTS, clock.now() - timedelta(days=7))


def _clock_rate() -> float:
    return timedelta(hours=1) / clock.real_delay(timedelta(hours=1))
