"""The problem that a small town's day poses: every work rule arrives in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Tx
from app.core.http import SYSTEM
from app.core.json import canonical, loads
from app.dispatch import service
from app.matching import blocked_pairs, queries_bookings
from app.orders import flags
from app.orders.lifecycle import SUSPENDED
from app.providers import workforce
from app.rounds import day as days
from app.rounds import making, storing, succession
from app.rounds.facts import FIXED, SECOND, Day, DayCaregiver, Rules, Taken, task_of
from app.routing import validation
from app.routing.problem import Break, Task, Window
from tests.rounds.days import NOON, SCOPE, WEDNESDAY, accepted, at, seconds, wanted
from tests.world.elders import make_elder
from tests.world.orders import TUESDAY_TEN, Town, make_town
from tests.world.providers import make_caregiver, make_provider


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(tx: Tx) -> Town:
    return await make_town(tx, providers=2, caregivers=2)


async def made_of(tx: Tx) -> making.Made:
    return making.make(await days.read(tx, SCOPE))


async def task(tx: Tx, order_id: UUID) -> Task:
    return {one.id: one for one in (await made_of(tx)).problem.tasks}[task_of(str(order_id))]


async def test_an_order_is_a_task_with_its_window_turnaround_and_priority(tx: Tx, town: Town) -> None:
    order = await wanted(tx, town.elder, 9, 12, minutes=60)
    one = await task(tx, order.id)
    assert (one.windows, one.duration) == ((Window(seconds(9), seconds(11)),), 65 * 60)
    assert one.only == frozenset(str(person) for team in town.caregivers for person in team)
    assert one.priority == Rules().priority["appointment"]


async def test_the_certificate_of_the_item_is_a_skill_and_expires(tx: Tx, town: Town) -> None:
    order = await wanted(tx, town.elder, 9, 12, item_code="bath_home")
    needed = await tx.fetchval("SELECT certificate FROM service_item WHERE code = 'bath_home'")
    assert needed
    assert (await task(tx, order.id)).skills == {needed}
    ana = town.caregivers[0][0]
    await tx.run(
        "UPDATE caregiver_certificate SET valid_to = $2 WHERE caregiver_id = $1 AND kind = $3",
        ana, TUESDAY_TEN.date(), needed,
    )  # fmt: skip
    skills = {one.id: one.skills for one in (await made_of(tx)).problem.caregivers}
    assert needed not in skills[str(ana)]
    assert needed in skills[str(town.caregivers[0][1])]


async def test_wishes_and_blocked_pairs_are_never(tx: Tx, town: Town) -> None:
    man = await make_caregiver(tx, town.providers[0], sex="male")
    elder = await make_elder(tx, gender_wish="female")
    order = await wanted(tx, elder, 9, 12)
    await blocked_pairs.block(tx, SYSTEM, elder, town.caregivers[1][0], "吵过架")
    assert (await task(tx, order.id)).never == {str(man), str(town.caregivers[1][0])}


async def test_being_known_is_a_preference(tx: Tx, town: Town) -> None:
    known, well_known = town.caregivers[0][0], town.caregivers[1][0]
    for person, visits in ((known, 2), (well_known, 50)):
        await tx.run("INSERT INTO continuity VALUES ($1, $2, $3, $4)", town.elder, person, visits, TUESDAY_TEN)
    order = await wanted(tx, town.elder, 9, 12)
    assert (await task(tx, order.id)).preference == {
        str(known): -2 * Rules().known_visit, str(well_known): -Rules().known_most
    }  # fmt: skip


async def test_only_providers_with_the_item_the_area_and_a_good_standing(tx: Tx, town: Town) -> None:
    elsewhere = await make_provider(tx, areas=("620321",))
    no_item = await make_provider(tx, items=("meal_home",))
    gone = await make_provider(tx, status="suspended", status_reason="检查")
    full = await make_provider(tx, daily_capacity=0)
    for provider in (elsewhere, no_item, gone, full):
        await make_caregiver(tx, provider)
    order = await wanted(tx, town.elder, 9, 12)
    assert (await task(tx, order.id)).only == {str(person) for team in town.caregivers for person in team}


async def test_who_has_accepted_keeps_the_order_and_who_refused_does_not_get_it(tx: Tx, town: Town) -> None:
    mine = await accepted(tx, await wanted(tx, town.elder, 9, 12))
    assert mine.provider_id is not None
    team = town.caregivers[town.providers.index(mine.provider_id)]
    one = await task(tx, mine.id)
    assert one.only == {str(person) for person in team}
    assert one.priority == Rules().priority["appointment"] + Rules().promised
    refused = await wanted(tx, town.elder, 14, 18)
    offer = await service.queries.open_offer(tx, refused.id)
    caller = service.Caller(kind="provider", id="p", name="企业", provider_id=offer["provider_id"])
    await service.refuse(tx, caller, offer["id"], "no_capacity", None)
    other = town.caregivers[1 - town.providers.index(offer["provider_id"])]
    assert (await task(tx, refused.id)).only == {str(person) for person in other}


async def test_a_visit_of_two_is_two_linked_tasks_of_one_provider(tx: Tx, town: Town) -> None:
    order = await wanted(tx, town.elder, 9, 12, item_code="bath_home")
    problem = (await made_of(tx)).problem
    both = [one for one in problem.tasks if one.id in (task_of(str(order.id)), task_of(str(order.id), SECOND))]
    assert len(both) == 2
    assert both[0].only == both[1].only
    assert both[0].only in [{str(person) for person in team} for team in town.caregivers]
    (link,) = problem.links
    assert (link.first, link.second, link.least, link.most, link.different_caregivers) == (
        both[0].id, both[1].id, 0, 0, True
    )  # fmt: skip


async def test_shifts_absences_and_lunch_make_a_caregivers_day(tx: Tx, town: Town) -> None:
    ana, bea = town.caregivers[0]
    excuse = {"starts_at": at(14), "ends_at": at(15), "reason": "体检"}
    await workforce.excuse(tx, SYSTEM, ana, excuse)
    await workforce.excuse(tx, SYSTEM, bea, {"starts_at": at(0), "ends_at": at(24), "reason": "病假"})
    there = {one.id: one for one in (await made_of(tx)).problem.caregivers}
    assert str(bea) not in there
    one = there[str(ana)]
    assert (one.shift_opens, one.shift_closes, one.start) == (seconds(8), seconds(20), one.end)
    rules = Rules()
    assert one.breaks == (
        Break(seconds(14), seconds(14), 3600), Break(rules.lunch_opens, rules.lunch_closes, rules.lunch)
    )  # fmt: skip


async def test_two_shifts_with_a_gap_at_noon_need_no_lunch(tx: Tx, town: Town) -> None:
    ana = town.caregivers[0][0]
    await workforce.set_shifts(
        tx, SYSTEM, ana,
        [{"weekday": 3, "starts_minute": 480, "ends_minute": 720},
         {"weekday": 3, "starts_minute": 840, "ends_minute": 1080}],
    )  # fmt: skip
    (one,) = [one for one in (await made_of(tx)).problem.caregivers if one.id == str(ana)]
    assert (one.shift_opens, one.shift_closes) == (seconds(8), seconds(18))
    assert one.breaks == (Break(seconds(12), seconds(12), 2 * 3600),)


async def test_bookings_are_the_plan_as_it_stands(tx: Tx, town: Town) -> None:
    order = await accepted(tx, await wanted(tx, town.elder, 9, 12, minutes=60))
    made = await made_of(tx)
    (one,) = made.warm.rounds
    assert (one.caregiver, [stop.task for stop in one.stops]) == (str(order.caregiver_id), [task_of(str(order.id))])
    assert one.stops[0].starts == seconds(9)
    assert made.warm.unserved == ()
    assert validation.cost(made.problem, made.warm).unserved == 0


async def test_what_is_not_to_be_moved_is_a_task_with_one_begin(tx: Tx, town: Town) -> None:
    order = await accepted(tx, await wanted(tx, town.elder, 9, 12, minutes=60))
    held = (await queries_bookings.blocking(tx, order.caregiver_id, at(9), at(10)))["starts_at"]
    assert held == at(9)
    await flags.add(tx, order.id, SUSPENDED, SYSTEM.actor)
    made = await made_of(tx)
    (fixed,) = [one for one in made.problem.tasks if one.id.startswith(FIXED)]
    assert fixed.only == {str(order.caregiver_id)}
    assert fixed.windows[0].opens == fixed.windows[0].closes < seconds(9)
    assert fixed.windows[0].opens + fixed.duration == seconds(10) + 300
    assert task_of(str(order.id)) not in {one.id for one in made.problem.tasks}


async def test_at_noon_the_day_goes_on_from_where_it_is(tx: Tx, town: Town) -> None:
    soon = await wanted(tx, town.elder, 9, 18)
    over = await wanted(tx, town.elder, 8, 11)
    await tx.run("UPDATE booking SET status = 'released'")
    with clock.hold(NOON):
        made = await made_of(tx)
    assert made.aside == {str(over.id): succession.WINDOW_OVER}
    (one,) = made.problem.tasks
    assert one.windows[0].opens == seconds(12)
    assert {person.shift_opens for person in made.problem.caregivers} == {seconds(12)}
    assert one.id == task_of(str(soon.id))


def test_a_visit_that_goes_on_ends_first_and_the_next_way_begins_there() -> None:
    door, home = (102.20, 38.53), (102.18, 38.51)
    going_on = Taken("o", seconds(11.5), seconds(12.5), door)
    person = DayCaregiver(
        id="ana", provider="p", sex="female", home=home, mode="walk", certificates=frozenset(),
        shifts=((seconds(8), seconds(18)),), taken=(going_on,),
    )  # fmt: skip
    made = making.make(Day(now=seconds(12), orders=(), caregivers=(person,), providers=(), pace={}))
    (one,) = made.problem.caregivers
    assert (one.shift_opens, made.places[one.start], made.places[one.end]) == (seconds(12.5), door, home)
    assert made.problem.tasks == ()


async def test_problems_and_plans_are_the_same_after_being_kept(tx: Tx, town: Town) -> None:
    for item, since in (("bath_home", 9), ("clean_home", 14)):
        await wanted(tx, town.elder, since, since + 3, item_code=item)
    day = await days.read(tx, SCOPE)
    made = making.make(day)
    kept: dict[str, Any] = storing.problem_to(made, day.pace)
    again = storing.problem_from(loads(canonical(kept)))
    assert replace(again, travel=()) == replace(made.problem, travel=())
    assert all((one == other).all() for one, other in zip(again.travel, made.problem.travel, strict=True))
    assert storing.plan_from(loads(canonical(storing.plan_to(made.warm)))) == made.warm
    assert SCOPE.service_day == WEDNESDAY
