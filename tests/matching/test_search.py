"""The box chooses whom the full scan chooses; and what is said when nobody is left."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta

import pytest
from benchmarks import dispatch, dispatch_province
from benchmarks.dispatch_province import Province
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import Database, Tx
from app.core.geo import distance_m
from app.matching import availability, reach, relaxing, search, shares
from app.matching.rules import OBJECTIVES, best_possible
from app.matching.weights import EMERGENCY, ORDINARY
from app.providers.models import TRAVEL_MODES
from app.routing.travel import PEAK, travel_minutes
from app.seeds.base import load_base
from tests.conftest import TestServer, vault, wired_bus
from tests.world.orders import TUESDAY_TEN, make_order, make_town
from tests.world.providers import make_provider

DAY = date(2026, 3, 3)
WAYS = reach.lines(TRAVEL_MODES, PEAK)


@given(st.floats(73, 135), st.floats(18, 53), st.floats(0.5, 60), st.floats(0, 360))
def test_the_box_holds_everybody_within_its_radius(lng: float, lat: float, km: float, course: float) -> None:
    west, south, east, north = reach.box(lng, lat, km)
    for step in range(4):
        edge = {0: (west, lat), 1: (east, lat), 2: (lng, south), 3: (lng, north)}[step]
        assert distance_m(lng, lat, *edge) >= km * 1000 - 1
    for corner in ((west, south), (west, north), (east, south), (east, north)):
        assert distance_m(lng, lat, *corner) >= km * 1000


@given(st.sampled_from([ORDINARY, EMERGENCY]), st.floats(0, 100), st.floats(1, 14), st.integers(10, 500))
def test_a_search_stops_only_where_nobody_outside_can_win(
    weights: dict[str, int], best: float, km: float, survivors: int
) -> None:
    most = {"continuity": 0.0}
    wider = reach.next_km(km, 15.0, survivors, best, weights, WAYS, most)
    if wider is None:
        soonest = min(max(1, int(way.minutes(km * 1000))) for way in WAYS)
        assert best > best_possible(weights, soonest, most)
    else:
        assert km < wider <= 15.0


def test_too_few_survivors_double_the_box_up_to_the_last() -> None:
    assert reach.next_km(4.0, 15.0, 9, 100.0, ORDINARY, WAYS, {}) == 8.0
    assert reach.next_km(8.0, 15.0, 9, 100.0, ORDINARY, WAYS, {}) == 15.0
    assert reach.next_km(15.0, 15.0, 0, 0.0, ORDINARY, WAYS, {}) is None


def test_nobody_beyond_the_last_box_is_near_enough() -> None:
    last = reach.reach_km(WAYS, 60)
    beyond = last * 1000 + 100
    assert all(way.minutes(beyond) > 60 for way in WAYS)


@pytest.fixture(scope="module")
def monkeymodule() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
async def province(
    server: TestServer, template: str, monkeymodule: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Database, Province, str]]:
    """Six hundred caregivers in a county: as dense as a town, and as sparse as the land around it."""
    for figure, value in (("KM", 45.0), ("TOWNS", 5), ("PROVIDERS_PER_CAREGIVER", 1 / 25)):
        monkeymodule.setattr(dispatch_province, figure, value)
    name = f"nuanxian_province_{secrets.token_hex(4)}"
    database = Database(await server.clone(name, template), vault=vault(), bus=wired_bus(), pool_size=3)
    async with database.transaction() as tx:
        await load_base(tx)
    made = await dispatch_province.fill(server.dsn(name, superuser=True), 600, 150, DAY, 7)
    async with database.transaction() as tx:
        await availability.prepare(tx, [DAY])
        with clock.hold(TUESDAY_TEN - timedelta(days=1)):
            await shares.queries.count_loads(tx, DAY)
    yield database, made, server.dsn(name)
    await database.close()
    await server.drop(name)


async def test_the_box_chooses_whom_the_full_scan_chooses(province: tuple[Database, Province, str]) -> None:
    database, made, dsn = province
    agreement = await dispatch.compare(dsn, database, made.orders)
    assert agreement.compared == 150
    assert agreement.same >= 149, agreement.differing
    assert agreement.rare_compared > 10
    assert sum(asked.nobody for asked in await dispatch.ask(database, made.orders)) < 100


async def test_a_box_that_is_too_small_would_be_noticed(
    province: tuple[Database, Province, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the search gives up after its first small circle."""

    async def small(*_: object, **__: object) -> float:
        return 1.0

    monkeypatch.setattr(reach, "next_km", lambda *_: None)
    monkeypatch.setattr(search, "_first_circle", small)
    database, made, dsn = province
    assert (await dispatch.compare(dsn, database, made.orders)).same < 140


async def test_minutes_are_the_same_in_the_database_and_outside(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=1, home_lng=102.2113, home_lat=38.4871, travel_mode="bus")
        order = await make_order(tx, town.elder)
        found = await search.look(tx, order, [], TUESDAY_TEN + timedelta(hours=4))
        way = travel_minutes(102.2113, 38.4871, order.lng, order.lat, "bus")
        assert found.ranked[0].candidate.travel_minutes == way
        assert set(found.ranked[0].candidate.measured()) == set(OBJECTIVES)


async def test_an_unknown_home_counts_half_an_hour_and_an_unknown_door_everybody(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=1, home_lng=None, home_lat=None)
        order = await make_order(tx, town.elder)
        assert order.status == "dispatched"
        found = await search.look(tx, order, [], TUESDAY_TEN + timedelta(hours=4))
        assert [r.candidate.travel_minutes for r in found.ranked] == [30]
        await tx.run("UPDATE caregiver_day SET place = point(100, 30)")
        await tx.run("UPDATE elder SET lng = NULL, lat = NULL")
        lost = await make_order(tx, town.elder, wanted_from=TUESDAY_TEN + timedelta(hours=4))
        assert lost.status == "dispatched"


async def test_specialists_are_found_and_all_others_are_counted(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=3)
        await make_provider(tx, areas=("620321",))
        nurse = town.caregivers[0][1]
        await tx.run("UPDATE caregiver_certificate SET kind = 'nurse' WHERE caregiver_id = $1", nurse)
        await tx.run("INSERT INTO provider_item VALUES ($1, 'wound_care')", town.providers[0])
        order = await make_order(tx, town.elder, item_code="wound_care")
        found = await search.look(tx, order, [], TUESDAY_TEN + timedelta(hours=4))
        assert [r.candidate.caregiver_id for r in found.ranked] == [nurse]
        assert found.refusals == {"certificate": 2, "": 1}
        cleaning = await make_order(tx, town.elder, wanted_from=TUESDAY_TEN + timedelta(hours=6))
        assert cleaning.status == "dispatched"
        spare = {
            r.candidate.caregiver_id: r.candidate.spare
            for r in (await search.look(tx, cleaning, [], TUESDAY_TEN + timedelta(hours=2))).ranked
        }
        assert spare[nurse] == 1
        assert sorted(spare.values()) == [0, 0, 1]


async def test_relaxations_name_what_would_help_and_never_a_certificate(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=2, caregivers=1)
        await tx.run("UPDATE elder SET gender_wish = 'male', lng = 102.38")
        order = await make_order(tx, town.elder)
        assert order.status == "placed"
        options = {one["relax"]: one for one in await relaxing.relaxations(tx, order, [])}
        assert options == {}
        await tx.run("UPDATE elder SET gender_wish = NULL")
        far = await make_order(tx, town.elder)
        options = {one["relax"]: one for one in await relaxing.relaxations(tx, far, [])}
        assert options["distance"]["candidates"] == 2
        await tx.run("UPDATE elder SET lng = 102.19, gender_wish = 'male'")
        picky = await make_order(tx, town.elder)
        options = {one["relax"]: one for one in await relaxing.relaxations(tx, picky, [])}
        assert options["gender_wish"]["candidates"] == 2
        await tx.run("UPDATE elder SET gender_wish = NULL")
        refused = await relaxing.relaxations(tx, picky, town.providers)
        assert {one["relax"]: one["candidates"] for one in refused} == {"provider": 2}
        await tx.run("UPDATE service_item SET certificate = 'nobody_has_this'")
        tx.cache.clear()
        assert await relaxing.relaxations(tx, picky, []) == []


async def test_the_nearest_other_times_come_first(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=1, hours=(14, 18))
        early = TUESDAY_TEN + timedelta(hours=3, minutes=30)
        order = await make_order(
            tx, town.elder, urgency="appointment", wanted_from=early, wanted_to=early + timedelta(hours=2)
        )
        assert order.status == "placed"
        options = await relaxing.relaxations(tx, order, [])
        assert [(one["relax"], one["label"], one["candidates"]) for one in options] == [
            ("window", "改为 14:00", 1), ("window", "改为 14:30", 1),
        ]  # fmt: skip
