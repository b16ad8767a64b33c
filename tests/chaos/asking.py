"""One operation, one key, asked for until it is answered: what the public contract asks of everybody."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import orjson

from tests.chaos.books import Told
from tests.chaos.town import Provider
from tests.world.accounts import signed_headers

LOST = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)
"""No answer, or half of one: nobody knows what became of the request."""


class Asking:
    """Lines to the service, and the patience of those who use them. `told` is what they were promised."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.told = Told()
        self.until = float("inf")
        """When patience ends, in monotonic seconds."""
        self._url, self._chance = url, chance
        self._clients = AsyncExitStack()

    async def hang_up(self) -> None:
        await self._clients.aclose()

    async def line(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self._url, timeout=10, trust_env=False)
        return await self._clients.enter_async_context(client)

    @staticmethod
    def bearer(token: str | None, key: str) -> dict[str, str]:
        proof = {"Authorization": f"Bearer {token}"} if token else {}
        return proof | {"Idempotency-Key": key, "Content-Type": "application/json"}

    async def ask(
        self, line: httpx.AsyncClient, who: str | Provider | None, path: str, content: Any, fine: set[int],
        method: str = "POST",
    ) -> httpx.Response | None:  # fmt: skip
        """One operation, one key, asked for until answered. None when the answer was not one of `fine`.

        `who` is a bearer token, a provider's system, or None for the family, whose link is proof enough.
        """
        key, body = uuid4().hex, orjson.dumps(content)
        if path == "/v1/orders":
            key = content["caller"]["name"]
        while time.monotonic() < self.until:
            if isinstance(who, Provider):
                headers = signed_headers(who.key, who.secret, method, path, body) | {"Idempotency-Key": key}
            else:
                headers = self.bearer(who, key)
            try:
                answer = await line.request(method, path, content=body, headers=headers)
            except LOST as lost:
                self.told.lost[type(lost).__name__] += 1
                await asyncio.sleep(self._chance.uniform(0.02, 0.2))
                continue
            if answer.status_code == 503 and "retry-after" in answer.headers:
                self.told.lost["503"] += 1
                await asyncio.sleep(self._chance.uniform(0.05, 0.3))
                continue
            self.told.acks.append(time.monotonic())
            self.told.replayed += answer.headers.get("idempotency-replayed") == "true"
            if answer.status_code in fine:
                return answer
            self.told.odd.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            return None
        self.told.odd.append(f"{method} {path}: never answered")
        return None
