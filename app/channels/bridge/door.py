"""Towards the service: signed batches, sent until they are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice

import httpx

from app.channels.bridge.told import Told
from app.channels.signed_door import SignedDoor
from app.core import log

PATH = "/channels/phone/events"
BATCH = 200
WAITING = 20_000
"""Events kept while the service does not answer; beyond this the oldest are let go, and the exchange is asked again
which calls there are."""


class Door:
    """The service's door for call events. `put` never waits; `work` sends, until it is cancelled."""

    def __init__(self, client: httpx.AsyncClient, key: tuple[str, str], source: str, instance: str) -> None:
        self._door = SignedDoor(client, key, PATH)
        self._about = {"source": source, "source_instance": instance}
        self._waiting: deque[Told] = deque()
        self._sending = 0
        self._news = asyncio.Event()
        self._done = asyncio.Event()
        self._done.set()
        self.let_go = 0
        """Events that were given up since the last reconciliation."""
        self.refused = 0
        """Events the service would not have, however often."""

    def put(self, told: list[Told]) -> None:
        for one in told:
            self._waiting.append(self._about | one)
        while len(self._waiting) > WAITING:
            self._waiting.popleft()
            self._sending = max(0, self._sending - 1)  # what is being sent stands in front
            self.let_go += 1
        if self._waiting:
            self._done.clear()
            self._news.set()

    @property
    def is_empty(self) -> bool:
        """Whether only what was just given waits."""
        return len(self._waiting) <= BATCH

    async def sent(self) -> None:
        """Wait until everything given so far is with the service."""
        await self._done.wait()

    async def work(self) -> None:
        """Send what there is; what the service does not take is sent again, what it refuses is sent one by one."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = list(islice(self._waiting, BATCH))
                self._sending = len(batch)
                await self._send(batch)
                for _ in range(self._sending):
                    self._waiting.popleft()
            self._done.set()

    async def _send(self, batch: list[Told]) -> None:
        answer = await self._door.until_answered({"events": batch}, events=len(batch))
        if not answer.is_success:
            await self._one_by_one(batch)

    async def _one_by_one(self, batch: list[Told]) -> None:
        if len(batch) == 1:
            self.refused += 1
            log.get("bridge").error("event_refused", type=batch[0]["type"])
            return
        for one in batch:
            await self._send([one])
