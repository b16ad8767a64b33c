"""Putting work off: a job is enqueued inside the caller's transaction and exists only if that commits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

import orjson
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.types import JobId
from pgqueuer.ports.driver import Driver, NotifyCallback
from pgqueuer.queries import Queries

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.json import dumps
from app.core.sqlstate import constraint_of


class TxDriver(Driver):
    """Sends PgQueuer's statements over the transaction's own connection."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        # PgQueuer decodes JSON itself, and our connections have done so already.
        rows = await self._tx.fetch(query, *args)
        return [{k: dumps(v) if isinstance(v, dict) else v for k, v in row.items()} for row in rows]

    async def execute(self, query: str, *args: object) -> str:
        return f"OK {await self._tx.run(query, *args)}"

    async def notify(self, channel: str, payload: str) -> None:
        await self._tx.run("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        raise NotImplementedError("a transaction hears nothing before it ends")

    @property
    def shutdown(self) -> asyncio.Event:
        return asyncio.Event()

    @property
    def tm(self) -> TaskManager:
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


async def enqueue(
    tx: Tx,
    kind: str,
    payload: Mapping[str, Any],
    *,
    after: timedelta = timedelta(0),
    priority: int = 0,
    only_once: str | None = None,
) -> None:
    """Let the worker run task `kind` with `payload`, `after` a delay of our clock.

    `only_once` drops the job silently while one with the same key is queued or running; until this
    transaction ends, others that use the key wait. A running one may have looked already, so use it for
    work that will come round again, never for the only notice of a change.
    """
    body = orjson.dumps(dict(payload), default=str)
    delay = clock.real_delay(after)
    queries = Queries(TxDriver(tx))
    if only_once is None:
        await queries.enqueue(kind, body, priority, delay)
    else:
        await queries.enqueue(kind, body, priority, delay, only_once, on_conflict="skip")


async def enqueue_all(tx: Tx, kind: str, payloads: Sequence[Mapping[str, Any]], *, priority: int = 0) -> None:
    """Many jobs of one kind, in one statement."""
    if payloads:
        bodies: list[bytes | None] = [orjson.dumps(dict(payload), default=str) for payload in payloads]
        await Queries(TxDriver(tx)).enqueue([kind] * len(bodies), bodies, [priority] * len(bodies))


async def dead_letters(tx: Tx, limit: int = 100) -> list[dict[str, Any]]:
    """Jobs that failed for good: `{id, kind, attempts, failed_at, reason}`, newest first. Payloads stay inside."""
    queries = Queries(TxDriver(tx))
    letters = []
    for job in await queries.list_failed_jobs(limit=limit):
        history = await queries.job_log_history(job.id)
        reasons = [entry.traceback.exception_message for entry in history if entry.traceback]
        letters.append(
            {
                "id": int(job.id),
                "kind": str(job.entrypoint),
                "attempts": job.attempts + 1,
                "failed_at": job.updated,
                "reason": reasons[-1] if reasons else None,
            }
        )
    return letters


async def replay(tx: Tx, job_ids: list[int]) -> None:
    """Queue dead letters again, with fresh attempts; ids that are not dead letters are passed over.

    Raises Conflict when a job with the same `only_once` key has been queued meanwhile.
    """
    try:
        async with tx.savepoint():
            await Queries(TxDriver(tx)).requeue_jobs([JobId(job_id) for job_id in job_ids])
    except Exception as failure:
        if constraint_of(failure) != "pgqueuer_unique_dedupe_key":
            raise
        raise Conflict("job_queued_again", "the same work is queued already") from failure


async def forget_history(tx: Tx) -> int:
    """Drop the queue's log of jobs that ended more than 30 days ago; dead letters keep theirs."""
    return await tx.run(
        """DELETE FROM pgqueuer_log AS old WHERE created < $1
        AND NOT EXISTS (SELECT FROM pgqueuer WHERE pgqueuer.id = old.job_id)""",
        clock.now() - timedelta(days=30),
    )
