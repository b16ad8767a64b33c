"""What is known for a while, and what stays known while nobody can be asked."""

from __future__ import annotations

import asyncio
import time

import pytest

from app.core.cache import Cache


class Source:
    """Counts how often it is asked; answers late or not at all if told to."""

    def __init__(self) -> None:
        self.asked, self.late_s, self.broken = 0, 0.0, False

    async def __call__(self) -> int:
        self.asked += 1
        await asyncio.sleep(self.late_s)
        if self.broken:
            raise ConnectionError
        return self.asked


async def test_the_last_known_value_is_the_answer_while_the_source_is_silent() -> None:
    cache, source = Cache(ttl_s=0), Source()
    assert await cache.last_known("k", source, 0.05) == 1
    assert await cache.last_known("k", source, 0.05) == 2
    source.late_s = 0.2
    began = time.monotonic()
    assert [await cache.last_known("k", source, 0.05) for _ in range(3)] == [2, 2, 2]
    assert time.monotonic() - began < 0.15, "only the first waits"
    assert source.asked == 3, "and only one asks"
    await asyncio.sleep(0.3)
    source.late_s, source.broken = 0.0, True
    assert await cache.last_known("k", source, 0.05) == 3, "what came late counts"


async def test_without_a_value_the_failure_is_the_answer() -> None:
    cache, source = Cache(), Source()
    source.broken = True
    with pytest.raises(ConnectionError):
        await cache.last_known("k", source, 0.05)
