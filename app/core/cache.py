"""A small per-process cache for rows that people change a few times a year: items, prices, policies.

Never for anything a decision about one person or one order depends on.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")

MAX_ENTRIES = 10_000


class Cache:
    """Values live `ttl_s` seconds of real time; a full cache starts afresh."""

    def __init__(self, ttl_s: float = 15.0) -> None:
        self._ttl_s = ttl_s
        self._values: dict[Any, tuple[float, Any]] = {}

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

    def clear(self) -> None:
        self._values.clear()
