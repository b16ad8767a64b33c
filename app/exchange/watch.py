"""Waking long polls: one look at the feed per process, however many providers wait."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

from app.core import log
from app.core.db import Database
from app.jobs import feed

INTERVAL_S, LONGEST_S = 0.25, 1.0
"""How late news may be: on an idle machine, and on a busy one."""
IDLE_SHARE = 20
"""A look may take a twentieth of the time. Every look wakes each provider with news, and a woken reader costs five
statements; so when looking takes long, the machine is busy, and news are better told together."""


def pause_after(look_s: float) -> float:
    """Seconds until the next look, when the last one took `look_s`."""
    return min(LONGEST_S, max(INTERVAL_S, look_s * IDLE_SHARE))


class FeedWatch:
    """Readers take a ticket, read, and wait for the ticket to be called; so nothing falls between."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calls: dict[str, int] = defaultdict(int)
        self._woken: dict[str, asyncio.Event] = {}
        self._waiting = 0
        self._anyone = asyncio.Event()

    def ticket(self, audience: str) -> int:
        return self._calls[audience]

    async def wait(self, audience: str, ticket: int, timeout_s: float) -> bool:
        """True when something new may be there; False after `timeout_s`."""
        if self._calls[audience] != ticket:
            return True
        event = self._woken.setdefault(audience, asyncio.Event())
        self._waiting += 1
        self._anyone.set()
        try:
            await asyncio.wait_for(event.wait(), timeout_s)
            return True
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._anyone.clear()

    async def run(self) -> None:
        """Look again and again while anybody waits; a database that is away is looked for again."""
        since = 0
        while True:
            await self._anyone.wait()
            began = time.monotonic()
            try:
                async with self._database.transaction() as tx:
                    until = await feed.fence(tx)
                    fresh = await feed.fresh_audiences(tx, since) if since else set(self._woken)
                since = until
                self._wake(fresh)
            except asyncio.CancelledError:
                raise
            except Exception as away:
                log.get("feed").warning("feed_watch_failed", error=type(away).__name__)
                await asyncio.sleep(1)
            await asyncio.sleep(pause_after(time.monotonic() - began))

    def _wake(self, audiences: set[str]) -> None:
        for audience in audiences:
            self._calls[audience] += 1
            event = self._woken.pop(audience, None)
            if event is not None:
                event.set()
