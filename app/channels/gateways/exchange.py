"""One request to a gateway: what is certain about its failures, and no more of its answer than we can use."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from app.channels.gateways.consequences import NobodyKnows
from app.messaging.sender import NotSent

MOST_BYTES = 64 * 1024
TIMEOUT = httpx.Timeout(8.0, connect=4.0, pool=2.0)
"""Together less than the patience of whoever hands messages over."""

# The library writes every address it asks into the log, and a phone number may stand in one.
logging.getLogger("httpx").setLevel(logging.WARNING)


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, limits=httpx.Limits(max_connections=8))


async def ask(
    http: httpx.AsyncClient, method: str, url: httpx.URL, *, headers: Mapping[str, str], body: bytes = b""
) -> dict[str, Any]:
    """The JSON object that answers, whatever its status.

    Raises NotSent when the request cannot have been read by anybody: no connection, or turned away at the door (429).
    Raises NobodyKnows for what is no answer. Everything that breaks later is passed on: nobody knows then either.
    """
    try:
        async with http.stream(method, url, headers=dict(headers), content=body) as answer:
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                raise NotSent("http_429")
            read = bytearray()
            async for piece in answer.aiter_bytes():
                read += piece
                if len(read) > MOST_BYTES:
                    raise NobodyKnows
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        raise NotSent("no_connection") from None
    try:
        content = orjson.loads(read)
    except orjson.JSONDecodeError:
        raise NobodyKnows from None
    if not isinstance(content, dict):
        raise NobodyKnows
    return content
