"""The shipped catalogue, prices in force, and the doors."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from app.catalog import service
from app.catalog.models import CATEGORIES
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.providers.models import CERTIFICATES
from tests.world import World

DAY = date(2026, 3, 1)


async def test_the_shipped_catalogue_covers_all_seven_services(tx: Tx, world: World) -> None:
    await world.items(tx)
    items = await service.items(tx)
    assert {item.category for item in items} == set(CATEGORIES)
    assert len(items) >= 28
    assert {item.certificate for item in items} - {None} <= set(CERTIFICATES)
    prices = await service.prices_on(tx, [item.code for item in items], "620302001001", DAY)
    assert set(prices) == {item.code for item in items}
    assert {price.source for price in prices.values()} == {service.DEMO_SOURCE}
    for item in items:
        assert (prices[item.code].per_minutes is None) == (item.unit == "visit")
        assert (prices[item.code].price_fen == 0) == (item.tier == "free")


async def test_loading_again_changes_nothing(tx: Tx, world: World) -> None:
    await world.items(tx)
    await tx.run("UPDATE service_item SET name = '本市助浴', active = false WHERE code = 'bath_home'")
    assert await service.load_items(tx) == 0
    assert await service.load_demo_prices(tx, "620300", DAY) == 0
    bath = await service.item(tx, "bath_home")
    assert (bath.name, bath.active) == ("本市助浴", False)


async def test_the_most_specific_division_sets_the_price(tx: Tx, world: World) -> None:
    await world.items(tx, "620000")
    for division, fen in (("620300", 3300), ("620302001", 3900), ("620321", 1100)):
        await _set(tx, division, fen, date(2026, 1, 1))
    assert (await service.price_on(tx, "clean_home", "620302001001", DAY)).price_fen == 3900
    assert (await service.price_on(tx, "clean_home", "620302002001", DAY)).price_fen == 3300
    assert (await service.price_on(tx, "clean_home", "620400", DAY)).price_fen == 3500
    assert (await service.price_on(tx, "clean_home", "620302001001", date(2025, 12, 31))).price_fen == 3500
    with pytest.raises(Invalid) as none:
        await service.price_on(tx, "clean_home", "110101", DAY)
    assert none.value.code == "price_not_set"


async def test_a_new_price_ends_the_old_one_the_day_before(tx: Tx, world: World) -> None:
    await world.items(tx)
    await _set(tx, "620300", 4000, date(2026, 7, 1))
    assert (await service.price_on(tx, "clean_home", "620302", date(2026, 6, 30))).price_fen == 3500
    assert (await service.price_on(tx, "clean_home", "620302", date(2026, 7, 1))).price_fen == 4000
    with pytest.raises(Conflict):
        await _set(tx, "620300", 4100, date(2026, 7, 1))
    assert (await service.price_on(tx, "clean_home", "620302", date(2026, 6, 30))).price_fen == 3500
    with pytest.raises(NotFound):
        await service.set_price(tx, "no_such", "620300", price_fen=1, per_minutes=None, valid_from=DAY, source="x")


async def _set(tx: Tx, division: str, fen: int, first: date) -> None:
    await service.set_price(
        tx, "clean_home", division, price_fen=fen, per_minutes=60, valid_from=first, source="市民政局"
    )


@pytest.fixture
async def priced(database: Database, world: World) -> None:
    async with database.transaction() as tx:
        await world.items(tx)


@pytest.mark.usefixtures("priced")
async def test_anybody_reads_items_and_prices(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/service-items", params={"category": "daily_living", "q": "助浴"})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    assert [item["code"] for item in body["items"]] == ["bath_home", "bath_station"]
    assert body["items"][0]["price"] == {
        "price_fen": 12_000, "per_minutes": None, "division_code": "620300", "source": "示例价格",
    }  # fmt: skip
    elsewhere = (await api.get("/v1/service-items", params={"division": "110101"})).json()
    assert all(item["price"] is None for item in elsewhere["items"])
    assert (await api.get("/v1/service-items/no_such")).status_code == 404
    assert (await api.get("/v1/service-items", params={"division": "62x"})).status_code == 422
    assert (await api.get("/v1/service-items/clean_home")).json()["category_name"] == "生活照料"


@pytest.mark.usefixtures("priced")
async def test_prices_are_set_by_supervisors_within_their_divisions(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    body = {
        "division_code": "620302", "price_fen": 3800, "per_minutes": 60, "valid_from": "2026-01-01",
        "source": "区民政局公告",
    }  # fmt: skip
    path = "/v1/service-items/clean_home/prices"
    operator = await world.staff_headers(database)
    assert (await api.post(path, json=body, headers=operator)).status_code == 403
    elsewhere = await world.staff_headers(database, roles=["supervisor"], divisions=["620321"])
    assert (await api.post(path, json=body, headers=elsewhere)).status_code == 404
    supervisor = await world.staff_headers(database, roles=["supervisor"])
    assert (await api.post(path, json=body, headers=supervisor)).status_code == 201
    shown = (
        await api.get("/v1/service-items/clean_home", params={"division": "620302001", "day": "2026-01-01"})
    ).json()
    assert (shown["price"]["price_fen"], shown["price"]["source"]) == (3800, "区民政局公告")
