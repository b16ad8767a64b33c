"""Ways measured by check-ins become the estimate."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Tx
from app.matching import travel_log
from app.routing.travel import DAY, PEAK, QUIET, estimate, travel_minutes
from tests.world.orders import TUESDAY_TEN
from tests.world.visits import HOME, Assigned, make_assigned_order

AWAY = {"lng": 102.22, "lat": 38.54, "crs": "wgs84", "accuracy_m": 20}
METRES = 3429
"""From AWAY to HOME as the crow flies."""


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def assigned(tx: Tx) -> Assigned:
    """In her hands since four in the morning."""
    return await make_assigned_order(tx)


async def trips(tx: Tx) -> list[tuple[Any, ...]]:
    rows = await tx.fetch("SELECT order_id, mode, band, metres, minutes FROM trip")
    return [(row["order_id"], row["mode"], row["band"], round(row["metres"]), row["minutes"]) for row in rows]


async def test_departure_and_arrival_make_a_way(tx: Tx, assigned: Assigned) -> None:
    await assigned.report(tx, assigned.event("departed", 200, location=AWAY))
    assert await trips(tx) == []
    await assigned.report(tx, assigned.event("arrived", 221))
    assert await trips(tx) == [(assigned.order_id, "ebike", PEAK, METRES, 21.0)]


async def test_the_band_is_the_hour_of_leaving(tx: Tx, assigned: Assigned) -> None:
    await assigned.report(tx, assigned.event("departed", 175, location=AWAY), assigned.event("arrived", 200))
    assert [row[2] for row in await trips(tx)] == [QUIET]


async def test_a_check_in_stands_for_an_arrival_nobody_reported_and_late_news_corrects_it(
    tx: Tx, assigned: Assigned
) -> None:
    await assigned.report(tx, assigned.event("checked_in", 230), assigned.event("departed", 200, location=AWAY))
    assert [row[4] for row in await trips(tx)] == [30.0]
    await assigned.report(tx, assigned.event("arrived", 220))
    assert [row[4] for row in await trips(tx)] == [20.0]


@pytest.mark.parametrize(
    "broken",
    [
        {"location": None},
        {"location": {**AWAY, "accuracy_m": 900}},
        {"location": HOME},
        {"minutes": 225.0, "location": AWAY},
    ],
    ids=["no place", "coarse", "across the yard", "arrived before leaving"],
)
async def test_what_measures_nothing_is_not_kept(tx: Tx, assigned: Assigned, broken: dict[str, Any]) -> None:
    left = {"minutes": 200.0, **broken}
    await assigned.report(tx, assigned.event("departed", **left), assigned.event("arrived", 221))
    assert await trips(tx) == []


COPIES = """INSERT INTO care_order SELECT (jsonb_populate_record(o, jsonb_build_object(
  'id', gen_random_uuid(), 'number', $2::text || n))).* FROM care_order o, generate_series(1, $3) n WHERE o.id = $1
RETURNING id"""


async def teach(tx: Tx, like: UUID, count: int, *, days_ago: int = 1) -> None:
    """`count` ways of a city that is slower than the guess (9 min and 6 min a km), some nonsense among them."""
    draw = random.Random(count)
    for i, row in enumerate(await tx.fetch(COPIES, like, f"C{days_ago}-", count)):
        km = draw.uniform(0.5, 7.0)
        minutes = (9 + 6 * km) * draw.uniform(0.8, 1.2) if i % 20 else draw.uniform(100, 170)
        day = clock.today() - timedelta(days=days_ago)
        await tx.run("INSERT INTO trip VALUES ($1, 'ebike', 'day', $2, $3, $4)", row["id"], km * 1000, minutes, day)


async def test_a_city_learns_its_own_pace(tx: Tx, assigned: Assigned) -> None:
    assert await travel_log.coefficients(tx) == {}
    await teach(tx, assigned.order_id, 600)
    assert await travel_log.calibrate(tx) == 1
    tx.cache.clear()
    learned = await travel_log.coefficients(tx)
    assert set(learned) == {("ebike", DAY)}
    guess, known = estimate(5000, "ebike"), estimate(5000, "ebike", DAY, learned)
    assert known.p50 == pytest.approx(39, abs=2)
    assert known.p80 > known.p50 > guess.p50
    assert travel_minutes(102.22, 38.54, 102.19, 38.52, "ebike", DAY, learned) > 25
    await travel_log.calibrate(tx)
    versions = await tx.fetch("SELECT version FROM travel_calibration ORDER BY version")
    assert [row["version"] for row in versions] == [1, 2]


async def test_too_few_or_too_old_ways_teach_nothing_and_very_old_ones_go(tx: Tx, assigned: Assigned) -> None:
    await teach(tx, assigned.order_id, 39)
    await teach(tx, assigned.order_id, 100, days_ago=91)
    await teach(tx, assigned.order_id, 5, days_ago=181)
    assert await travel_log.calibrate(tx) == 0
    assert await tx.fetchval("SELECT count(*) FROM trip") == 139
    assert await tx.fetchval("SELECT count(*) FROM travel_calibration") == 0
