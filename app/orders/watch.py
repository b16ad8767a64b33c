"""Who has an order's page open is told when the order changes: one look per process for all of them.

The look asks for the versions of exactly those orders somebody watches, by primary key. So its cost grows with the
open pages and not with the city's orders, nothing is missed that happened in another process or while the database
was away, and a reader asks the database nothing at all.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from uuid import UUID

from app.core import log
from app.core.db import Database
from app.orders import queries_reading

INTERVAL_S, LONGEST_S = 0.5, 10.0
"""How late the news may be: on an idle machine, and on a busy one."""
IDLE_SHARE = 10
"""Looks may take a tenth of the time."""
AT_ONCE = 500
"""Orders asked for in one statement."""


class OrderWatch:
    """Nobody looks while nobody watches."""

    def __init__(self, database: Database, interval_s: float = INTERVAL_S) -> None:
        self._database, self._interval_s = database, interval_s
        self._watchers: Counter[UUID] = Counter()
        self._versions: dict[UUID, int] = {}
        self._news: dict[UUID, asyncio.Event] = {}
        self._looking: asyncio.Task[None] | None = None

    async def follow(
        self, order_id: UUID, version: int, seconds: float, heartbeat_s: float
    ) -> AsyncGenerator[int | None]:
        """Versions after `version` as they come, for so many seconds; None now and then as a heartbeat."""
        until = time.monotonic() + seconds
        self._watchers[order_id] += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_again_and_again())
        try:
            while (left := until - time.monotonic()) > 0:
                news = self._news.setdefault(order_id, asyncio.Event())
                if (newest := self._versions.get(order_id, version)) > version:
                    yield (version := newest)
                    continue
                try:
                    await asyncio.wait_for(news.wait(), min(left, heartbeat_s))
                except TimeoutError:
                    yield None
        finally:
            self._leave(order_id)

    @property
    def watched(self) -> int:
        """How many orders somebody watches."""
        return len(self._watchers)

    def _leave(self, order_id: UUID) -> None:
        self._watchers[order_id] -= 1
        if not self._watchers[order_id]:
            for kept in (self._watchers, self._versions, self._news):
                kept.pop(order_id, None)

    async def _look_again_and_again(self) -> None:
        while self._watchers:
            began = time.monotonic()
            try:
                await self._look()
            except Exception as away:
                log.get("orders").warning("order_watch_failed", error=type(away).__name__)
            look_s = time.monotonic() - began
            await asyncio.sleep(max(self._interval_s, min(LONGEST_S, look_s * IDLE_SHARE)))

    async def _look(self) -> None:
        wanted = list(self._watchers)
        for start in range(0, len(wanted), AT_ONCE):
            async with self._database.transaction() as tx:
                found = await queries_reading.versions(tx, wanted[start : start + AT_ONCE])
            for order_id, version in found.items():
                self._heard(order_id, version)

    def _heard(self, order_id: UUID, version: int) -> None:
        if order_id not in self._watchers or self._versions.get(order_id) == version:
            return
        self._versions[order_id] = version
        if (news := self._news.pop(order_id, None)) is not None:
            news.set()
