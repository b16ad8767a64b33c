"""The porch: where a contact waits while the database does not answer.

WeChat asks three times within fifteen seconds and then gives a message up; "stored" must be true when we say so, and
we have to say it within a second; makers of SOS buttons ask as seldom, and give an alarm up. So an arrival is stored in
the database if that answers in time, and otherwise in a sealed file of its own, on disk before it is acknowledged.
Every web process carries in what lies on the porch, whoever put it there. The file is called after the natural key of
the arrival and the database has the same key: copies share one file, and whatever is killed or carried in twice is
stored once.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from app.accounts import guard
from app.channels import device_messages
from app.channels.vendors import makers
from app.channels.wechat import accounts
from app.core import clock, log
from app.core.crypto import SealBroken, Vault
from app.core.db import Database, Tx
from app.core.errors import Unavailable
from app.core.http import repeat_lost_races
from app.core.json import dumps, loads
from app.core.sqlstate import as_unavailable
from app.intake import contacts
from app.intake.contacts import Arrival

PATIENCE_S = 0.35
ALARM_PATIENCE_S = 2.0
"""An alarm that is taken in at once is at the desk at once; makers' platforms wait for some seconds."""
LOOK_EVERY_S = 1.0
MOST_LATE = 20
"""So many answers of the database may be overdue before it is not asked any more."""
_FIELD = "porch.arrival"
_UNREADABLE = ".unreadable"
_FIRST = "alarm-"
"""So begins the name of a file that is carried in before all others."""
AT_ONCE = 20
"""So many files are carried in before it is looked again for what goes first."""
_log = log.get("porch")
T = TypeVar("T")

ALARM = "device alarm"
WAYS_IN: Mapping[str, Callable[[Tx, Arrival], Awaitable[Any]]] = {ALARM: device_messages.carried_in}
"""What is not only stored for a job to come, but dealt with as it is carried in."""
KNOWN: Sequence[Callable[[Database], Awaitable[Any]]] = (accounts.known, makers.known, guard.device_keys)
"""How the doors know who is there: to be asked before the database is away, for a button is pressed seldom."""


class Porch:
    """One per process, over a directory that all processes of this deployment share and that outlives them."""

    def __init__(self, database: Database, directory: Path, patience_s: float = PATIENCE_S) -> None:
        self._database, self._directory, self._patience_s = database, directory, patience_s
        self._late: set[asyncio.Task[Any]] = set()
        self._put = asyncio.Event()

    async def take(self, arrival: Arrival, job: str) -> None:
        """Store the arrival for good, here or there; `job` is done with it once it is in the database.

        Raises Unavailable when neither takes it: then nothing may be acknowledged.
        """
        if await self.in_time(lambda tx: _store(tx, arrival, job), self._patience_s) is None:
            await self.keep([arrival], job)

    async def keep(self, arrivals: Sequence[Arrival], job: str) -> None:
        """Put them down here, on disk when this returns. `job`: a job, or one of `WAYS_IN`. Raises Unavailable."""
        now = clock.now()
        try:
            for one in arrivals:
                await asyncio.to_thread(self._keep, replace(one, at=one.at or now), job)
        except OSError as failure:
            raise Unavailable("porch_full", "neither the database nor the disk takes this") from failure
        self._put.set()

    async def in_time(self, work: Callable[[Tx], Awaitable[T]], patience_s: float) -> T | None:
        """What `work` gives, done in a transaction of its own; None when the database is away or has not answered yet.
        Then it may still get done: it must be work that may be done twice.

        A statement under way is left alone: calling it off means waiting for the very server that does not answer.
        """
        if len(self._late) >= MOST_LATE:
            return None

        async def attempt() -> T:
            async with self._database.transaction() as tx:
                return await work(tx)

        working = asyncio.create_task(repeat_lost_races(attempt))
        await asyncio.wait({working}, timeout=patience_s)
        if not working.done():
            self._late.add(working)
            working.add_done_callback(self._no_longer_late)
            return None
        failure = working.exception()
        if failure is None:
            return working.result()
        if not _is_outage(failure):
            raise failure
        return None

    async def carry_in(self) -> int:
        """Store what lies on the porch, alarms first, then oldest first; returns how many files are gone. Fails while
        the database is away, with whatever it fails with."""
        gone, tried = 0, set[str]()
        while names := [name for name in await asyncio.to_thread(self._waiting) if name not in tried][:AT_ONCE]:
            tried.update(names)
            for name in names:
                gone += await self._brought(name)
        return gone

    async def _brought(self, name: str) -> bool:
        """Whether the file is gone."""
        try:
            arrival, job = await asyncio.to_thread(self._opened, name)
        except FileNotFoundError:
            return False
        except (SealBroken, ValueError, TypeError, KeyError):
            # A person has to look; the others shall not wait for that.
            _log.error("porch_unreadable", file=name)
            with suppress(FileNotFoundError):
                (self._directory / name).rename(self._directory / f"{name}{_UNREADABLE}")
            return False
        if not await self._carried(arrival, job, name):
            return False
        await asyncio.to_thread((self._directory / name).unlink, missing_ok=True)
        return True

    async def run(self) -> None:
        """Carry in, again and again, until cancelled."""
        while True:
            for known in KNOWN:
                with suppress(Exception):
                    await known(self._database)
            try:
                if gone := await self.carry_in():
                    _log.info("porch_emptied", files=gone)
            except Exception as failure:
                _log.warning("porch_waits", error=log.describe(failure))
            self._put.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._put.wait(), LOOK_EVERY_S)
                # The database has just been too slow: give it a moment.
                await asyncio.sleep(LOOK_EVERY_S)

    async def _carried(self, arrival: Arrival, job: str, name: str) -> bool:
        """False for what fails by itself: it stays, and holds up no other. Fails while the database is away."""
        try:
            async with self._database.transaction() as tx:
                await _store(tx, arrival, job)
        except Exception as failure:
            if _is_outage(failure):
                raise
            _log.error("porch_not_taken", file=name, error=log.describe(failure))
            return False
        return True

    def _no_longer_late(self, storing: asyncio.Task[Any]) -> None:
        self._late.discard(storing)
        if not storing.cancelled() and (failure := storing.exception()) is not None:
            _log.warning("porch_late_failure", error=log.describe(failure))

    def _keep(self, arrival: Arrival, job: str) -> None:
        name = (_FIRST if job == ALARM else "") + _name(self._database.vault, arrival)
        facts = asdict(arrival) | {"raw": arrival.raw.decode("latin-1"), "job": job}
        sealed = self._database.vault.seal(_FIELD, name, dumps(facts))
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._directory / f".{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # the first copy counts, as in the database
                os.link(fresh, self._directory / name)
        finally:
            fresh.unlink(missing_ok=True)
        with _opened_directory(self._directory) as descriptor:
            os.fsync(descriptor)

    def _waiting(self) -> list[str]:
        try:
            with os.scandir(self._directory) as entries:
                found = [
                    (not entry.name.startswith(_FIRST), entry.stat().st_mtime_ns, entry.name)
                    for entry in entries
                    if "." not in entry.name
                ]
        except FileNotFoundError:  # nothing was ever put here, or somebody else has just carried one in
            return []
        return [name for *_, name in sorted(found)]

    def _opened(self, name: str) -> tuple[Arrival, str]:
        facts = loads(self._database.vault.open(_FIELD, name, (self._directory / name).read_bytes()))
        job = facts.pop("job")
        facts |= {"raw": facts["raw"].encode("latin-1"), "at": datetime.fromisoformat(facts["at"])}
        return Arrival(**facts), job


async def _store(tx: Tx, arrival: Arrival, job: str) -> Any:
    if job in WAYS_IN:
        return await WAYS_IN[job](tx, arrival)
    return await contacts.receive(tx, arrival, job=job)


def _name(vault: Vault, arrival: Arrival) -> str:
    return vault.blind(_FIELD, "\n".join((arrival.channel, arrival.account, arrival.external_id))).hex()


@contextmanager
def _opened_directory(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_outage(failure: BaseException) -> bool:
    refusals = (OSError, Unavailable, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return isinstance(failure, refusals) or as_unavailable(failure) is not None
