"""The only way to the service: HTTP, as any outsider. Signing is written anew from the public description.

Every change is sent with an Idempotency-Key and, when the line breaks before the answer, sent again with the same
key until there is one. So whatever the service acknowledged is known here, and nothing else is assumed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import secrets
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import httpx

from scripts.simulate.pace import Pace

TRIES = 60
AGAIN = frozenset({429, 502, 503, 504})
CHANGING = frozenset({"POST", "PUT"})
STALE_STAMP = "timestamp_out_of_window"
LONGEST_PAUSE_S = 5.0


@dataclass(slots=True)
class Tally:
    """How the doors behaved: answers by status, refusals by code, repetitions after a broken line."""

    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    broken: int = 0


class Refused(Exception):
    """The service said no, with a reason. `code` is stable."""

    def __init__(self, status: int, body: dict[str, Any], where: str = "") -> None:
        self.status, self.body = status, body
        self.code = str(body.get("code", status))
        super().__init__(f"{status} {self.code} from {where}")


class Doors:
    """One HTTP client for everybody; who is calling is decided per request."""

    def __init__(self, base_url: str, pace: Pace) -> None:
        self.base_url, self.pace, self.tally = base_url, pace, Tally()
        limits = httpx.Limits(max_connections=80, max_keepalive_connections=40)
        self._http = httpx.AsyncClient(base_url=base_url, timeout=httpx.Timeout(45, connect=5), limits=limits)

    async def close(self) -> None:
        await self._http.aclose()

    async def read_clock(self) -> None:
        """Look at the service's clock again; a broken line leaves it as it was."""
        with suppress(httpx.TransportError):
            await self.pace.read_again(self._http, self.base_url)

    async def send(
        self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None,
        content: bytes | None = None, headers: dict[str, str] | None = None, key: tuple[str, str] | None = None,
        keyed: bool = True,
    ) -> httpx.Response:  # fmt: skip
        """One request until it is answered. `key` is an app key and its secret. Raises Refused."""
        text = urlencode(query, doseq=True) if query else ""
        payload = content if content is not None else b"" if body is None else json.dumps(body).encode()
        fixed = {"Content-Type": "application/json"} if body is not None else {}
        if keyed and method in CHANGING:
            fixed["Idempotency-Key"] = operation_key()
        fixed |= headers or {}

        def sealed() -> tuple[str, bytes, dict[str, str]]:
            return text, payload, fixed | (self.signature(key, method, path, text, payload) if key else {})

        return await self.repeat(method, path, sealed)

    async def repeat(
        self, method: str, path: str, sealed: Callable[[], tuple[str, bytes, dict[str, str]]]
    ) -> httpx.Response:
        """One operation until it is answered. `sealed` gives query, body and headers, stamped anew for every try."""
        for attempt in range(TRIES):
            query, payload, headers = sealed()
            target = path + (f"?{query}" if query else "")
            try:
                answer = await self._http.request(method, target, content=payload, headers=headers)
            except httpx.TransportError:
                self.tally.broken += 1
                await asyncio.sleep(min(0.2 * (attempt + 1), 2))
                continue
            self.tally.statuses[answer.status_code] += 1
            if answer.headers.get("idempotency-replayed"):
                self.tally.repeated += 1
            code = str(_json(answer).get("code", answer.status_code)) if answer.status_code >= 400 else ""
            if answer.status_code == 401 and code == STALE_STAMP:
                # A slow line may carry a stamp past its window, or our clock is off; a new stamp is as good.
                self.tally.codes[f"{code} (again)"] += 1
                await asyncio.sleep(min(0.1 * attempt, 2))
                await self.read_clock()
                continue
            if answer.status_code in AGAIN:
                self.tally.codes[f"{code} (again)"] += 1
                await asyncio.sleep(_pause_s(answer))
                continue
            if code:
                self.tally.codes[code] += 1
                raise Refused(answer.status_code, _json(answer), f"{method} {path}")
            return answer
        raise ConnectionError(f"{method} {path} was never answered")

    def signature(self, key: tuple[str, str], method: str, path: str, query: str, body: bytes) -> dict[str, str]:
        """The four headers of a signed request, by the service's clock."""
        stamp, nonce = str(int(self.pace.now().timestamp())), secrets.token_hex(12)
        pairs = sorted(f"{_encoded(n)}={_encoded(v)}" for n, v in parse_qsl(query, keep_blank_values=True))
        lines = (method, path, "&".join(pairs), stamp, nonce, hashlib.sha256(body).hexdigest())
        mark = hmac.new(key[1].encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        return {"X-App-Key": key[0], "X-Timestamp": stamp, "X-Nonce": nonce, "X-Signature": mark}


class Staff:
    """Somebody at a desk, with a session that is opened again when it has ended."""

    def __init__(self, doors: Doors, account: dict[str, str]) -> None:
        self._doors, self._account = doors, account
        self.username, self.role = account["username"], account["role"]
        self.divisions: tuple[str, ...] = ()
        self._token: str | None = None
        self._signing_in = asyncio.Lock()

    async def sees(self, division: str) -> bool:
        """Whether this division is in the session's scope."""
        await self._session()
        return any(division.startswith(code.rstrip("0")) for code in self.divisions)

    async def get(self, path: str, **query: Any) -> Any:
        return (await self._send("GET", path, query=query)).json()

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self._send("POST", path, body=body, **more)
        return answer.json() if answer.content else None

    async def pages(self, path: str, **query: Any) -> list[Any]:
        return await _all_pages(self.get, path, query)

    async def _send(self, method: str, path: str, *, keyed: bool = True, **more: Any) -> httpx.Response:
        """The key belongs to the operation, not to the session: an earlier try, whose answer was lost, may have been
        the one that counted."""
        fixed = {"Idempotency-Key": operation_key()} if keyed and method in CHANGING else {}
        for last in (False, True):
            token = await self._session()
            headers = fixed | {"Authorization": f"Bearer {token}"}
            try:
                return await self._doors.send(method, path, headers=headers, keyed=False, **more)
            except Refused as refused:
                if refused.status != 401 or last:
                    raise
            if self._token == token:
                self._token = None
        raise AssertionError("unreachable")

    async def _session(self) -> str:
        """The token of this session; opened once, however many of this person's requests wait for it."""
        async with self._signing_in:
            if self._token is None:
                asked = {"username": self.username, "password": self._account["password"]}
                answer = await self._doors.send("POST", "/v1/sessions", body=asked, keyed=False)
                self._token, self.divisions = answer.json()["token"], tuple(answer.json()["divisions"])
            return str(self._token)


@dataclass(slots=True)
class Keyed:
    """An outside system with an app key."""

    doors: Doors
    key: tuple[str, str]

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.doors.send("GET", path, query=query, key=self.key)
        return answer.json() if answer.status_code == 200 else None

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.doors.send("POST", path, body=body, key=self.key, **more)
        return answer.json() if answer.content else None

    async def put(self, path: str, body: Any) -> Any:
        return (await self.doors.send("PUT", path, body=body, key=self.key)).json()

    async def pages(self, path: str, **query: Any) -> list[Any]:
        return await _all_pages(self.get, path, query)


def operation_key() -> str:
    """Names one operation, over all its tries."""
    return str(uuid.uuid4())


def _pause_s(answer: httpx.Response) -> float:
    """As long as the service asked for, and not everybody at the same moment."""
    asked = answer.headers.get("retry-after", "")
    return min(float(asked) if asked.isdigit() else 0.2, LONGEST_PAUSE_S) * random.uniform(1, 1.5)


async def _all_pages(get: Callable[..., Awaitable[Any]], path: str, query: dict[str, Any]) -> list[Any]:
    """All items of a list."""
    found: list[Any] = []
    cursor = None
    while True:
        page = await get(path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")
