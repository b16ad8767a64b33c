"""Minutes by road for a handful of ways, where a map can be asked: from the cache, else within a moment, else not.

Never inside a transaction, never for longer than `BUDGET_S`: who asks gets what is there by then, and what comes later
serves whoever asks next. The map is told the middle of a square of some 150 metres, not anybody's door.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from prometheus_client import Counter

from app.core import clock, log
from app.core.db import Database, Tx
from app.core.geo import geohash, geohash_centre
from app.matching import queries_maps as queries

Point = tuple[float, float]
"""(lng, lat) in WGS-84."""

BUDGET_S = 0.3
CELL = 7
"""Letters of a geohash: squares of some 150 metres."""
KEPT = timedelta(days=7)
AT_ONCE = 4
"""Questions on their way; beyond that nobody waits and nobody is asked."""

ANSWERS = Counter("nuanxian_map_ways_total", "Ways that a map was wanted for, by what became of them", ["outcome"])


class NoAnswer(Exception):
    """The map gave none. `outcome` is a short word for the metrics."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class RoadMap(Protocol):
    """A map that can be asked."""

    def knows(self, mode: str) -> bool:
        """Whether it has an answer for this way of travelling."""
        ...

    async def seconds(self, origins: Sequence[Point], destination: Point, mode: str) -> list[int | None]:
        """From each origin to the destination by road; None where there is no way. Raises NoAnswer."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a finalist comes from and how."""

    caregiver_id: UUID
    place: Point
    mode: str


class RoadTimes:
    """What a web process knows of roads. Without a map, nothing."""

    def __init__(self, database: Database, road_map: RoadMap | None, *, budget_s: float = BUDGET_S) -> None:
        self._database, self._map, self._budget_s = database, road_map, budget_s
        self._asking: set[asyncio.Task[None]] = set()

    async def minutes(self, origins: Sequence[Origin], destination: Point, band: str) -> dict[UUID, int]:
        """Whole minutes by caregiver, for those it has an answer for within the budget. Raises nothing."""
        asked = [one for one in origins if self._map is not None and self._map.knows(one.mode)]
        if not asked:
            return {}
        try:
            async with asyncio.timeout(self._budget_s):
                return await self._answered(asked, destination, band)
        except TimeoutError:
            ANSWERS.labels("late").inc(len(asked))
        except Exception as failure:
            log.get("matching").warning("road_times_failed", error=log.describe(failure))
        return {}

    async def close(self) -> None:
        """Leave what is still on its way."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        if self._map is not None:
            await self._map.close()

    async def _answered(self, asked: Sequence[Origin], destination: Point, band: str) -> dict[UUID, int]:
        to = geohash(*destination, CELL)
        cells = {one.caregiver_id: (geohash(*one.place, CELL), one.mode) for one in asked}
        known = await self._cached(set(cells.values()), to, band)
        missing = sorted(set(cells.values()) - set(known))
        ANSWERS.labels("cached").inc(len(known))
        if missing and len(self._asking) < AT_ONCE:
            task = asyncio.create_task(self._ask(missing, to, band, known))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            # Leave a third of the budget for whatever else has to happen; the question goes on without us.
            await asyncio.wait([task], timeout=self._budget_s * 2 / 3)
        return {one: max(1, round(known[cell] / 60)) for one, cell in cells.items() if cell in known}

    async def _cached(self, cells: set[tuple[str, str]], to: str, band: str) -> dict[tuple[str, str], int]:
        async with self._database.statements() as tx:
            return await queries.known(tx, sorted(cells), to, band, clock.now())

    async def _ask(
        self, cells: Sequence[tuple[str, str]], to: str, band: str, known: dict[tuple[str, str], int]
    ) -> None:
        """Ask for what is missing, tell `known`, then keep it."""
        by_mode: dict[str, list[str]] = defaultdict(list)
        for cell, mode in cells:
            by_mode[mode].append(cell)
        fresh: dict[tuple[str, str], int] = {}
        for mode, origins in sorted(by_mode.items()):
            fresh.update(await self._of_mode(origins, to, mode))
        known.update(fresh)
        try:
            async with self._database.transaction() as tx:
                await queries.keep(tx, fresh, to, band, clock.now() + KEPT)
        except Exception as failure:  # an answer that cannot be kept was an answer all the same
            log.get("matching").warning("road_times_not_kept", error=log.describe(failure))

    async def _of_mode(self, origins: Sequence[str], to: str, mode: str) -> Mapping[tuple[str, str], int]:
        assert self._map is not None  # noqa: S101 (minutes() has seen to it)
        try:
            found = await self._map.seconds([geohash_centre(one) for one in origins], geohash_centre(to), mode)
        except NoAnswer as refusal:
            ANSWERS.labels(refusal.outcome).inc(len(origins))
            return {}
        answered = {(o, mode): seconds for o, seconds in zip(origins, found, strict=True) if seconds is not None}
        ANSWERS.labels("answered").inc(len(answered))
        ANSWERS.labels("no_way").inc(len(origins) - len(answered))
        return answered


async def forget_ways(tx: Tx) -> int:
    """Drop what the map said too long ago."""
    return await queries.forget(tx, clock.now())
