"""What happens to every request before and after the application: id, limits, security headers, figures.

Plain ASGI, one wrapper around `send` for all of it: a middleware class of the framework costs more than most
of our handlers.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Iterable

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import contextvars

from app import metrics
from app.http_errors import problem, unforeseen
from app.web.headers import SECURITY_HEADERS

BODY_LIMIT = 1 << 20
UPLOAD_LIMIT = 6 << 20
UPLOADS = "/v1/provider/uploads"
BODY_SECONDS = 15.0

HSTS = (b"strict-transport-security", b"max-age=31536000")

_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


def install(app: FastAPI) -> None:
    """Put the front door before `app`; the last one to be installed is the outermost."""
    production = app.state.settings.environment == "production"
    app.add_middleware(FrontDoor, re_raise=not production)


class FrontDoor:
    """The only middleware. `/metrics` is answered here, and only to the machine itself.

    `re_raise`: after a 500 the exception goes on to the server, which logs its whole text. Never in
    production, because that text may quote a person.
    """

    def __init__(self, app: ASGIApp, *, re_raise: bool = False) -> None:
        self._app = app
        self._re_raise = re_raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == metrics.PATH and _is_local(scope):
            await metrics.answer()(scope, receive, send)
            return
        given = _header(scope, b"x-request-id")
        request_id = given.decode() if given and _GIVEN_ID.fullmatch(given) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        extra = [(b"x-request-id", request_id.encode())]
        if scope["scheme"] == "https":
            extra.append(HSTS)
        started, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message.get("headers", ()), extra)
            await send(message)

        bound = contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._guarded(scope, receive, answer)
        except Exception as failure:
            refusal = unforeseen(Request(scope), failure)
            if status:
                raise ConnectionAbortedError("the answer broke off") from None
            await refusal(scope, receive, answer)
            if refusal.status_code == 500 and self._re_raise:
                raise
        finally:
            contextvars.reset_contextvars(**bound)
            route = getattr(scope.get("route"), "path", "unmatched")
            metrics.observe(scope["method"], route, status, time.perf_counter() - started)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = UPLOAD_LIMIT if scope["path"].startswith(UPLOADS) else BODY_LIMIT
        declared = _header(scope, b"content-length")
        if declared is not None and (not declared.isdigit() or len(declared) > 18 or int(declared) > limit):
            request_id = Request(scope).state.request_id
            refusal = problem(413, "content_too_large", f"at most {limit} bytes", request_id=request_id)
            refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send)
            return
        await self._app(scope, _Bounded(receive, limit), send)


class _Bounded:
    """`receive` that ends a body which is too long or too slow; what comes after the body is not its affair."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._left = receive, limit
        self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, headers={"Connection": "close"})
        self._complete = not message.get("more_body", False)
        return message


def _completed(headers: Iterable[tuple[bytes, bytes]], extra: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    complete = list(headers)
    present = {name.lower() for name, _ in complete}
    complete += [pair for pair in SECURITY_HEADERS if pair[0] not in present]
    return complete + extra


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    return client is not None and client[0] in {"127.0.0.1", "::1"} and _header(scope, b"x-forwarded-for") is None
