"""Answers that stay open: patient with a slow reader, not with one who is gone, and so many for one asker."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Hashable
from typing import Any, cast

from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from app.core import log
from app.core.errors import TooMany

STALLED_S = 20.0
"""Whoever takes nothing for so long is not there any more. Until then the server keeps what fits into the connection's
buffers, and no more."""
RETRY_S = 30


class Places:
    """How many streams each asker holds open in this process; `most` for one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held: Counter[Hashable] = Counter()

    def check(self, whose: Hashable) -> None:
        """To be asked last, when nothing is waited for any more before the answer. Raises TooMany."""
        if self.held[whose] >= self._most:
            raise TooMany("too_many_streams", "close one of those that are open", retry_after_s=RETRY_S)

    def enter(self, whose: Hashable) -> None:
        self.held[whose] += 1

    def leave(self, whose: Hashable) -> None:
        self.held[whose] -= 1
        if not self.held[whose]:
            del self.held[whose]


def places(state: Any, name: str, most: int) -> Places:
    """Those of this process under this name, made for the first who asks."""
    if not hasattr(state, name):
        setattr(state, name, Places(most))
    return cast(Places, getattr(state, name))


class LiveResponse(StreamingResponse):
    """Server-sent events. Holds a place of `whose` while it is open, and breaks off when its reader stops reading for
    `patience_s`."""

    def __init__(
        self, events: AsyncGenerator[Any], places: Places, whose: Hashable, patience_s: float = STALLED_S
    ) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._places, self._whose, self._patience_s = places, whose, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._places.enter(self._whose)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.leave(self._whose)

    async def stream_response(self, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(self._patience_s):
                await send(message)

        events = cast(AsyncGenerator[Any], self.body_iterator)
        try:
            await super().stream_response(patiently)
        except TimeoutError:
            log.get("live").warning("stream_stalled")
            raise ConnectionAbortedError("the reader stopped reading") from None
        finally:
            await events.aclose()  # wherever it broke off: nobody listens any more
