"""What recurring plans ask of a day reaches its rounds: several windows, one visit after another, wishes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.matching import search
from app.orders import queries_reading
from app.orders import service as orders
from app.rounds import day as days
from app.rounds import making, publishing, storing
from app.rounds.facts import Rules, task_of
from app.routing.problem import Link, Window
from tests.rounds.days import SCOPE, WEDNESDAY, at, seconds
from tests.rounds.test_publishing import plan_row, planned
from tests.world.orders import TUESDAY_TEN, Town, make_town
from tests.world.recurring import make_recurring_plan

INSULIN_AND_MEAL = [
    {"windows": [(420, 480)], "item_code": "medication_care", "minutes": 30},
    {"windows": [(420, 720)], "item_code": "meal_home", "minutes": 60, "follows": 0, "least": 30, "most": 60},
]


@pytest.fixture(autouse=True)
def tuesday() -> Any:
    with clock.hold(TUESDAY_TEN):
        yield


async def tomorrow(tx: Tx, plan_id: UUID) -> list[UUID]:
    """The orders of a plan for the planned day, by slot."""
    rows = await tx.fetch(
        "SELECT order_id FROM recurring_occurrence WHERE plan_id = $1 AND day = $2 ORDER BY slot", plan_id, WEDNESDAY
    )
    return [row["order_id"] for row in rows]


async def made_of(tx: Tx) -> making.Made:
    return making.make(await days.read(tx, SCOPE))


async def with_meals(tx: Tx, **more: Any) -> tuple[Town, UUID]:
    town = await make_town(tx, providers=1, hours=(6, 20), **more)
    for code in ("medication_care", "meal_home"):
        await tx.run(
            "INSERT INTO provider_item (provider_id, item_code) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            town.providers[0], code,
        )  # fmt: skip
    return town, await make_recurring_plan(tx, town.elder, slots=INSULIN_AND_MEAL)


async def test_every_window_of_a_plan_is_one_of_the_task(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder, slots=[{"windows": [(840, 1020), (540, 720)]}])
    (order_id,) = await tomorrow(tx, plan)
    assert (await orders.get(tx, order_id)).wanted_from == at(14), "the window that is wanted most"
    tasks = {one.id: one for one in (await made_of(tx)).problem.tasks}
    windows = tasks[task_of(str(order_id))].windows
    assert windows == (Window(seconds(9), seconds(11)), Window(seconds(14), seconds(16)))


async def test_the_meal_is_linked_to_the_insulin_before_it(tx: Tx) -> None:
    _, plan = await with_meals(tx)
    insulin, meal = (task_of(str(order_id)) for order_id in await tomorrow(tx, plan))
    assert Link(insulin, meal, 1800, 3600, different_caregivers=False) in (await made_of(tx)).problem.links


async def test_insulin_is_given_even_where_nobody_may_cook(tx: Tx) -> None:
    _, plan = await with_meals(tx, certificates=("nursing_assistant",))
    assert len(await tomorrow(tx, plan)) == 2
    assert (await made_of(tx)).problem.links == ()


async def booked(tx: Tx, order_id: UUID, caregiver_id: UUID, begin: float) -> None:
    await tx.run(
        """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
        VALUES ($1, $2, $1, 'lead', 'booked', tstzrange($3, $4), $3, 30, $3)""",
        order_id, caregiver_id, at(begin), at(begin + 0.5),
    )  # fmt: skip


async def test_a_meal_waits_for_insulin_that_stays_as_it_is(tx: Tx) -> None:
    town, plan = await with_meals(tx)
    insulin, meal = await tomorrow(tx, plan)
    await booked(tx, insulin, town.caregivers[0][0], 7.5)
    with clock.hold(at(7.75)):
        made = await made_of(tx)
    assert str(insulin) in made.aside
    windows = {one.id: one.windows for one in made.problem.tasks}[task_of(str(meal))]
    assert windows == (Window(seconds(8), seconds(8.5)),)


async def test_a_meal_follows_insulin_that_is_being_given(tx: Tx) -> None:
    town, plan = await with_meals(tx)
    insulin, meal = await tomorrow(tx, plan)
    await booked(tx, insulin, town.caregivers[0][0], 7.5)
    await tx.run(
        "UPDATE care_order SET status = 'in_service', provider_id = $2, caregiver_id = $3 WHERE id = $1",
        insulin, town.providers[0], town.caregivers[0][0],
    )  # fmt: skip
    with clock.hold(at(7.75)):
        windows = {one.id: one.windows for one in (await made_of(tx)).problem.tasks}
    assert windows[task_of(str(meal))] == (Window(seconds(8), seconds(8.5)),)


@pytest.mark.parametrize(
    ("booked_slot", "begin", "other_slot", "first", "last"), [(0, 7.5, 1, 8, 8.5), (1, 8.5, 0, 7.5, 8)]
)
async def test_who_is_sent_out_alone_keeps_the_distance_too(
    tx: Tx, booked_slot: int, begin: float, other_slot: int, first: float, last: float
) -> None:
    """After the evening before, orders go out one by one: the meal after the insulin, the insulin before the meal."""
    town, plan = await with_meals(tx, caregivers=2)
    visits = await tomorrow(tx, plan)
    order = await orders.get(tx, visits[other_slot])
    assert (await search.find(tx, order, [])).starts_at == at(7), "the first time of its window, while nobody is booked"
    await booked(tx, visits[booked_slot], town.caregivers[0][0], begin)
    found = await search.find(tx, order, [])
    assert found.ranked
    assert at(first) <= found.starts_at <= at(last)


async def test_a_wished_caregiver_is_a_preference(tx: Tx) -> None:
    town = await make_town(tx, providers=2, caregivers=2)
    wished, provider = town.caregivers[1][0], town.providers[1]
    plan = await make_recurring_plan(tx, town.elder, caregiver_id=wished, provider_id=provider)
    (order_id,) = await tomorrow(tx, plan)
    preference = {one.id: one.preference for one in (await made_of(tx)).problem.tasks}[task_of(str(order_id))]
    rules = Rules()
    assert preference == {
        str(wished): -rules.wished_provider - rules.wished_caregiver,
        str(town.caregivers[1][1]): -rules.wished_provider,
    }


async def test_a_round_takes_what_waited_for_it_and_the_order_goes_into_its_other_window(database: Database) -> None:
    async with database.transaction() as tx:
        town = await make_town(tx, providers=1, caregivers=1, hours=(8, 13))
        plan = await make_recurring_plan(tx, town.elder, slots=[{"windows": [(840, 1020), (540, 720)]}])
        (order_id,) = await tomorrow(tx, plan)
        before = await orders.get(tx, order_id)
        due = "SELECT due_at FROM order_deadline WHERE order_id = $1 AND name = 'arrive'"
        arrives = await tx.fetchval(due, order_id)
    assert before.status == "placed"
    plan_id = await planned(database)
    kept = storing.plan_from((await plan_row(database, plan_id))["plan"])
    assert [stop.task for one in kept.rounds for stop in one.stops] == [task_of(str(order_id))]
    async with database.transaction() as tx:
        await publishing.publish(tx, SYSTEM, plan_id, None)
        order = await orders.get(tx, order_id)
        assert (order.status, order.wanted_from, order.wanted_to) == ("dispatched", at(9), at(12))
        assert await tx.fetchval(due, order_id) == arrives - timedelta(hours=5)
        moves = [(row["seq"], row["after"], row["reason"]) for row in await queries_reading.timeline(tx, order_id)]
        assert moves[-1] == (order.version, "dispatched", "other_window")
