"""One path of the service as an outside process sees it: every post signed, and repeated until it is answered for
good. For the processes that stand between other protocols and the service: `bridge` and `gateway`."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import httpx

from app.accounts import signing
from app.core import clock, log
from app.core.json import dumps

FINAL = frozenset({400, 413, 422})
"""Refusals of what was sent: sending it again changes nothing. Every other refusal may be mended meanwhile."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0


class SignedDoor:
    """`path` below the client's base address; `key` is (app key, secret)."""

    def __init__(self, client: httpx.AsyncClient, key: tuple[str, str], path: str) -> None:
        self._client = client
        self._key = key
        self._path = path

    async def until_answered(self, body: Any, **about: Any) -> httpx.Response:
        """Post as JSON, again and again with growing pauses, until it is taken or refused for good. `about` goes
        into the log, and names nobody."""
        content, pause = dumps(body).encode(), FIRST_PAUSE_S
        while True:
            answer = await self._post(content)
            if answer is not None and (answer.is_success or answer.status_code in FINAL):
                return answer
            why = "no answer" if answer is None else str(answer.status_code)
            log.get("channels").warning("service_away", why=why, path=self._path, **about)
            await asyncio.sleep(_pause(answer, pause))
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _post(self, content: bytes) -> httpx.Response | None:
        headers = signing.sign(
            self._key[1],
            "POST",
            self._client.base_url.path.rstrip("/") + self._path,
            "",
            content,
            int(clock.now().timestamp()),
            secrets.token_urlsafe(18),
            key=self._key[0],
        )
        headers["Content-Type"] = "application/json"
        try:
            return await self._client.post(self._path, content=content, headers=headers)
        except httpx.HTTPError:
            return None


def _pause(answer: httpx.Response | None, otherwise: float) -> float:
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(LONGEST_PAUSE_S, float(asked)) if asked.isdecimal() else otherwise
