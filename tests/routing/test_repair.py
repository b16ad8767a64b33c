"""A day that breaks: what happened stays, what is lost is saved or explained, and how many are disturbed is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks.city_day import city_day

from app.routing import repair
from app.routing.disruption import Disruption, Illness, Overrun, Vacancies, broken, repaired
from app.routing.problem import Caregiver, Link, Plan, Problem, Task, Window
from app.routing.solving import solve
from app.routing.timetable import orders_of, plan_of
from app.routing.validation import violations
from app.routing.workers import mend_apart
from tests.routing.small_day import LINE, PLAN, PROBLEM

pytestmark = pytest.mark.timeout(600)  # the first run on a machine compiles

NOON = 12 * 3600


@pytest.fixture(scope="module")
def city() -> tuple[Problem, Plan]:
    day = city_day("breaks", caregivers=20, visits=140, seed=5)
    return day, solve(day, 2.0).plan


def started(plan: Plan, now: int) -> dict[str, tuple[str, int]]:
    return {s.task: (one.caregiver, s.starts) for one in plan.rounds for s in one.stops if s.starts <= now}


def busiest(plan: Plan) -> str:
    return max(plan.rounds, key=lambda one: len(one.stops)).caregiver


def plan_at(day: Problem, rounds: dict[str, dict[str, int]]) -> Plan:
    """The plan in which these visits start at these times."""
    windows = {name: (Window(at, at),) for starts in rounds.values() for name, at in starts.items()}
    fixed = replace(day, tasks=tuple(replace(task, windows=windows[task.id]) for task in day.tasks))
    return plan_of(fixed, {who: list(starts) for who, starts in rounds.items()})


def disruptions(plan: Plan, problem: Problem) -> list[Disruption]:
    going_on = next(s for one in plan.rounds for s in one.stops if s.starts <= NOON < s.ends)
    later = next(s for one in plan.rounds for s in one.stops if s.starts > NOON + 7200)
    return [
        Illness(busiest(plan), NOON),
        Illness(busiest(plan), NOON + 3600),
        Vacancies((plan.unserved[0],)),
        Overrun(going_on.task, 5400),
        Overrun(later.task, 3600),
    ]


@pytest.mark.parametrize("which", range(5))
def test_what_has_started_is_in_every_repair_as_it_was(city: tuple[Problem, Plan], which: int) -> None:
    problem, plan = city
    found = repair.frontier(problem, plan, disruptions(plan, problem)[which], NOON, budget_cpu_s=0.3)
    assert [one.level for one in found.repairs] == list(repair.LEVELS)
    for one in found.repairs:
        assert violations(one.problem, one.plan) == ()
        assert started(plan, NOON).items() <= started(one.plan, NOON).items()
        assert started(one.plan, NOON) == started(plan, NOON)


@pytest.mark.parametrize("since", [0, NOON])
def test_who_is_ill_does_nothing_from_then_on(city: tuple[Problem, Plan], since: int) -> None:
    problem, plan = city
    ill = busiest(plan)
    found = repair.frontier(problem, plan, Illness(ill, since), since, budget_cpu_s=0.3)
    theirs = next(one.stops for one in plan.rounds if one.caregiver == ill)
    assert set(found.lost) == {stop.task for stop in theirs if stop.starts > since}
    for one in found.repairs:
        left = [s for r in one.plan.rounds if r.caregiver == ill for s in r.stops]
        assert all(stop.starts <= since for stop in left)
        assert set(one.saved) | set(one.dropped) | set(one.plan.unserved) >= set(found.lost) - set(one.saved)


def test_the_frontier_trades_disturbance_for_visits(city: tuple[Problem, Plan]) -> None:
    problem, plan = city
    found = repair.frontier(problem, plan, Illness(busiest(plan), 0), 0, budget_cpu_s=0.6)
    pinned, full = found.repairs[0], found.repairs[-1]
    assert pinned.disturbed == 0
    assert len(pinned.saved) > 0
    assert full.cost.total < pinned.cost.total
    priority = {task.id: task.priority for task in problem.tasks}
    weights = [sum(priority[name] for name in one.saved) for one in found.repairs]
    assert weights[-1] >= weights[0]


@pytest.mark.parametrize("since", [0, NOON])
def test_up_to_six_neighbours_nobody_else_is_kept_waiting(city: tuple[Problem, Plan], since: int) -> None:
    problem, plan = city
    found = repair.frontier(problem, plan, Illness(busiest(plan), since), since, budget_cpu_s=0.6)
    pinned, six, *_ = found.repairs
    assert (pinned.handed_over, pinned.moved, pinned.dropped, six.moved) == ((), (), (), ())


def test_a_lost_visit_gives_way_to_the_time_of_one_that_stands() -> None:
    """Whose caregiver for 11:00 is ill can be seen before the visit of 10:45, or at 11:00 in its place: the one that
    stands keeps its time.
    """
    half = 1800
    wide = (Window(19 * half, 26 * half),)
    lost, stands = Task("lost", 1, half, (Window(19 * half, 40_200),)), Task("stands", 1, 2 * half, wide)
    shift = (18 * half, 30 * half)
    day = Problem((Caregiver("a", 0, 0, *shift), Caregiver("b", 0, 0, *shift)), (lost, stands), (LINE * 0,))
    plan = plan_at(day, {"a": {"lost": 22 * half}, "b": {"stands": 38_700}})
    pinned = repair.frontier(day, plan, Illness("a", 0), 0, budget_cpu_s=0.2).repairs[0]
    assert (pinned.level, pinned.saved, pinned.moved) == ("pinned", ("lost",), ())


def test_who_can_only_come_late_comes_late_and_is_counted() -> None:
    """The first of two visits takes 30 minutes longer, so the second cannot begin within a quarter of an hour of its
    time; its window is open for longer.
    """
    wide, narrow = (Window(0, 9000),), (Window(0, 0),)
    day = Problem(
        (Caregiver("a", 0, 0, 0, 20_000),), (Task("long", 1, 600, narrow), Task("next", 2, 600, wide)), (LINE * 0,)
    )
    plan = plan_of(day, {"a": ["long", "next"]})
    for one in repair.frontier(day, plan, Overrun("long", 1800), 60, budget_cpu_s=0.2).repairs:
        assert (one.moved, one.dropped, one.plan.rounds[0].stops[1].starts) == (("next",), (), 2400)


def test_numbers_are_counted_from_the_plans(city: tuple[Problem, Plan]) -> None:
    problem, plan = city
    found = repair.frontier(problem, plan, Illness(busiest(plan), 0), 0, budget_cpu_s=0.6)
    before = {s.task: (one.caregiver, s.starts) for one in plan.rounds for s in one.stops}
    for one in found.repairs:
        after = {s.task: (r.caregiver, s.starts) for r in one.plan.rounds for s in r.stops}
        others = set(before) - set(found.lost)
        assert set(one.dropped) == others - set(after)
        assert set(one.handed_over) == {n for n in others & set(after) if before[n][0] != after[n][0]}
        assert set(one.saved) == set(found.lost) & set(after)
        changed = {c.id for c in problem.caregivers if orders_of(plan).get(c.id) != orders_of(one.plan).get(c.id)}
        assert changed <= set(one.told)


def test_a_visit_nobody_can_take_is_explained_over_all_caregivers(city: tuple[Problem, Plan]) -> None:
    problem, plan = city
    tasks = {task.id: task for task in problem.tasks}
    ill = busiest(plan)
    theirs = next(one.stops for one in plan.rounds if one.caregiver == ill)[-1].task
    alone = replace(tasks[theirs], only=frozenset({ill}), priority=20)
    day = replace(problem, tasks=tuple(alone if task.id == theirs else task for task in problem.tasks))
    found = repair.frontier(day, plan, Illness(ill, 0), 0, budget_cpu_s=0.3)
    assert theirs in found.lost
    assert all(theirs not in one.saved for one in found.repairs)
    assert found.room[theirs] == {"not_allowed": 19, "out_of_shift": 0, "no_gap": 0, "has_room": 0}


def test_a_high_priority_takes_the_place_of_a_low_one_only_beyond_the_pinned_level() -> None:
    """One caregiver, one hour, one visit in it; an emergency that weighs twenty times as much."""
    hour = (Window(0, 5),)
    day = Problem(
        (Caregiver("a", 0, 0, 0, 100),),
        (Task("standing", 1, 60, hour), Task("urgent", 2, 60, hour, priority=20)),
        (LINE * 0 + 1,),
    )
    plan = plan_of(day, {"a": ["standing"]})
    found = repair.frontier(day, plan, Vacancies(("urgent",)), -1, budget_cpu_s=0.2)
    assert found.repairs[0].saved == ()
    assert (found.repairs[-1].saved, found.repairs[-1].dropped) == (("urgent",), ("standing",))
    equal = replace(day, tasks=(day.tasks[0], replace(day.tasks[1], priority=1)))
    assert all(not one.dropped for one in repair.frontier(equal, plan, Vacancies(("urgent",)), -1).repairs)


def test_on_the_way_is_as_good_as_started() -> None:
    """At 565 Ben is on his way to `lift`, which starts at 620."""
    day = broken(replace(PROBLEM, links=()), PLAN, Vacancies(("cleaning",)), 565)
    assert [stop.task for stop in day.standing["ben"].done] == ["shopping", "lift"]
    earlier = broken(replace(PROBLEM, links=()), PLAN, Vacancies(("cleaning",)), 559)
    assert [stop.task for stop in earlier.standing["ben"].done] == ["shopping"]


def test_a_break_that_was_taken_is_not_taken_again() -> None:
    day = broken(PROBLEM, PLAN, Vacancies(("cleaning",)), 700)
    ann = day.standing["ann"]
    assert (ann.rested, ann.later.breaks, ann.later.shift_opens) == ((690,), (), 720)
    whole, plan = repaired(day, day.orders)
    assert plan == PLAN
    assert violations(whole, plan) == ()


def test_a_linked_visit_keeps_its_time_and_its_half_is_not_taken_by_the_same_person() -> None:
    """Ben is ill at 565: `lift` needs somebody at 620 who is not Ann, who does `second`."""
    day = broken(PROBLEM, PLAN, Illness("ben", 565), 565)
    tasks = {task.id: task for task in day.rest.tasks}
    assert day.lost == ("lift",)
    assert tasks["lift"].windows == (Window(620, 620),)
    assert "ann" in tasks["lift"].never
    assert tasks["second"].windows == (Window(620, 620),)
    whole, plan = repaired(day, day.orders)
    assert {"lift", "second"} <= set(plan.unserved)
    assert violations(whole, plan) == ()


TWO = Problem(
    (Caregiver("a", 0, 0, 0, 9000), Caregiver("b", 0, 0, 0, 9000)),
    (
        Task("standing", 0, 3000, (Window(0, 0),)),
        Task("lead", 1, 600, (Window(0, 6000),), priority=9),
        Task("second", 1, 600, (Window(0, 6000),), priority=9),
    ),
    (LINE * 0,),
    (Link("lead", "second"),),
)


@pytest.mark.parametrize(("told", "starts"), [({}, 3000), ({"lead": 4200, "second": 4200}, 4200)])
def test_two_who_are_needed_together_come_together(told: dict[str, int], starts: int) -> None:
    """At the time that was told, or as soon as both have room."""
    plan = plan_of(TWO, {"a": ["standing"]})
    for one in repair.frontier(TWO, plan, Vacancies(("lead", "second"), told), -1, budget_cpu_s=0.2).repairs:
        assert set(one.saved) == {"lead", "second"}
        stops = [s for r in one.plan.rounds for s in r.stops if s.task != "standing"]
        assert [stop.starts for stop in stops] == [starts, starts]


def test_two_who_cannot_come_when_it_was_told_come_as_soon_as_they_can() -> None:
    plan = plan_of(TWO, {"a": ["standing"]})
    told = {"lead": 1200, "second": 1200}  # until 3000 one of them is at work
    for one in repair.frontier(TWO, plan, Vacancies(("lead", "second"), told), -1, budget_cpu_s=0.2).repairs:
        assert [s.starts for r in one.plan.rounds for s in r.stops if s.task != "standing"] == [3000, 3000]


def test_two_who_cannot_come_together_do_not_come_at_all() -> None:
    """One of them may do both: nobody is told to come alone."""
    tasks = tuple(replace(task, only=frozenset("a")) if task.id != "standing" else task for task in TWO.tasks)
    day = replace(TWO, tasks=tasks)
    for one in repair.frontier(day, plan_of(day, {}), Vacancies(("lead", "second")), -1, budget_cpu_s=0.2).repairs:
        assert (one.saved, violations(one.problem, one.plan)) == ((), ())


def test_the_visit_that_is_in_the_way_goes_and_not_the_cheapest_of_the_day() -> None:
    """From 100 on the caregiver is away; nothing else of the round is in danger."""
    tasks = (Task("cheap", 1, 10, (Window(0, 50),)), Task("dear", 1, 50, (Window(60, 100),), priority=5))
    day = Problem((Caregiver("a", 0, 0, 0, 200),), tasks, (LINE * 0,))
    plan = plan_of(day, {"a": ["cheap", "dear"]})
    shorter = replace(day, caregivers=(replace(day.caregivers[0], shift_closes=100),))
    assert broken(shorter, plan, Vacancies(()), -1).lost == ("dear",)


def test_a_link_whose_other_half_has_happened_is_no_more() -> None:
    day = broken(PROBLEM, PLAN, Illness("ann", 531), 531)
    assert "dressing" in day.lost
    whole, plan = repaired(day, day.orders)
    assert "dressing" in plan.unserved
    assert Link("insulin", "dressing", 60, 120, different_caregivers=False) not in whole.links
    assert violations(whole, plan) == ()


def test_an_overrun_beyond_the_shift_still_ends_at_home() -> None:
    day = broken(replace(PROBLEM, links=()), PLAN, Overrun("second", 300), 630)
    whole, plan = repaired(day, day.orders)
    assert violations(whole, plan) == ()
    ann = next(one for one in plan.rounds if one.caregiver == "ann")
    assert ann.stops[-1].ends == 950
    assert ann.back >= 950 + 30 + 30


async def test_apart_it_is_the_same(city: tuple[Problem, Plan]) -> None:
    problem, plan = city
    found = await mend_apart(problem, plan, Illness(busiest(plan), NOON), NOON, budget_cpu_s=0.3)
    assert [one.level for one in found.repairs] == list(repair.LEVELS)
    assert set(found.room) == set(found.lost)
