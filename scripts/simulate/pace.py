"""The service's own clock, seen from outside: every time-stamp and every pause of the simulation follows it."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone

import httpx

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
LONG_ENOUGH_S = 3.0
SLOW, HASTE = 20.0, 180.0
"""Where an hour takes an hour (below SLOW), people act as if time ran HASTE times as fast, though it does not."""


class Pace:
    """The service says `now` in /readyz. Its rate is known, or comes from two readings far enough apart."""

    def __init__(self, read_at: float, now: datetime, rate: float) -> None:
        self._first = self._last = (read_at, now)
        self.rate = rate
        self._known = False

    @classmethod
    async def of(cls, http: httpx.AsyncClient, base_url: str, rate: float | None = None) -> Pace:
        """Ask the service once when the rate is known, else twice."""
        before, after, now = await _ask(http, base_url)
        pace = cls((before + after) / 2, now, rate or 1.0)
        pace._known = rate is not None
        if rate is None:
            await asyncio.sleep(LONG_ENOUGH_S)
            await pace.read_again(http, base_url)
        return pace

    async def read_again(self, http: httpx.AsyncClient, base_url: str) -> None:
        """Set the clock; the longer ago the first reading, the better the rate is known.

        A slow answer may have been written at any moment of its way: it only corrects a clock that it contradicts.
        """
        before, after, now = await _ask(http, base_url)
        if self._known and self._at(before) <= now <= self._at(after):
            return
        self._last = ((before + after) / 2, now)
        elapsed = self._last[0] - self._first[0]
        if self._known:
            return
        if elapsed >= LONG_ENOUGH_S:
            measured = (self._last[1] - self._first[1]).total_seconds() / elapsed
            self.rate = 1.0 if measured < 1.05 else measured

    @property
    def rush(self) -> bool:
        """The service's clock is too slow to wait for: nobody waits for windows, and visits are short."""
        return self.rate < SLOW

    def patience(self, minutes: float) -> timedelta:
        """So many minutes of a simulated person's waiting, on the service's clock."""
        return timedelta(minutes=minutes * (self.rate / HASTE if self.rush else 1.0))

    def now(self) -> datetime:
        """The service's present instant, UTC."""
        return self._at(time.monotonic())

    def _at(self, moment: float) -> datetime:
        read_at, now = self._last
        return now + timedelta(seconds=(moment - read_at) * self.rate)

    def local(self) -> datetime:
        return self.now().astimezone(SHANGHAI)

    async def until(self, at: datetime) -> None:
        """Sleep until the service's clock shows `at`."""
        await asyncio.sleep(max((at - self.now()).total_seconds() / self.rate, 0))

    async def pause(self, minutes: float) -> None:
        """Sleep so many minutes of the simulated day, at least a moment of the real one."""
        await asyncio.sleep(max(minutes * 60 / (HASTE if self.rush else self.rate), 0.01))


async def _ask(http: httpx.AsyncClient, base_url: str) -> tuple[float, float, datetime]:
    """When it was asked, when answered, and what the clock showed in between."""
    before = time.monotonic()
    answer = await http.get(f"{base_url}/readyz")
    return before, time.monotonic(), datetime.fromisoformat(answer.json()["now"])
