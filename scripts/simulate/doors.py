"""The only way to the service: HTTP, as any outsider. Signing is written anew from the public description.

Every change is sent with an Idempotency-Key and, when the line breaks before the answer, sent again with the same
key until there is one. So whatever the service acknowledged is known here, and nothing else is assumed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import httpx

from scripts.simulate.pace import Pace

TRIES = 60
AGAIN = frozenset({429, 502, 503, 504})


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

    async def send(
        self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None,
        content: bytes | None = None, headers: dict[str, str] | None = None, key: tuple[str, str] | None = None,
        keyed: bool = True,
    ) -> httpx.Response:  # fmt: skip
        """One request until it is answered. `key` is an app key and its secret. Raises Refused."""
        text = urlencode(query, doseq=True) if query else ""
        payload = content if content is not None else b"" if body is None else json.dumps(body).encode()
        fixed = {"Content-Type": "application/json"} if body is not None else {}
        if keyed and method in {"POST", "PUT"}:
            fixed["Idempotency-Key"] = str(uuid.uuid4())
        fixed |= headers or {}
        for attempt in range(TRIES):
            signed = self.signature(key, method, path, text, payload) if key else {}
            try:
                answer = await self._http.request(
                    method, path + (f"?{text}" if text else ""), content=payload, headers=fixed | signed
                )
            except httpx.TransportError:
                self.tally.broken += 1
                await asyncio.sleep(min(0.2 * (attempt + 1), 2))
                continue
            self.tally.statuses[answer.status_code] += 1
            if answer.headers.get("idempotency-replayed"):
                self.tally.repeated += 1
            if _must_sign_again(answer, key):
                await self.pace.read_again(self._http, self.base_url)
                continue
            if answer.status_code in AGAIN:
                self.tally.codes[f"{_json(answer).get('code', answer.status_code)} (again)"] += 1
                await asyncio.sleep(min(float(answer.headers.get("retry-after", 0.2)), 2))
                continue
            if answer.status_code >= 400:
                refusal = Refused(answer.status_code, _json(answer), f"{method} {path}")
                self.tally.codes[refusal.code] += 1
                raise refusal
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
        await self._headers()
        return any(division.startswith(code.rstrip("0")) for code in self.divisions)

    async def get(self, path: str, **query: Any) -> Any:
        return (await self._send("GET", path, query=query)).json()

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self._send("POST", path, body=body, **more)
        return answer.json() if answer.content else None

    async def pages(self, path: str, **query: Any) -> list[Any]:
        """All items of a list."""
        found: list[Any] = []
        cursor = None
        while True:
            page = await self.get(path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def stream(self, path: str) -> httpx.Request:
        return self._doors._http.build_request("GET", path, headers=await self._headers())

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        for last in (False, True):
            try:
                return await self._doors.send(method, path, headers=await self._headers(), **more)
            except Refused as refused:
                if refused.status != 401 or last:
                    raise
                self._token = None
        raise AssertionError("unreachable")

    async def _headers(self) -> dict[str, str]:
        async with self._signing_in:
            if self._token is None:
                asked = {"username": self.username, "password": self._account["password"]}
                answer = await self._doors.send("POST", "/v1/sessions", body=asked, keyed=False)
                self._token, self.divisions = answer.json()["token"], tuple(answer.json()["divisions"])
        return {"Authorization": f"Bearer {self._token}"}


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
        found: list[Any] = []
        cursor = None
        while True:
            page = await self.get(path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found


def _must_sign_again(answer: httpx.Response, key: tuple[str, str] | None) -> bool:
    """A slow line may carry a signature past its window; a new one is as good."""
    return key is not None and answer.status_code == 401 and _json(answer).get("code") == "timestamp_out_of_window"


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
