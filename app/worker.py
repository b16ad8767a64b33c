"""The worker process: jobs and periodic tasks, as listed in `wiring`."""

from __future__ import annotations

import asyncio
import signal

from app import wiring
from app.core import log
from app.core.config import Settings
from app.jobs.worker import Worker
from app.main import open_database, settle_in


def run(settings: Settings | None = None) -> None:
    """Work until SIGTERM or SIGINT; a job in hand is finished first."""
    settings = settings or Settings()
    log.configure(settings.log_level)
    settle_in(settings)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    database = open_database(settings)
    worker = Worker(database, wiring.tasks(database, settings), wiring.periodic(settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    try:
        await worker.run()
    finally:
        await database.close()


if __name__ == "__main__":
    run()
