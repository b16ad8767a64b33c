"""The service in a process of its own, to be killed: `python -m tests.faces.apart DSN HOME INSTANT PARENT`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from app.core import clock
from app.core.config import Settings
from app.core.db import Database
from app.main import create_app
from app.serving.privileges import die_with_parent
from app.shedding import Gate
from tests.conftest import MASTER_KEY, vault, wired_bus
from tests.faces.conftest import ROOT, Served


class Apart:
    """One such process."""

    def __init__(self, dsn: str, home: Path, now: datetime) -> None:
        self._arguments = (dsn, str(home), now.isoformat(), str(os.getpid()))

    async def start(self) -> str:
        """Its address, once it answers there."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faces.apart", *self._arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    async def kill(self) -> None:
        """At once, wherever it stands."""
        self._process.kill()
        await self._process.wait()


async def _serve(dsn: str, home: Path) -> None:
    database = Database(dsn, vault=vault(), bus=wired_bus(), pool_size=6)
    app = create_app(
        Settings(environment="development", database_url=dsn, data_dir=home, master_key=MASTER_KEY), database
    )
    app.state.gate = Gate(database, sheds=False)  # a slow machine is not what is tested here
    async with Served(app) as served:
        print(served.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    die_with_parent(signal.SIGKILL, int(sys.argv[4]))
    with clock.hold(datetime.fromisoformat(sys.argv[3])):
        asyncio.run(_serve(sys.argv[1], Path(sys.argv[2])))
