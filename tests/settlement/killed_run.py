"""A settlement run that stops just before its commit, for a test to kill: `python -m … DSN PERIOD`."""

from __future__ import annotations

import asyncio
import sys

from app.core.db import Database
from app.settlement import queries_runs, runs
from tests.conftest import vault
from tests.world.settlement import clerk


async def main(dsn: str, period: str) -> None:
    database = Database(dsn, vault=vault())
    async with database.serializable() as tx:
        assert await queries_runs.try_lock(tx, period)
        await runs.settle(tx, clerk("killed"), period)
        written = await tx.fetchval("SELECT count(*) FROM statement_line")
        print(f"written {written}", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
