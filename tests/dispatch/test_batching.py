"""Batches on a real database: who waits, who does not, who gets whom, and that the constraint still decides."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Tx
from app.dispatch import batching, tasks
from app.dispatch.batch import Switch
from app.matching import search
from app.orders import service as orders
from app.orders.queries import OrderRow
from tests.conftest import TestServer
from tests.dispatch.test_races import OVERLAPS, own_database
from tests.world.elders import make_elder
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town
from tests.world.providers import make_caregiver

NOON = TUESDAY_TEN + timedelta(hours=2)
LATER: dict[str, Any] = {"urgency": "appointment", "wanted_from": NOON, "wanted_to": NOON + timedelta(minutes=120)}
KEY = ("620302", "clean_home")


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(tx: Tx) -> Town:
    made = await make_town(tx, providers=1, caregivers=0)
    await tx.run("INSERT INTO provider_item VALUES ($1, 'personal_hygiene')", made.providers[0])
    return made


async def always(tx: Tx, *items: str) -> None:
    """Batches begin and go on at any pressure."""
    await tx.run("DELETE FROM batch_switch")
    await batching.sql.seed_switch(tx, "000000", Switch(opens=0.0, closes=0.0), date(2020, 1, 1))
    for item in items or ("clean_home",):
        await batching.sql.note(tx, "620302", item, 9.0, True, clock.now())
    tx.cache.clear()


async def booked(tx: Tx) -> dict[UUID, UUID]:
    rows = await tx.fetch("SELECT order_id, caregiver_id FROM booking WHERE status <> 'released'")
    return {row["order_id"]: row["caregiver_id"] for row in rows}


async def two_orders(tx: Tx, town: Town) -> tuple[OrderRow, OrderRow]:
    """A cleaning that anybody can do, placed first, and a washing that only the nurse can."""
    cleaning = await make_order(tx, town.elder, **LATER)
    washing = await make_order(tx, await make_elder(tx), item_code="personal_hygiene", **LATER)
    return cleaning, washing


async def nurse_and_cleaner(tx: Tx, town: Town) -> tuple[UUID, UUID]:
    """The nurse lives nearer to everybody, so that she is everybody's first choice."""
    nurse = await make_caregiver(tx, town.providers[0], home_lng=102.19, home_lat=38.52)
    cleaner = await make_caregiver(
        tx, town.providers[0], home_lng=102.15, home_lat=38.50, certificates=("health_certificate",)
    )
    return nurse, cleaner


async def test_without_scarcity_the_first_order_takes_the_nurse_at_once(tx: Tx, town: Town) -> None:
    """The control: this is what a batch is for."""
    nurse, _ = await nurse_and_cleaner(tx, town)
    cleaning, washing = await two_orders(tx, town)
    assert await booked(tx) == {cleaning.id: nurse}
    assert (await orders.get(tx, washing.id)).status == "placed"


async def test_a_batch_keeps_the_nurse_for_whom_only_she_can_serve(tx: Tx, town: Town) -> None:
    nurse, cleaner = await nurse_and_cleaner(tx, town)
    await always(tx, "clean_home", "personal_hygiene")
    cleaning, washing = await two_orders(tx, town)
    assert (cleaning.status, washing.status) == ("placed", "placed")
    assert await batching.assign_waiting(tx) == 2
    assert await booked(tx) == {cleaning.id: cleaner, washing.id: nurse}
    decision = await tx.fetchrow("SELECT * FROM decision WHERE order_id = $1", cleaning.id)
    assert (decision["reason"], decision["chosen_caregiver_id"]) == ("batch", cleaner)
    assert await batching.assign_waiting(tx) == 0


@pytest.mark.parametrize(
    "wanted",
    [
        {"urgency": "urgent"},
        {"urgency": "emergency"},
        {"urgency": "appointment", "wanted_from": TUESDAY_TEN + timedelta(minutes=59)},
    ],
    ids=["urgent", "emergency", "soon"],
)
async def test_who_never_waits(tx: Tx, town: Town, wanted: dict[str, Any]) -> None:
    await nurse_and_cleaner(tx, town)
    await always(tx)
    assert (await make_order(tx, town.elder, **wanted)).status == "dispatched"


async def test_another_service_or_district_does_not_wait(tx: Tx, town: Town) -> None:
    await nurse_and_cleaner(tx, town)
    await always(tx, "meal_home")
    assert (await make_order(tx, town.elder, **LATER)).status == "dispatched"


async def test_pressure_is_measured_and_opens_and_closes_the_switch(tx: Tx, town: Town) -> None:
    await tx.run("DELETE FROM batch_switch")
    await batching.sql.seed_switch(tx, "000000", Switch(opens=1.0, closes=0.5), date(2020, 1, 1))
    await tx.run("UPDATE provider SET monthly_quota = 100")
    for _ in range(3):
        await make_caregiver(tx, town.providers[0])
    for _ in range(2):
        await make_order(tx, await make_elder(tx), **LATER)
    tx.cache.clear()
    await batching.measure(tx)
    # Two of three were taken: two orders for the one who is free at noon.
    assert await scarcity(tx) == {KEY: (2.0, True)}
    for _ in range(7):
        await make_caregiver(tx, town.providers[0])
    await batching.measure(tx)
    assert await scarcity(tx) == {KEY: (2 / 5, False)}  # counted no further than it matters: 2 / 0.5 + 1
    with clock.hold(TUESDAY_TEN + batching.LOOK + timedelta(seconds=1)):
        await batching.measure(tx)
        assert await scarcity(tx) == {}


async def test_orders_of_different_days_and_hours_do_not_compete(tx: Tx, town: Town) -> None:
    await tx.run("UPDATE provider SET monthly_quota = 1000")
    for _ in range(3):
        await make_caregiver(tx, town.providers[0])
    for number in range(30):
        begin = NOON + timedelta(days=number % 10, hours=2 * (number % 3))
        wanted = {"wanted_from": begin, "wanted_to": begin + timedelta(minutes=120)}
        await make_order(tx, town.elder, **LATER | wanted)
    tx.cache.clear()
    await batching.measure(tx)
    ((pressure, on),) = (await scarcity(tx)).values()
    assert (pressure <= 0.5, on) == (True, False)


async def scarcity(tx: Tx) -> dict[tuple[str, str], tuple[float, bool]]:
    rows = await batching.sql.scarcity(tx)
    return {(row["division_code"], row["item_code"]): (row["pressure"], row["batching"]) for row in rows}


async def test_whom_nobody_can_serve_waits_the_longest_wait_and_then_is_a_persons_business(tx: Tx, town: Town) -> None:
    await nurse_and_cleaner(tx, town)
    await tx.run("UPDATE caregiver SET status = 'inactive'")
    await always(tx)
    order = await make_order(tx, town.elder, **LATER)
    assert await batching.assign_waiting(tx) == 0
    assert await tx.fetchval("SELECT count(*) FROM decision") == 0
    with clock.hold(TUESDAY_TEN + timedelta(seconds=301)):
        await batching.measure(tx)
        await batching.assign_waiting(tx)
        await tasks.dispatch_waiting(tx)
    assert await tx.fetchval("SELECT count(*) FROM decision WHERE order_id = $1", order.id) == 1
    assert (await orders.get(tx, order.id)).status == "placed"


async def test_when_scarcity_ends_the_waiting_are_dispatched_at_once(tx: Tx, town: Town) -> None:
    await nurse_and_cleaner(tx, town)
    await always(tx)
    order = await make_order(tx, town.elder, **LATER)
    await tx.run("UPDATE batch_switch SET opens = 100, closes = 100")
    tx.cache.clear()
    assert await batching.measure(tx) == 1
    decision = await tx.fetchrow("SELECT reason FROM decision WHERE order_id = $1", order.id)
    assert decision["reason"] is None


async def test_a_caregiver_taken_meanwhile_is_not_booked_twice(
    tx: Tx, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between search and offer somebody else takes the only caregiver: the constraint refuses, the order waits on."""
    only = await make_caregiver(tx, town.providers[0])
    await always(tx)
    order = await make_order(tx, town.elder, **LATER)
    other = await make_order(tx, await make_elder(tx), **(LATER | {"urgency": "urgent", "wanted_from": NOON}))
    assert await booked(tx) == {other.id: only}
    await tx.run("UPDATE booking SET status = 'released'")
    real = search.find

    async def find_and_lose(*args: Any, **named: Any) -> Any:
        found = await real(*args, **named)
        await tx.run("UPDATE booking SET status = 'held' WHERE order_id = $1", other.id)
        return found

    monkeypatch.setattr(search, "find", find_and_lose)
    assert await batching.assign_waiting(tx) == 0
    assert await booked(tx) == {other.id: only}
    assert (await orders.get(tx, order.id)).status == "placed"


async def test_batches_and_urgent_orders_at_once_never_book_anybody_twice(server: TestServer, template: str) -> None:
    """Four batches of one backlog at the same moment, and urgent orders in between, on connections of their own."""
    async with own_database(server, template) as database:
        async with database.transaction() as tx:
            await make_town(tx, providers=2, caregivers=4)
            await always(tx)
            elders = [await make_elder(tx) for _ in range(18)]
        for elder in elders[:12]:
            async with database.transaction() as tx:
                await make_order(tx, elder, **LATER)

        async def batch() -> int:
            async with database.transaction() as tx:
                return await batching.assign_waiting(tx)

        async def urgent(elder: UUID) -> None:
            async with database.transaction() as tx:
                await make_order(tx, elder, **(LATER | {"urgency": "urgent"}))

        made = await asyncio.gather(*(batch() for _ in range(4)), *(urgent(elder) for elder in elders[12:]))
        async with database.transaction() as tx:
            assert await tx.fetchval(OVERLAPS) == 0
            live = await tx.fetchval("SELECT count(*) FROM booking WHERE status <> 'released'")
            offers = await tx.fetchval("SELECT count(*) FROM offer WHERE status = 'offered'")
            assert live == offers == await tx.fetchval("SELECT count(*) FROM care_order WHERE status = 'dispatched'")
        assert sum(one for one in made if one is not None) >= 2
        assert live == 8  # eight caregivers, one visit each in the window
