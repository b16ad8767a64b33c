"""Putting work off: a job is enqueued inside the caller's transaction and exists only if that commits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import JobId
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries

from app.core import clock
from app.core.db import Tx


class TxDriver(Driver):
    """Sends PgQueuer's statements over the transaction's own connection."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._shutdown = asyncio.Event()

    async def fetch(self, query: str, *args: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self._tx.fetch(query, *args)]

    async def execute(self, query: str, *args: Any) -> str:
        return f"OK {await self._tx.run(query, *args)}"

    async def notify(self, channel: str, payload: str) -> None:
        await self._tx.run("SELECT pg_notify($1, $2)", channel, payload)

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown


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

    `only_once` drops the job silently while one with the same key is still queued.
    """
    body = orjson.dumps(dict(payload), default=str)
    delay = clock.real_delay(after)
    queries = Queries(TxDriver(tx))
    if only_once is None:
        await queries.enqueue(kind, body, priority=priority, execute_after=delay)
        return
    await queries.enqueue(
        [kind], [body], [priority], [delay], dedupe_key=[only_once], raise_on_conflict=False
    )


async def dead_letters(tx: Tx, limit: int = 100) -> list[dict[str, Any]]:
    """Jobs that failed for good: `{id, kind, attempts, failed_at, reason}`, newest first. Payloads stay inside."""
    queries = Queries(TxDriver(tx))
    failed: list[Job] = [entry for entry in await queries.list_failed_jobs(limit=limit)]
    reasons = {}
    for entry in failed:
        history = await queries.job_log_history(entry.id)
        reasons[entry.id] = next((h.traceback for h in reversed(history) if h.traceback), None)
    return [
        {
            "id": int(entry.id),
            "kind": entry.entrypoint,
            "attempts": entry.attempts,
            "failed_at": entry.updated,
            "reason": f"{found.exception_type}: {found.exception_message}" if (found := reasons[entry.id]) else None,
        }
        for entry in failed
    ]


async def replay(tx: Tx, job_ids: list[int]) -> None:
    """Queue dead letters again."""
    await Queries(TxDriver(tx)).requeue_jobs([JobId(job_id) for job_id in job_ids])
