"""The porch: where a contact waits while the database does not answer.

WeChat asks three times within fifteen seconds and then gives a message up; "stored" must be true when we say so, and
we have to say it within a second. So an arrival is stored in the database if that answers in time, and otherwise in a
sealed file of its own, on disk before anything is acknowledged. Every web process carries in what lies on the porch,
whoever put it there. The file is called after the arrival's natural key and the database has the same key: copies
share one file, and whatever is killed or carried in twice, the contact is stored once.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import asyncpg

from app.core import clock, log
from app.core.crypto import SealBroken, Vault
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.json import dumps, loads
from app.core.sqlstate import as_unavailable
from app.intake import contacts
from app.intake.contacts import Arrival

PATIENCE_S = 0.35
LOOK_EVERY_S = 1.0
MOST_LATE = 20
"""So many answers of the database may be overdue before it is not asked any more."""
_FIELD = "porch.arrival"
_UNREADABLE = ".unreadable"
_log = log.get("porch")


class Porch:
    """One per process, over a directory that all processes of this deployment share and that outlives them."""

    def __init__(self, database: Database, directory: Path, patience_s: float = PATIENCE_S) -> None:
        self._database, self._directory, self._patience_s = database, directory, patience_s
        self._late: set[asyncio.Task[None]] = set()
        self._put = asyncio.Event()

    async def take(self, arrival: Arrival, job: str) -> None:
        """Store the arrival for good, here or there; `job` is done with it once it is in the database.

        Raises Unavailable when neither takes it: then nothing may be acknowledged.
        """
        if len(self._late) < MOST_LATE and await self._stored_in_time(arrival, job):
            return
        try:
            await asyncio.to_thread(self._keep, replace(arrival, at=arrival.at or clock.now()), job)
        except OSError as failure:
            raise Unavailable("porch_full", "neither the database nor the disk takes this") from failure
        self._put.set()

    async def carry_in(self) -> int:
        """Store what lies on the porch, oldest first; returns how many files are gone. Fails while the database is
        away, with whatever it fails with."""
        gone = 0
        for name in await asyncio.to_thread(self._waiting):
            try:
                arrival, job = await asyncio.to_thread(self._opened, name)
            except FileNotFoundError:
                continue
            except (SealBroken, ValueError, TypeError, KeyError):
                # A person has to look; the others shall not wait for that.
                _log.error("porch_unreadable", file=name)
                with suppress(FileNotFoundError):
                    (self._directory / name).rename(self._directory / f"{name}{_UNREADABLE}")
                continue
            await self._store(arrival, job)
            await asyncio.to_thread((self._directory / name).unlink, missing_ok=True)
            gone += 1
        return gone

    async def run(self) -> None:
        """Carry in, again and again, until cancelled."""
        while True:
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

    async def _stored_in_time(self, arrival: Arrival, job: str) -> bool:
        """False when the database is away or has not answered yet.

        A statement under way is left alone: calling it off means waiting for the very server that does not answer.
        """
        storing = asyncio.create_task(self._store(arrival, job))
        await asyncio.wait({storing}, timeout=self._patience_s)
        if not storing.done():
            self._late.add(storing)
            storing.add_done_callback(self._no_longer_late)
            return False
        failure = storing.exception()
        if failure is None:
            return True
        if not _is_outage(failure):
            raise failure
        return False

    async def _store(self, arrival: Arrival, job: str) -> None:
        async with self._database.transaction() as tx:
            await contacts.receive(tx, arrival, job=job)

    def _no_longer_late(self, storing: asyncio.Task[None]) -> None:
        self._late.discard(storing)
        if not storing.cancelled() and (failure := storing.exception()) is not None:
            _log.warning("porch_late_failure", error=log.describe(failure))

    def _keep(self, arrival: Arrival, job: str) -> None:
        name = _name(self._database.vault, arrival)
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
                found = [(entry.stat().st_mtime_ns, entry.name) for entry in entries if "." not in entry.name]
        except FileNotFoundError:  # nothing was ever put here, or somebody else has just carried one in
            return []
        return [name for _, name in sorted(found)]

    def _opened(self, name: str) -> tuple[Arrival, str]:
        facts = loads(self._database.vault.open(_FIELD, name, (self._directory / name).read_bytes()))
        job = facts.pop("job")
        facts |= {"raw": facts["raw"].encode("latin-1"), "at": datetime.fromisoformat(facts["at"])}
        return Arrival(**facts), job


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
