"""What is killed, and for how long it is away; and when each step of a ladder was seen to be taken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alarmlab.parts import Laboratory
from app.core import clock
from app.core.db import Database

ROUND = (("broker",), ("gateway", "worker"), ("web",), ("broker", "gateway", "web", "worker"))
AWAY_S = (0.3, 2.0)
LOOKS_S = 0.05
SIGN_OF_LIFE = "SELECT max(last_started_at) FROM periodic_task"
TAKEN = "SELECT incident_id, step, due_at FROM incident_step WHERE taken_at IS NOT NULL"
OPEN = "SELECT count(*) FROM incident_step WHERE taken_at IS NULL"


class Killer:
    """Kills in rounds, spread evenly over what is sent."""

    def __init__(self, laboratory: Laboratory, database: Database, seed: int, rounds: int) -> None:
        self._laboratory, self._database = laboratory, database
        self._strikes = ROUND * rounds
        self._chance = random.Random(seed)
        self.kills = 0
        self.away: list[tuple[datetime, datetime]] = []
        """When there was no worker: from its death until it began its first sweep."""

    async def work(self, progress: Callable[[], float]) -> None:
        """`progress` is how much of everything has been taken, from 0 to 1."""
        for number, victims in enumerate(self._strikes, 1):
            while progress() < number / (len(self._strikes) + 1):  # noqa: ASYNC110 (many small steps)
                await asyncio.sleep(LOOKS_S)
            await self._strike(victims)

    async def _strike(self, victims: tuple[str, ...]) -> None:
        died = clock.now()
        for name in victims:
            self._laboratory.kill(name)
            self.kills += 1
        await asyncio.sleep(self._chance.uniform(*AWAY_S))
        for name in victims:
            self._laboratory.start(name)
        if "web" in victims:
            await self._laboratory.ready()
        if "worker" in victims:
            self.away.append((died, await self._back(died)))

    async def _back(self, since: datetime) -> datetime:
        while True:
            async with self._database.transaction() as tx:
                at: datetime | None = await tx.fetchval(SIGN_OF_LIFE)
            if at is not None and at > since:
                return at
            await asyncio.sleep(0.05)


class Watcher:
    """Notes from outside when a step was seen to be taken: committed, not merely begun."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.seen: dict[tuple[UUID, str], tuple[datetime, datetime]] = {}
        """By incident and step: when it was due, when it was seen."""

    async def work(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(0.1)

    async def look(self) -> int:
        """How many steps are open."""
        async with self._database.transaction() as tx:
            rows: list[Any] = await tx.fetch(TAKEN)
            left: int = await tx.fetchval(OPEN)
        for row in rows:
            self.seen.setdefault((row["incident_id"], row["step"]), (row["due_at"], clock.now()))
        return left

    def late(self, away: list[tuple[datetime, datetime]]) -> tuple[list[timedelta], list[timedelta]]:
        """How late steps were: those taken by the worker that was there when they were due; and, counted from its
        return, those that were due and not taken while there was none."""
        there, missed = [], []
        for due, seen in self.seen.values():
            back = next((end for begin, end in away if due < end and seen > begin), None)
            (there if back is None else missed).append(seen - (back or due))
        return sorted(there), sorted(missed)
