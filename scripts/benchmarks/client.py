"""A small HTTP/1.1 client: keep-alive, JSON, nothing else. A full client would cost more CPU than what it measures."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from typing import Any

import orjson

IDLE_S = 3.0
"""The server closes a connection that nobody has used for five seconds."""


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._host = f"{host}:{port}".encode()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._used = time.monotonic()

    async def request(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, Any]:
        """(status, parsed JSON or None)."""
        if self._writer is not None and time.monotonic() - self._used > IDLE_S:
            self.close()
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._address, limit=1 << 22)
        lines = [f"{method} {target} HTTP/1.1".encode(), b"host: " + self._host, b"content-length: %d" % len(body)]
        if body:
            lines.append(b"content-type: application/json")
        lines += [f"{name}: {value}".encode() for name, value in headers.items()]
        self._writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        answer = await self._answer()
        self._used = time.monotonic()
        return answer

    async def _answer(self) -> tuple[int, Any]:
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 : lower.find(b"\r\n", at)]) if at >= 0 else 0
        body = await self._reader.readexactly(length) if length else b""
        return status, orjson.loads(body) if body and b"json" in lower else None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "idempotency-key": secrets.token_hex(16)}


def signed(key: str, secret: str, method: str, path: str, query: str = "", body: bytes = b"") -> dict[str, str]:
    """Headers as the public contract has them; written anew here, so that it is the contract that is measured."""
    stamp, nonce = str(int(time.time())), secrets.token_hex(12)
    text = "\n".join((method, path, query, stamp, nonce, hashlib.sha256(body).hexdigest()))
    return {
        "x-app-key": key,
        "x-timestamp": stamp,
        "x-nonce": nonce,
        "x-signature": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
        "idempotency-key": nonce,
    }
