"""The provider's feed through its door: nothing skipped, nothing of others, a wait that ends with the news."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.dispatch import queries
from app.dispatch import service as dispatch
from app.exchange.service import cursor_of, position_of
from app.exchange.watch import pause_after
from app.jobs.feed import Position
from app.orders import service as orders
from tests.world.accounts import make_app_key, signed_headers
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town

FEED = "/v1/provider/feed"


class Company:
    """One provider's system."""

    def __init__(self, api: httpx.AsyncClient, key: tuple[str, str]) -> None:
        self._api, self._key = api, key

    async def get(self, path: str) -> httpx.Response:
        return await self._api.get(path, headers=signed_headers(*self._key, "GET", path))

    async def feed(self, query: str = "limit=200") -> dict[str, Any]:
        answer = await self.get(f"{FEED}?{query}")
        return {"events": [], "next_cursor": None} if answer.status_code == 304 else answer.json()


@pytest.fixture(autouse=True)
def tuesday() -> Any:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(clean_database: Database) -> Town:
    async with clean_database.transaction() as tx:
        return await make_town(tx)


@pytest.fixture
async def companies(api: httpx.AsyncClient, clean_database: Database, town: Town) -> list[Company]:
    async with clean_database.transaction() as tx:
        return [Company(api, await make_app_key(tx, provider_id=provider)) for provider in town.providers]


@pytest.fixture
async def watched(api: httpx.AsyncClient) -> AsyncIterator[None]:
    """The process's look at the feed, which a real start runs beside the requests."""
    watch = api._transport.app.state.feed_watch  # type: ignore[attr-defined]
    task = asyncio.create_task(watch.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def place(database: Database, town: Town) -> Any:
    async with database.transaction() as tx:
        return await make_order(tx, town.elder)


async def asked(companies: list[Company], town: Town, order: Any) -> tuple[Company, Company]:
    """The company that has the offer, and the other one."""
    first = town.providers.index(order.provider_id)
    return companies[first], companies[1 - first]


async def test_an_offer_reaches_its_provider_alone(
    clean_database: Database, town: Town, companies: list[Company]
) -> None:
    order = await place(clean_database, town)
    mine, other = await asked(companies, town, order)
    page = await mine.feed()
    assert [event["type"] for event in page["events"]] == ["offer.made"]
    event = page["events"][0]
    assert event["order"]["id"] == str(order.id)
    assert event["order"]["elder"]["address"] is None
    assert event["offer"]["status"] == "offered"
    assert (await other.feed())["events"] == []
    assert (await other.get(f"/v1/provider/orders/{order.id}")).status_code == 404


async def standing(database: Database, order_id: UUID) -> tuple[str, str]:
    """Delivery of the order, and of its live offer."""
    async with database.transaction() as tx:
        offer = await queries.open_offer(tx, order_id)
        return (await orders.get(tx, order_id)).delivery, offer["delivery"]


async def test_the_desk_sees_how_far_an_offer_has_come(
    clean_database: Database, town: Town, companies: list[Company]
) -> None:
    order = await place(clean_database, town)
    assert await standing(clean_database, order.id) == ("queued", "queued")
    company = (await asked(companies, town, order))[0]
    page = await company.feed()
    assert await standing(clean_database, order.id) == ("sent", "sent")
    # The page may have been lost on its way: who asks from the old place again has not got it.
    await company.feed()
    assert await standing(clean_database, order.id) == ("sent", "sent")
    await company.feed(f"cursor={page['next_cursor']}")
    assert await standing(clean_database, order.id) == ("fetched", "fetched")


async def test_a_cursor_before_the_offer_fetches_nothing(
    clean_database: Database, town: Town, companies: list[Company]
) -> None:
    first = await place(clean_database, town)
    company = (await asked(companies, town, first))[0]
    early = (await company.feed())["next_cursor"]
    async with clean_database.transaction() as tx:
        await dispatch.offer_by_hand(
            tx, SYSTEM, (await make_order(tx, town.elder)).id, first.provider_id, None, "家属指定"
        )
    page = await company.feed(f"cursor={early}")
    later = page["events"][-1]["order_id"]
    await company.feed(f"cursor={early}")
    assert (await standing(clean_database, later))[1] == "sent"
    assert (await standing(clean_database, first.id))[1] == "fetched"


async def test_a_cursor_goes_on_where_it_stopped_and_replays_from_anywhere(
    clean_database: Database, town: Town, companies: list[Company]
) -> None:
    placed = [await place(clean_database, town) for _ in range(4)]
    for company in companies:
        whole = (await company.feed())["events"]
        seen, cursor = [], ""
        while page := (await company.feed(f"cursor={cursor}&limit=1")):
            if not page["events"]:
                break
            seen += page["events"]
            cursor = page["next_cursor"]
        assert [event["id"] for event in seen] == [event["id"] for event in whole]
    assert len(placed) == 4


async def test_nothing_new_is_304(companies: list[Company]) -> None:
    answer = await companies[0].get(f"{FEED}?limit=10&wait=0")
    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_wait_ends_with_the_news(
    clean_database: Database, town: Town, companies: list[Company], watched: None
) -> None:
    waiting = [asyncio.create_task(company.feed("limit=10&wait=20")) for company in companies]
    await asyncio.sleep(0.5)
    began = time.monotonic()
    order = await place(clean_database, town)
    first = town.providers.index(order.provider_id)
    page = await asyncio.wait_for(waiting[first], 5)
    assert time.monotonic() - began < 4
    assert page["events"][0]["order_id"] == str(order.id)
    assert not waiting[1 - first].done()
    waiting[1 - first].cancel()


async def test_an_order_that_went_to_another_is_no_longer_shown(
    clean_database: Database, town: Town, companies: list[Company]
) -> None:
    order = await place(clean_database, town)
    mine, _ = await asked(companies, town, order)
    async with clean_database.transaction() as tx:
        await dispatch.redispatch(tx, SYSTEM, order.id, "企业来电放弃")
    events = (await mine.feed())["events"]
    assert [event["type"] for event in events] == ["offer.made", "offer.withdrawn", "order.released"]
    assert all(event["order"] is None for event in events)
    assert {event["order_id"] for event in events} == {str(order.id)}


@pytest.mark.parametrize("cursor", ["nonsense", "YWJj", cursor_of(Position(2**63, 1)), "%00"])
async def test_a_cursor_nobody_gave_is_refused(companies: list[Company], cursor: str) -> None:
    answer = await companies[0].get(f"{FEED}?cursor={cursor}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_position_survives_its_cursor() -> None:
    assert position_of(cursor_of(Position(812, 4))) == Position(812, 4)


async def test_events_of_the_door_are_taken_in_a_batch(
    api: httpx.AsyncClient, clean_database: Database, town: Town
) -> None:
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, provider_id=town.providers[0])
    for body in ({"events": []}, {"events": [{"event_id": "x"}]}, {"what": 1}):
        raw = orjson.dumps(body)
        answer = await api.post(
            "/v1/provider/events", content=raw, headers=signed_headers(*key, "POST", "/v1/provider/events", raw)
        )
        assert answer.status_code == 422


@pytest.mark.parametrize(("look_s", "pause_s"), [(0.001, 0.25), (0.0125, 0.25), (0.03, 0.6), (5.0, 1.0)])
def test_looks_take_a_twentieth_of_the_time_at_most(look_s: float, pause_s: float) -> None:
    assert pause_after(look_s) == pytest.approx(pause_s)
