"""Who may come at all, what would help when nobody may, and who comes again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Tx
from app.dispatch import queries
from app.matching import relaxing, search
from app.orders import service as orders
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(tx: Tx) -> Town:
    return await make_town(tx)


async def refusals(tx: Tx, order_id: UUID) -> dict[str, int]:
    found = await search.find(tx, await orders.get(tx, order_id), [])
    return {str(step["rule"]): int(str(step["refused"])) for step in found.funnel if step["refused"]}


BREACHES = {
    "provider_suspended": "UPDATE provider SET status = 'suspended'",
    "item_not_offered": "DELETE FROM provider_item",
    "provider_full": "UPDATE provider SET daily_capacity = 0",
    "caregiver_inactive": "UPDATE caregiver SET status = 'inactive'",
    "certificate": "UPDATE service_item SET certificate = 'nobody_has_this'",
    "gender_wish": "UPDATE elder SET gender_wish = 'male'",
    "blocked_pair": "INSERT INTO blocked_pair SELECT e.id, c.id, 'x', 'x', $1 FROM elder e, caregiver c",
    "off_shift": "UPDATE caregiver_shift SET starts_minute = 0, ends_minute = 60",
    "absent": """INSERT INTO caregiver_absence (id, caregiver_id, starts_at, ends_at, reason)
        SELECT gen_random_uuid(), id, $1::timestamptz - interval '1 day', $1::timestamptz + interval '1 day', 'ill'
        FROM caregiver""",
}


@pytest.mark.parametrize("rule", BREACHES)
async def test_each_work_rule_refuses_and_says_so(tx: Tx, rule: str) -> None:
    town = await make_town(tx)
    statement = BREACHES[rule]
    await tx.run(statement, *([clock.now()] if "$1" in statement else []))
    tx.cache.clear()
    order = await make_order(tx, town.elder)
    assert order.status == "placed"
    assert await refusals(tx, order.id) == {rule: 4}


async def test_a_certificate_must_be_valid_on_the_day_of_the_visit(tx: Tx, town: Town) -> None:
    await tx.run("UPDATE service_item SET certificate = 'health_certificate'")
    await tx.run("UPDATE caregiver_certificate SET valid_to = '2026-03-03'")
    tx.cache.clear()
    today = await make_order(tx, town.elder)
    tomorrow = await make_order(tx, town.elder, urgency="appointment", wanted_from=TUESDAY_TEN + timedelta(days=1))
    assert (today.status, tomorrow.status) == ("dispatched", "placed")


async def test_nobody_left_names_other_times(tx: Tx) -> None:
    town = await make_town(tx, providers=1, caregivers=1, hours=(14, 18))
    order = await make_order(
        tx, town.elder, urgency="appointment", wanted_from=TUESDAY_TEN + timedelta(hours=3),
        wanted_to=TUESDAY_TEN + timedelta(hours=5),
    )  # fmt: skip
    if order.status == "placed":
        options = await relaxing.relaxations(tx, order, [])
        assert options
        assert options[0]["candidates"] == 1


async def test_known_caregivers_come_again(tx: Tx, town: Town) -> None:
    known = town.caregivers[1][1]
    await tx.run(
        "INSERT INTO continuity (elder_id, caregiver_id, visits, last_at) VALUES ($1, $2, 5, $3)",
        town.elder, known, clock.now(),
    )  # fmt: skip
    order = await make_order(tx, town.elder)
    assert (await queries.open_offer(tx, order.id))["caregiver_id"] == known
