"""The service that is going to be killed: started, found process by process, killed, waited for."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from app.core.db import Database
from app.serving import cluster, databases, postgres
from app.serving.privileges import die_with_parent
from tests.conftest import MASTER_KEY, vault

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("web", "worker", "backend", "postmaster", "everything")
PREFIX = "nuanxian-chaos-"
PATIENCE_S = 60.0


class Victim:
    """One service on one data directory, with a durable PostgreSQL of its own on disk."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "serve.log"
        self.supervisor = 0
        self.port = _free_port()
        self._warm: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def dsn(self) -> str:
        """Address of the service's database; the server is joined, never started from here."""
        noted = cluster.read_postmaster(self.home / "postgres")
        assert noted is not None, "the database server is not running"
        server = postgres.Server(self.home / "postgres", None, noted.socket_directory, started_here=False)  # type: ignore[arg-type]
        return server.dsn(databases.DATABASE)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The product's own pool on the service's database."""
        database = Database(self.dsn, vault=vault(), pool_size=2)
        try:
            yield database
        finally:
            await database.close()

    async def warm_up(self) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("NUANXIAN_") and k != "DATABASE_URL"}
        own = {"NUANXIAN_MASTER_KEY": MASTER_KEY, "NUANXIAN_LOG_LEVEL": "WARNING", "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["--data-dir", str(self.home), "--port", str(self.port), "--no-demo"]
        parent = os.getpid()
        self._warm = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.chaos.warm_service", str(self.log), *options,
            cwd=ROOT, env=kept | own, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),
        )  # fmt: skip
        assert await self._heard() == ["warm"]

    async def start(self) -> None:
        """Start the service on what is there, and wait until it says that it is ready.

        Before that its supervisor takes repeated deaths for a fault of the installation, and gives up.
        """
        assert self._warm is not None
        before = self._announcements()
        assert self._warm.stdin is not None
        self._warm.stdin.write(b"\n")
        word, pid = await self._heard()
        assert word == "started"
        self.supervisor = int(pid)

        async def announced() -> bool:
            return await self.ready() and self._announcements() > before

        await self.until(announced)

    async def stop(self) -> None:
        """Let the service end as an operator would."""
        os.kill(self.supervisor, signal.SIGTERM)
        assert await self._heard() == ["ended", "0"], self.last_words()

    async def end(self) -> None:
        """End everything that was started here; what would not end otherwise, by force."""
        if self._warm is None or self._warm.stdin is None:
            return
        family = self.pids()
        self._warm.stdin.close()
        if self.supervisor and _alive(self.supervisor):
            with suppress(ProcessLookupError):
                os.kill(self.supervisor, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._warm.wait(), 30)
        except TimeoutError:
            for pid in [*family, self._warm.pid]:
                _kill(pid)
            await self._warm.wait()

    def pids(self) -> list[int]:
        """Every process of the service: supervisor, web, worker, database."""
        children = _children(self.supervisor)
        server = self.postmaster()
        return [self.supervisor, *children, *([server] if server not in children else []), *_children(server)]

    def child(self, name: str) -> int:
        """Process id of `web` or `worker`; 0 when there is none just now."""
        return next((pid for pid in _children(self.supervisor) if _name(pid) == name), 0)

    def postmaster(self) -> int:
        noted = cluster.read_postmaster(self.home / "postgres")
        return noted.pid if noted is not None and _alive(noted.pid) else 0

    def backends(self) -> list[int]:
        """The server's processes that serve our own connections."""
        return [pid for pid in _children(self.postmaster()) if f" {databases.DATABASE} [local]" in _command(pid)]

    async def kill(self, kind: str, chance: random.Random) -> int:
        """kill -9. Returns how many processes were hit; starts the service again if its supervisor is among them."""
        if kind == "everything":
            family = self.pids()
            chance.shuffle(family)
        elif kind == "database":
            family = [self.postmaster(), *_children(self.postmaster())]
        elif kind == "postmaster":
            family = [self.postmaster()]
        elif kind == "backend":
            found = self.backends()
            family = [chance.choice(found)] if found else []
        else:
            family = [self.child(kind)]
        hit = sum([_kill(pid) for pid in family])
        if kind == "everything":
            assert await self._heard() == ["ended", "-9"], self.last_words()
            await self.start()
        return hit

    async def ready(self) -> bool:
        assert self._warm is not None
        assert self._warm.returncode is None, self.last_words()
        assert self.supervisor == 0 or _alive(self.supervisor), self.last_words()
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                return (await client.get(f"{self.url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def until(self, condition: Callable[[], Awaitable[bool]], patience_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while not await condition():
            assert time.monotonic() < deadline, "the service does not come back:\n" + self.last_words()
            await asyncio.sleep(0.05)

    def last_words(self) -> str:
        """The ends of the logs, for a person who has to find out what happened."""
        found = []
        for log in (self.log, *sorted((self.home / "log").glob("*.log"))):
            if log.exists():
                found.append(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")
        return "\n".join(found)

    def _announcements(self) -> int:
        return self.log.read_text(errors="replace").count("is running: ") if self.log.exists() else 0

    async def _heard(self) -> list[str]:
        assert self._warm is not None
        assert self._warm.stdout is not None
        line = await asyncio.wait_for(self._warm.stdout.readline(), PATIENCE_S)
        return line.decode().split()


@asynccontextmanager
async def victim() -> AsyncIterator[Victim]:
    """A service, not started yet, on a directory that is gone afterwards."""
    _sweep_leftovers()
    service = Victim(Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")))
    try:
        await service.warm_up()
        yield service
    finally:
        await service.end()
        shutil.rmtree(service.home, ignore_errors=True)


def _sweep_leftovers() -> None:
    """Remove what killed test runs left; their processes died with them."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _free_port() -> int:
    """A port no outgoing connection is given: a client that knocks at a dead service must not meet itself."""
    for port in random.sample(range(20_000, 30_000), 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def _kill(pid: int) -> bool:
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return bool(pid)


def _alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] if pid else []
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
