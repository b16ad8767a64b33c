"""Is it alive, is it ready, and what is missing if not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import cache
from typing import Any

from app.core import clock
from app.core.db import Database
from app.jobs import worker
from app.serving import migrations

PATIENCE_S = 3.0
WORKER_SILENT_AFTER = timedelta(seconds=60)


@cache
def newest_migration() -> str:
    """The revision this code was written for."""
    return migrations.newest_revision() or ""


async def readiness(database: Database) -> dict[str, Any]:
    """`{status, now, checks}`. Ready without workers is "degraded": what comes in is kept, only later work waits."""
    checks = {"database": "unreachable", "migrations": "unknown", "workers": "unknown"}
    try:
        async with asyncio.timeout(PATIENCE_S):
            async with database.transaction() as tx:
                found = await worker.signs_of_life(tx)
    except Exception:
        return {"status": "unavailable", "now": clock.now(), "checks": checks}
    revision, last_started = found
    checks["database"] = "ok"
    checks["migrations"] = "ok" if revision == newest_migration() else f"at {revision}, not {newest_migration()}"
    silent = last_started is None or clock.real_delay(clock.now() - last_started) > WORKER_SILENT_AFTER
    checks["workers"] = "silent" if silent else "ok"
    if checks["migrations"] != "ok":
        return {"status": "unavailable", "now": clock.now(), "checks": checks}
    return {"status": "degraded" if silent else "ready", "now": clock.now(), "checks": checks}
