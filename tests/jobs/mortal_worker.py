"""A worker process for the crash tests: `python -m tests.jobs.mortal_worker DSN DIES`, DIES one of

before_commit  kills itself inside the task's transaction
before_ack     kills itself after the commit, before the queue hears of it
never          works until it is killed
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import Any

from app.core import clock
from app.core.crypto import Vault
from app.core.db import Database, Tx
from app.jobs import worker

LEASE = timedelta(seconds=2)
EFFECT = "INSERT INTO feed_entry (audience, type, seq, occurred_at) VALUES ('effects', $1, 0, $2)"

dies = "never"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def effect(tx: Tx, payload: dict[str, Any]) -> None:
    """One row per job; how often it is there is how often the job has happened."""
    await tx.run(EFFECT, payload["name"], clock.now())
    await asyncio.sleep(payload.get("takes", 0))
    if dies == "before_commit":
        die()


async def run_and_die(*args: Any) -> bool:
    ran = await worker_run_once(*args)
    if dies == "before_ack":
        die()
    return ran


worker_run_once = worker.run_once


async def main(dsn: str) -> None:
    worker.run_once = run_and_die
    database = Database(dsn, vault=Vault({1: bytes(32)}))
    print("working", flush=True)
    await worker.Worker(database, {"effect": effect}, [], lease=LEASE).run()


if __name__ == "__main__":
    dies = sys.argv[2]
    asyncio.run(main(sys.argv[1]))
