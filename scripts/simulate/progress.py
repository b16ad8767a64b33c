"""A bar on a terminal, nothing anywhere else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

WIDTH = 30


class Progress:
    """Draws while `shown` runs; `state` gives the share done and a few words."""

    def __init__(self, state: Callable[[], tuple[float, str]]) -> None:
        self._state = state
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Progress:
        if sys.stderr.isatty():
            self._task = asyncio.create_task(self._draw())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            sys.stderr.write("\r\x1b[K")

    async def _draw(self) -> None:
        while True:
            share, words = self._state()
            full = round(WIDTH * min(1.0, max(0.0, share)))
            sys.stderr.write(f"\r\x1b[K[{'#' * full}{'.' * (WIDTH - full)}] {words}")
            sys.stderr.flush()
            await asyncio.sleep(0.3)
