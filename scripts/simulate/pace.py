"""The service's own clock, seen from outside: every time-stamp and every pause of the simulation follows it."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone

import httpx

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
LONG_ENOUGH_S = 3.0


class Pace:
    """The service says `now` in /readyz. Its rate is known, or comes from two readings far enough apart."""

    def __init__(self, read_at: float, now: datetime, rate: float) -> None:
        self._first = self._last = (read_at, now)
        self.rate = rate

    @classmethod
    async def of(cls, http: httpx.AsyncClient, base_url: str, rate: float | None = None) -> Pace:
        """Ask the service once when the rate is known, else twice."""
        pace = cls(*await _ask(http, base_url), rate or 1.0)
        if rate is None:
            await asyncio.sleep(LONG_ENOUGH_S)
            await pace.read_again(http, base_url)
        return pace

    async def read_again(self, http: httpx.AsyncClient, base_url: str) -> None:
        """Set the clock; the longer ago the first reading, the better the rate is known."""
        self._last = await _ask(http, base_url)
        elapsed = self._last[0] - self._first[0]
        if elapsed >= LONG_ENOUGH_S:
            measured = (self._last[1] - self._first[1]).total_seconds() / elapsed
            self.rate = 1.0 if measured < 1.05 else measured

    def now(self) -> datetime:
        """The service's present instant, UTC."""
        read_at, now = self._last
        return now + timedelta(seconds=(time.monotonic() - read_at) * self.rate)

    def local(self) -> datetime:
        return self.now().astimezone(SHANGHAI)

    async def until(self, at: datetime) -> None:
        """Sleep until the service's clock shows `at`."""
        await asyncio.sleep(max((at - self.now()).total_seconds() / self.rate, 0))

    async def pause(self, minutes: float) -> None:
        """Sleep so many minutes of the service's clock, at least a moment of the real one."""
        await asyncio.sleep(max(minutes * 60 / self.rate, 0.01))


async def _ask(http: httpx.AsyncClient, base_url: str) -> tuple[float, datetime]:
    before = time.monotonic()
    answer = await http.get(f"{base_url}/readyz")
    after = time.monotonic()
    return (before + after) / 2, datetime.fromisoformat(answer.json()["now"])
