"""Who gives way when there is too much to do, and who never does."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app import shedding
from app.accounts.policy import ACTIONS
from app.core.config import Settings
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.http import Route, routes_of
from app.main import create_app
from app.shedding import OF_ACTION, Bulkhead, Criticality, Gate, Shares, criticality_of

SHEDDABLE = [one for one in Criticality if one is not Criticality.INTAKE]


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    return create_app(settings, database)


def test_every_action_has_its_place() -> None:
    assert set(OF_ACTION) == set(ACTIONS), "an action is classed once, and every action is classed"


def test_no_door_for_help_gives_way(app: FastAPI) -> None:
    paths = {
        (method, route.path_format): criticality_of(route.policy.action, method, route.path_format)
        for route in routes_of(app)
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    for way_in in (
        ("POST", "/channels/wechat/{account}"), ("POST", "/channels/phone/events"),
        ("POST", "/channels/devices/{vendor}"), ("GET", "/v1/desk/stream"), ("POST", "/v1/care-requests"),
        ("POST", "/v1/family/care-requests"), ("GET", "/v1/elders"), ("POST", "/v1/orders"), ("POST", "/v1/quotes"),
        ("GET", "/v1/calls/{call_id}/screen"), ("GET", "/v1/orders/{order_id}"), ("GET", "/v1/incidents"),
        ("POST", "/v1/cards/{token}/help"), ("POST", "/c/{token}"),
    ):  # fmt: skip
        assert paths[way_in] is Criticality.INTAKE, way_in
    assert paths["GET", "/v1/orders"] is Criticality.POLL
    assert paths["GET", "/v1/statements"] is Criticality.REPORT


@given(st.lists(st.floats(0, 2), max_size=200))
def test_the_more_important_is_never_let_in_less(lateness: list[float]) -> None:
    shares = Shares()
    for late_s in lateness:
        shares.adjust(late_s)
        for less, more in pairwise(SHEDDABLE):
            assert 0 <= shares.share[less] <= shares.share[more] <= 1
        assert shares.lets_in(Criticality.INTAKE)


def test_reports_go_first_and_everything_comes_back() -> None:
    shares = Shares()
    for _ in range(20):
        shares.adjust(0.08)
    assert shares.share[Criticality.REPORT] < 0.01
    assert shares.share[Criticality.POLL] == 1
    for _ in range(20):
        shares.adjust(0.5)
    assert shares.share[Criticality.CALLBACK] < 0.01
    for _ in range(30):
        shares.adjust(0.0)
    assert set(shares.share.values()) == {1.0}


def test_at_a_third_every_third_is_let_in() -> None:
    shares = Shares()
    shares.share[Criticality.POLL] = 1 / 3
    assert 100 <= sum(shares.lets_in(Criticality.POLL) for _ in range(300)) <= 102


async def test_a_full_bulkhead_lets_some_wait_and_no_more() -> None:
    room = Bulkhead(1)
    assert await room.enter()
    waiting = [asyncio.create_task(room.enter()) for _ in range(shedding.QUEUE)]
    await asyncio.sleep(0)
    assert not await room.enter()
    for _ in waiting:
        room.leave()
    assert all(await asyncio.gather(*waiting))


async def test_reports_leave_connections_for_calls(database: Database) -> None:
    """However many reports are asked for at once, most of the pool is there for everybody else."""
    gate, inside, most = Gate(database), 0, 0

    async def report() -> None:
        nonlocal inside, most
        async with gate.admit("ledger.read", "GET", "/v1/ledger"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(report() for _ in range(30)))
    assert most == database.pool_size // 4


async def test_a_slow_process_says_when_to_come_again(app: FastAPI) -> None:
    """The event loop is held up, as too much work would: the pulse notices, and a report has to wait, a call not."""
    gate: Gate = app.state.gate
    pulse = asyncio.create_task(gate.run())
    try:
        await asyncio.sleep(0)
        for _ in range(12):
            _hold_up(0.2)
            await asyncio.sleep(shedding.TICK_S * 1.5)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://x.test") as client:
            answers = [await client.get("/v1/ledger/accounts") for _ in range(5)]
            call = await client.post("/channels/phone/events", json={})
    finally:
        pulse.cancel()
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) >= 4
    assert refused[0].json()["code"] == "overloaded"
    assert int(refused[0].headers["Retry-After"]) >= shedding.RETRY_S[Criticality.REPORT]
    assert call.status_code == 401, "the door asked for the signature, it did not send the call away"


async def test_a_hiccup_is_no_overload(database: Database) -> None:
    gate = Gate(database)
    pulse = asyncio.create_task(gate.run())
    await asyncio.sleep(0)
    _hold_up(0.4)
    await asyncio.sleep(shedding.TICK_S * 3)
    pulse.cancel()
    assert set(gate.shares.share.values()) == {1.0}


async def test_where_time_runs_faster_nobody_gives_way(database: Database) -> None:
    gate = Gate(database, sheds=False)
    gate.shares.share[Criticality.REPORT] = 0.0
    for _ in range(5):
        gate.admit("ledger.read", "GET", "/v1/ledger")


async def test_whoever_is_refused_holds_no_place(database: Database) -> None:
    gate = Gate(database)
    gate.shares.share[Criticality.REPORT] = 0.0
    gate.shares.lets_in(Criticality.REPORT)
    for _ in range(50):
        with pytest.raises(Unavailable):
            gate.admit("ledger.read", "GET", "/v1/ledger")
    gate.shares.share[Criticality.REPORT] = 1.0
    async with gate.admit("ledger.read", "GET", "/v1/ledger"):
        pass


def _hold_up(seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        pass
