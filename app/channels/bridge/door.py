"""Towards the service: signed batches, sent until they are taken."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from itertools import islice

import httpx

from app.accounts import signing
from app.channels.bridge.told import Told
from app.core import clock, log
from app.core.json import dumps

PATH = "/channels/phone/events"
BATCH = 200
WAITING = 20_000
"""Events kept while the service does not answer; beyond this the oldest are let go, and the exchange is asked again
which calls there are."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0


class Door:
    """The service's door for call events. `put` never waits; `work` sends, until it is cancelled."""

    def __init__(self, client: httpx.AsyncClient, key: tuple[str, str], source: str, instance: str) -> None:
        self._client = client
        self._key = key
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
        pause = FIRST_PAUSE_S
        while True:
            answer = await self._post(batch)
            if answer is not None and answer.is_success:
                return
            if answer is not None and answer.status_code in {400, 413, 422}:
                await self._one_by_one(batch)
                return
            why = "no answer" if answer is None else str(answer.status_code)
            log.get("bridge").warning("service_away", why=why, events=len(batch))
            await asyncio.sleep(_pause(answer, pause))
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _one_by_one(self, batch: list[Told]) -> None:
        if len(batch) == 1:
            self.refused += 1
            log.get("bridge").error("event_refused", type=batch[0]["type"])
            return
        for one in batch:
            await self._send([one])

    async def _post(self, batch: list[Told]) -> httpx.Response | None:
        body = dumps({"events": batch}).encode()
        path = self._client.base_url.path.rstrip("/") + PATH
        headers = signing.sign(
            self._key[1],
            "POST",
            path,
            "",
            body,
            int(clock.now().timestamp()),
            secrets.token_urlsafe(18),
            key=self._key[0],
        )
        try:
            return await self._client.post(PATH, content=body, headers=headers | {"Content-Type": "application/json"})
        except httpx.HTTPError:
            return None


def _pause(answer: httpx.Response | None, otherwise: float) -> float:
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(LONGEST_PAUSE_S, float(asked)) if asked.isdecimal() else otherwise
