"""Answers that stay open: so many for one asker, each given back however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.core.errors import TooMany
from app.core.live import LiveResponse, Places

SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}}


async def forever(ended: list[str]) -> AsyncGenerator[str]:
    try:
        while True:
            yield ":\n\n"
            await asyncio.sleep(0.01)
    finally:
        ended.append("ended")


async def never() -> Any:
    await asyncio.Event().wait()


async def test_who_stops_reading_is_let_go_and_gives_the_place_back() -> None:
    places, ended = Places(1), list[str]()
    sent = 0

    async def send(message: Any) -> None:
        nonlocal sent
        sent += 1
        if sent > 3:
            await never()

    answer = asyncio.create_task(LiveResponse(forever(ended), places, "a", patience_s=0.2)(SCOPE, never, send))
    await asyncio.sleep(0.1)
    with pytest.raises(TooMany) as refused:
        places.check("a")
    assert refused.value.retry_after_s > 0
    places.check("b")
    with pytest.raises((ConnectionAbortedError, ExceptionGroup)):
        await asyncio.wait_for(answer, 2)
    places.check("a")
    assert (ended, len(places.held)) == (["ended"], 0)


async def test_who_goes_gives_the_place_back() -> None:
    places, ended, gone = Places(1), list[str](), asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        return None

    answer = asyncio.create_task(LiveResponse(forever(ended), places, "a")(SCOPE, receive, send))
    await asyncio.sleep(0.05)
    assert places.held["a"] == 1
    gone.set()
    await asyncio.wait_for(answer, 2)
    assert (ended, len(places.held)) == (["ended"], 0)
