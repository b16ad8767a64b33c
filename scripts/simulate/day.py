"""Everybody together: the day, the mornings after, the end of the month."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from scripts.simulate.callers import Callers
from scripts.simulate.characters import CHARACTERS
from scripts.simulate.closing import Closing
from scripts.simulate.companies import Company
from scripts.simulate.desk import Desk
from scripts.simulate.doors import Doors, Staff
from scripts.simulate.facts import Facts, gather
from scripts.simulate.families import Families
from scripts.simulate.notebook import Notebook
from scripts.simulate.progress import Progress


@dataclass(slots=True)
class City:
    """All actors, with one notebook."""

    doors: Doors
    credentials: dict[str, Any]
    outbox: Path
    draw: Random
    book: Notebook = field(default_factory=Notebook)
    companies: list[Company] = field(init=False)
    families: Families = field(init=False)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        providers = zip(self.credentials["providers"], CHARACTERS, strict=True)
        self.companies = [
            Company(self.doors, known, character, Random(self.draw.random()), self.book)
            for known, character in providers
        ]
        self.families = Families(self.doors, self.outbox, self.credentials["families"], self.book)
        self.desk = Desk(self.doors, self._all("operator"), self._one("supervisor"), self.book, self._chance())

    async def day(self, orders: int, until: datetime) -> None:
        """Callers call, the desk works, providers come and go, until the evening."""
        elders = await self._one("operator").pages("/v1/elders")
        callers = Callers(
            self.doors, self._all("operator"), self.credentials, self.families, elders, self.book, self._chance()
        )
        begin = self.doors.pace.now()
        # The last callers still get their help before the shifts end.
        async with Progress(lambda: self._state(begin, until)):
            await self._live(until, callers.run(orders, begin + (until - begin) * 0.8))
        await self.desk.close_the_day(self.doors.pace.now() - self.doors.pace.patience(30))

    async def morning_after(self, length: timedelta) -> None:
        """Follow-up calls and what the evening left over."""
        until = self.doors.pace.now() + length
        await self._live(until, asyncio.sleep(0))
        await self.desk.close_the_day(self.doors.pace.now())
        for turn in (self.desk.supervision, self.desk.followups, self.desk.supervision):
            await self.desk.guarded(turn)

    async def close(self, period: str, *, early: bool) -> Facts:
        """Settle the month and read what the audit needs."""
        closing = Closing(
            self._one("settlement_clerk"), self._one("finance_approver"), self.companies, self.book, self._chance()
        )
        run_id = await closing.run(period, early=early)
        for company in self.companies:
            while await company.follow():
                pass
        auditor = self._one("auditor")
        return await gather(self._one("operator"), self._one("supervisor"), auditor, self.companies, self.book, run_id)

    async def _live(self, until: datetime, calls: Any) -> None:
        """Run everybody until the clock shows `until` and the visits that have begun are over."""
        done = asyncio.Event()
        actors = [asyncio.create_task(company.run(done)) for company in self.companies]
        actors += [asyncio.create_task(self.desk.run(done)), asyncio.create_task(self._families(done))]
        await calls
        await self.doors.pace.until(until)
        await asyncio.gather(*(company.finish() for company in self.companies))
        done.set()
        for outcome in await asyncio.gather(*actors, return_exceptions=True):
            if isinstance(outcome, BaseException):
                self.book.failures.append(f"an actor ended early: {type(outcome).__name__} {outcome}")

    async def _families(self, done: asyncio.Event) -> None:
        while not done.is_set():
            await self.families.rate(self.draw)
            await self.doors.pace.pause(15)

    def _state(self, begin: datetime, until: datetime) -> tuple[float, str]:
        now = self.doors.pace.now()
        acts = self.book.acts
        words = (
            f"{self.doors.pace.local():%H:%M}  wishes {len(self.book.wishes)}  accepted {acts['offer accepted']}  "
            f"calls back {acts['follow-up call']}  failures {len(self.book.failures)}"
        )
        return (now - begin) / (until - begin), words

    def _all(self, role: str) -> list[Staff]:
        return [Staff(self.doors, account) for account in self.credentials["staff"] if account["role"] == role]

    def _one(self, role: str) -> Staff:
        return self._all(role)[0]

    def _chance(self) -> Random:
        return Random(self.draw.random())
