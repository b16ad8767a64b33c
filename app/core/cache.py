"""A small per-process cache for rows that people change a few times a year: items, prices, policies.

Never for anything a decision about one person or one order depends on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

T = TypeVar("T")

MAX_ENTRIES = 10_000


class Cache:
    """Values live `ttl_s` seconds of real time; a full cache starts afresh."""

    def __init__(self, ttl_s: float = 15.0) -> None:
        self._ttl_s = ttl_s
        self._values: dict[Any, tuple[float, Any]] = {}
        self._loading: dict[Any, asyncio.Task[Any]] = {}

    async def get(self, key: Any, load: Callable[[], Awaitable[T]]) -> T:
        """The cached value of `key`, loaded when absent or old. Failures are not cached."""
        kept = self._values.get(key)
        if kept is not None and kept[0] > time.monotonic():
            return cast(T, kept[1])
        value = await load()
        if len(self._values) >= MAX_ENTRIES:
            self._values.clear()
        self._values[key] = (time.monotonic() + self._ttl_s, value)
        return value

    async def last_known(self, key: Any, load: Callable[[], Awaitable[T]], patience_s: float) -> T:
        """Like `get`; but where the value is old and the new one does not come in time, the old one is the answer.

        For what has to be known while the database is away. One question at a time is asked for each key, and only
        the first who asks it waits.
        """
        kept = self._values.get(key)
        if kept is None or kept[0] > time.monotonic():
            return await self.get(key, load)
        if key not in self._loading:
            loading = self._loading[key] = asyncio.create_task(_loaded(self.get(key, load)))
            loading.add_done_callback(lambda _: self._loading.pop(key))
            await asyncio.wait({loading}, timeout=patience_s)
        return cast(T, self._values.get(key, kept)[1])

    def clear(self) -> None:
        self._values.clear()


async def _loaded(value: Awaitable[object]) -> None:
    """A load that nobody waits for may fail: the next one who asks finds out."""
    with suppress(Exception):
        await value
