"""The front door: ids, limits, headers, figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from app import middleware
from app.middleware import BODY_LIMIT, UPLOAD_LIMIT, FrontDoor

JSON = {"content-type": "application/json", "idempotency-key": "k"}


async def test_every_answer_has_an_id(small: httpx.AsyncClient) -> None:
    one, other = await small.get("/notes"), await small.get("/nowhere")
    assert one.headers["x-request-id"] != other.headers["x-request-id"]
    assert (await small.get("/notes", headers={"x-request-id": "trace-0001"})).headers["x-request-id"] == "trace-0001"
    for odd in ("short", "x" * 65, "a b c d e f", "<script>alert(1)</script>"):
        assert (await small.get("/notes", headers={"x-request-id": odd})).headers["x-request-id"] != odd


async def test_security_headers_are_everywhere(small: httpx.AsyncClient) -> None:
    for answer in (
        await small.get("/notes"),
        await small.get("/nowhere"),
        await small.post("/notes", content=b"x" * (BODY_LIMIT + 1)),
        await small.get("/often"),
    ):
        for name, _value in middleware.SECURITY_HEADERS:
            assert name.decode() in answer.headers, (answer.url, name)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "max-age" in answer.headers["strict-transport-security"]


async def pieces(count: int, size: int, pause: float = 0) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause)
        yield b" " * size


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_has_a_largest_size(small: httpx.AsyncClient, declared: bool) -> None:
    for size, status in ((BODY_LIMIT + 1, 413), (BODY_LIMIT, 422)):
        content = b" " * size if declared else pieces(1, size)
        answer = await small.post("/notes", content=content, headers=JSON)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    answer = await small.post("/notes", content=pieces(40, BODY_LIMIT // 32), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert answer.headers["connection"] == "close"


async def test_a_declared_length_must_be_a_length(small: httpx.AsyncClient) -> None:
    for odd in ("-1", "x", "9" * 40):
        answer = await small.post("/notes", content=b"", headers=JSON | {"content-length": odd})
        assert answer.status_code == 413


async def test_uploads_may_be_larger(small: httpx.AsyncClient) -> None:
    for size, status in ((UPLOAD_LIMIT, 404), (UPLOAD_LIMIT + 1, 413)):
        assert (await small.post("/v1/provider/uploads", content=b" " * size)).status_code == status


async def test_a_slow_body_is_not_waited_for(small: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.3)
    begun = time.monotonic()

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.1)
        return {"type": "http.request", "body": b" ", "more_body": True}

    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/notes", "raw_path": b"/notes", "query_string": b"",
        "scheme": "https", "headers": [(b"content-type", b"application/json")], "http_version": "1.1",
        "server": ("small.test", 443), "client": ("10.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    app = small._transport.app  # type: ignore[attr-defined]
    await app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert time.monotonic() - begun < 1


async def test_waiting_for_the_end_of_a_stream_has_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.1)
    messages = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.0 if len(messages) == 2 else 0.3)
        return messages.pop(0)

    bounded = middleware._Bounded(receive, 10)  # type: ignore[arg-type]
    assert (await bounded())["type"] == "http.request"
    assert (await bounded())["type"] == "http.disconnect"


async def test_figures_name_routes_and_not_paths(small: httpx.AsyncClient) -> None:
    await small.put("/notes/4711", headers={"idempotency-key": "k"})
    await small.get("/signed/token-that-is-secret")
    await small.request("BREW", "/notes")
    figures = (await small.get("/metrics")).text
    assert 'nuanxian_requests_total{method="PUT",route="/notes/{number}",status="200"}' in figures
    assert 'method="GET",route="unmatched",status="404"' in figures
    assert 'method="other"' in figures
    for leak in ("4711", "token-that-is-secret", "BREW"):
        assert leak not in figures


async def test_figures_are_for_the_machine_itself(small: httpx.AsyncClient) -> None:
    assert (await small.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})).status_code == 404
    outside = httpx.ASGITransport(small._transport.app, client=("203.0.113.9", 1))  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=outside, base_url="https://small.test") as client:
        assert (await client.get("/metrics")).status_code == 404


async def test_an_answer_that_broke_off_is_not_answered_again() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        raise ValueError("王秀兰")

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "scheme": "http", "client": None}
    with pytest.raises(ConnectionAbortedError) as broken:
        await FrontDoor(app)(scope, receive, send)  # type: ignore[arg-type]
    assert sent == ["http.response.start"]
    assert "王秀兰" not in str(broken.value)
    assert broken.value.__suppress_context__
