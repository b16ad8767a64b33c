"""Who repeats an operation repeats that operation: one key over all tries, a new stamp for each, one sign-in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from scripts.simulate import doors as doors_module
from scripts.simulate import wechat
from scripts.simulate.doors import Doors, Keyed, Refused, Staff
from scripts.simulate.pace import Pace

NOON = datetime(2026, 6, 30, 4, tzinfo=UTC)
ACCOUNT = {"username": "zuoxi1", "password": "p", "role": "operator"}
WECHAT = {"account": "gh_demo", "appid": "wx1", "token": "t", "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}

Answer = Callable[[httpx.Request], httpx.Response]


class Service:
    """What the service would answer; it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.signed_in = 0
        self.clock = NOON
        self.answer: Answer = lambda _: httpx.Response(201, json={})

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/readyz":
            return httpx.Response(200, json={"now": self.clock.isoformat()})
        if request.url.path == "/v1/sessions":
            self.signed_in += 1
            return httpx.Response(201, json={"token": f"t{self.signed_in}", "divisions": ["620300"]})
        self.asked.append(request)
        return self.answer(request)

    @property
    def keys(self) -> list[str]:
        return [request.headers["idempotency-key"] for request in self.asked]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def doors(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Doors]:
    monkeypatch.setattr(doors_module, "_pause_s", lambda _: 0.0)
    opened = Doors("http://service", Pace(time.monotonic(), NOON, 1.0))
    await opened.close()
    opened._http = httpx.AsyncClient(transport=httpx.MockTransport(service.handle), base_url="http://service")
    yield opened
    await opened.close()


def refused(code: str) -> httpx.Response:
    return httpx.Response(401, json={"code": code})


async def test_the_key_outlives_the_session(service: Service, doors: Doors) -> None:
    """The first try counted, but its answer was lost; the session ended before the second."""

    def answer(request: httpx.Request) -> httpx.Response:
        if len(service.asked) == 1:
            raise httpx.ReadTimeout("lost", request=request)
        if len(service.asked) == 2:
            return httpx.Response(503, json={"code": "overloaded"}, headers={"retry-after": "2"})
        return refused("session_unknown") if request.headers["authorization"] == "Bearer t1" else httpx.Response(201)

    service.answer = answer
    operator = Staff(doors, ACCOUNT)
    await operator.post("/v1/care-requests", {"note": "x"})
    assert len(service.asked) == 4
    assert len(set(service.keys)) == 1
    await operator.post("/v1/care-requests", {"note": "x"})
    assert len(set(service.keys)) == 2


async def test_one_sign_in_renews_everybodys_session(service: Service, doors: Doors) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return refused("session_unknown") if request.headers["authorization"] == "Bearer t1" else httpx.Response(201)

    service.answer = answer
    operator = Staff(doors, ACCOUNT)
    await asyncio.gather(*(operator.post("/v1/care-requests", {"n": n}) for n in range(8)))
    assert service.signed_in == 2
    assert len(set(service.keys)) == 8


async def test_a_session_that_is_refused_twice_is_an_answer(service: Service, doors: Doors) -> None:
    service.answer = lambda _: refused("session_unknown")
    with pytest.raises(Refused, match="session_unknown"):
        await Staff(doors, ACCOUNT).post("/v1/care-requests", {})
    assert len(service.asked) == 2


async def test_a_stale_signature_is_made_again_by_the_services_clock(service: Service, doors: Doors) -> None:
    service.clock = NOON + timedelta(minutes=20)

    def answer(request: httpx.Request) -> httpx.Response:
        behind = service.clock.timestamp() - int(request.headers["x-timestamp"])
        return refused("timestamp_out_of_window") if behind > 300 else httpx.Response(200, json={})

    service.answer = answer
    await Keyed(doors, ("key", "secret")).post("/v1/provider/events", {"events": []})
    assert len(service.asked) == 2
    assert len(set(service.keys)) == 1
    assert len({request.headers["x-nonce"] for request in service.asked}) == 2


async def test_a_stale_push_is_sealed_again_and_a_fresh_one_is_not(service: Service, doors: Doors) -> None:
    service.clock = NOON + timedelta(minutes=20)

    def answer(request: httpx.Request) -> httpx.Response:
        behind = service.clock.timestamp() - int(request.url.params["timestamp"])
        return refused("wechat_not_authentic") if behind > 300 else httpx.Response(200, text="success")

    service.answer = answer
    await wechat.push(doors, WECHAT, b"<xml/>")
    assert len({request.url.params["msg_signature"] for request in service.asked}) == 2
    service.answer = lambda _: refused("wechat_not_authentic")
    with pytest.raises(Refused, match="wechat_not_authentic"):
        await wechat.push(doors, WECHAT, b"<xml/>")
    assert len(service.asked) == 3


def test_the_service_says_how_long_to_wait() -> None:
    assert 2 <= doors_module._pause_s(httpx.Response(503, headers={"retry-after": "2"})) <= 3
    assert 0.2 <= doors_module._pause_s(httpx.Response(503)) <= 0.3
    assert doors_module._pause_s(httpx.Response(503, headers={"retry-after": "600"})) <= 7.5


async def test_only_a_reading_that_contradicts_sets_the_clock() -> None:
    """A slow answer may have been written at any moment of its way."""
    ahead = timedelta(0)
    pace = Pace(time.monotonic(), NOON, 100.0)

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"now": (pace.now() + ahead).isoformat()})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        pace = await Pace.of(http, "http://service", 100.0)
        before = pace._last
        await pace.read_again(http, "http://service")
        assert pace._last is before
        ahead, expected = timedelta(minutes=7), pace.now() + timedelta(minutes=7)
        await pace.read_again(http, "http://service")
        assert abs((pace.now() - expected).total_seconds()) < 30
        assert pace.rate == 100.0
