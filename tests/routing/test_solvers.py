"""Every solver keeps every rule on crowded days; warm starts are never spoilt; the door to them keeps its promises."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from app.routing import insertion, pyvrp, solving, vroom
from app.routing.possibility import allowed, bound, frozen, marks
from app.routing.problem import Link, Pin, Plan, Problem, Task, Window
from app.routing.solving import solve
from app.routing.timetable import orders_of
from app.routing.validation import cost, reasons, violations
from tests.routing.days import random_day
from tests.routing.small_day import PLAN, PROBLEM, stop_at

pytestmark = pytest.mark.timeout(600)  # the first run on a machine compiles
SEEDS = range(6)


def nobody(problem: Problem) -> Plan:
    return Plan((), tuple(task.id for task in problem.tasks))


@pytest.mark.parametrize("seed", SEEDS)
def test_marks_say_what_allowed_says(seed: int) -> None:
    day = random_day(seed)
    asked, has = marks(day)
    for task, asks in zip(day.tasks, asked, strict=True):
        for caregiver, had in zip(day.caregivers, has, strict=True):
            assert (asks <= had) == allowed(task, caregiver)


@pytest.mark.parametrize("seed", SEEDS)
def test_vroom_keeps_the_rules(seed: int) -> None:
    day = random_day(seed)
    plan = vroom.solve(day, level=0)
    assert violations(day, plan) == ()
    assert len(plan.unserved) < len(day.tasks) / 2
    assert cost(day, plan).total >= bound(day)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_pyvrp_keeps_the_rules_and_what_is_served(seed: int, required: bool) -> None:
    day = random_day(seed, breaks=False)
    warm = vroom.solve(day, level=0)
    plan = pyvrp.solve(day, warm, budget_cpu_s=0.3, seed=seed, required=required)
    assert violations(day, plan) == ()
    if required:
        assert set(plan.unserved) <= set(warm.unserved)


@pytest.mark.parametrize("seed", SEEDS)
def test_insertion_keeps_the_rules_and_never_loses(seed: int) -> None:
    day = random_day(seed)
    built = insertion.search(day, nobody(day), budget_cpu_s=60, seed=seed, steps=500)
    better = insertion.search(day, built, budget_cpu_s=60, seed=seed, steps=500)
    assert violations(day, built) == violations(day, better) == ()
    assert bound(day) <= cost(day, better).total <= cost(day, built).total < cost(day, nobody(day)).total / 2


def test_insertion_is_the_same_for_the_same_seed_and_steps() -> None:
    day = random_day(1)
    one, same = (insertion.search(day, nobody(day), budget_cpu_s=60, seed=7, steps=400) for _ in range(2))
    assert one == same
    others = [insertion.search(day, nobody(day), budget_cpu_s=60, seed=seed, steps=5) for seed in range(8)]
    assert any(other != others[0] for other in others)


def test_insertion_counts_its_cost_as_the_validator_does() -> None:
    day, told = random_day(2), list[float]()
    plan = insertion.search(
        day, nobody(day), budget_cpu_s=60, seed=1, steps=300, progress=lambda least, _: told.append(least)
    )
    assert told[-1] == pytest.approx(cost(day, plan).total)
    assert told == sorted(told, reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_room_is_what_the_validator_would_allow(seed: int) -> None:
    """Against putting the task at every place of every round."""
    day = random_day(seed)
    plan = vroom.solve(day, level=0)
    orders = orders_of(plan)
    from app.routing.timetable import timed

    tasks = {task.id: task for task in day.tasks}
    found = insertion.room(day, orders, plan.unserved)
    for name in plan.unserved:
        room = 0
        for caregiver in day.caregivers:
            way = [tasks[other] for other in orders.get(caregiver.id, [])]
            tries = ([*way[:at], tasks[name], *way[at:]] for at in range(len(way) + 1))
            matrix = day.travel[caregiver.profile]
            room += allowed(tasks[name], caregiver) and any(timed(matrix, caregiver, order) for order in tries)
        assert found[name]["has_room"] == room
        assert sum(found[name].values()) == len(day.caregivers)


def test_solve_uses_what_can_express_the_problem_and_stays_within_its_budget() -> None:
    solving.prepare()
    day = random_day(3, caregivers=8, tasks=60, breaks=False)
    told: list[tuple[str, float, float]] = []
    began = time.process_time()
    found = solve(day, 2.0, progress=lambda *said: told.append(said))
    assert time.process_time() - began < 2.6
    assert [name for name, _, _ in found.steps] == ["vroom", "insertion", "pyvrp"]
    assert found.violations == ()
    assert found.cost == cost(day, found.plan)
    assert found.bound <= found.cost.total <= min(came_to for _, _, came_to in found.steps)
    bests = [best for _, best, _ in told]
    assert bests == sorted(bests, reverse=True)
    assert told[-1][1] == found.cost.total
    assert all(0 <= share <= 1 for _, _, share in told)
    with_breaks = solve(random_day(3), 0.5)
    assert "pyvrp" not in [name for name, _, _ in with_breaks.steps]


def test_links_are_kept_and_both_or_neither_served() -> None:
    found = solve(PROBLEM, 1.0)
    assert found.violations == ()
    assert found.cost.total <= cost(PROBLEM, PLAN).total
    assert "vroom" not in [name for name, _, _ in found.steps]


def test_soft_windows_are_for_the_synchronised_search_alone() -> None:
    soft = replace(PROBLEM, soft_windows=True, objective=replace(PROBLEM.objective, lateness=1.0))
    soft = replace(soft, caregivers=tuple(replace(one, shift_closes=100_000) for one in soft.caregivers))
    found = solve(soft, 1.0)
    assert {name for name, _, _ in found.steps} == {"synchronised"}
    assert found.violations == ()


def test_a_warm_plan_is_never_made_worse() -> None:
    day = random_day(4)
    good = solve(day, 1.0)
    again = solve(day, 0.05, good.plan)
    assert again.cost.total <= good.cost.total
    assert again.steps[0][0] == "warm"


def test_a_bad_warm_plan_is_refused_and_said_so() -> None:
    day = random_day(5)
    good = solve(day, 0.5).plan
    first, *others = good.rounds
    bad = Plan((replace(first, back=first.back - 10_000), *others), good.unserved)
    found = solve(day, 0.3, bad)
    assert found.steps[0][0].startswith("warm refused: travel")
    assert found.violations == ()


def test_a_solver_that_breaks_a_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insertion, "search", lambda *_, **__: stop_at(PLAN, "shopping", starts=470))
    found = solve(PROBLEM, 0.5, only=("insertion",))
    assert all(name.startswith("insertion refused: ") for name, _, _ in found.steps)
    assert found.plan == nobody(PROBLEM)


def test_pins_stay() -> None:
    day = random_day(0)
    plan = solve(day, 0.5).plan
    pins = [Pin(stop.task, one.caregiver) for one in plan.rounds for stop in one.stops[::2]]
    pins += [Pin(one.stops[1].task, one.caregiver, one.stops[1].starts) for one in plan.rounds if len(one.stops) > 1]
    moved = solve(day, 0.5, plan, pins, seed=9)
    assert violations(day, moved.plan, pins) == ()
    fixed = {pin.task for pin in pins}
    assert fixed <= {stop.task for one in moved.plan.rounds for stop in one.stops}


def test_only_some_solvers() -> None:
    day = random_day(0, breaks=False)
    assert [name for name, _, _ in solve(day, 0.5, only=("vroom",)).steps] == ["vroom"]
    assert solve(day, 0.5, only=()).plan == nobody(day)


def test_what_nobody_can_do_comes_back_unserved_with_the_reason() -> None:
    day = random_day(1)
    strange = Task("strange", 1, 60, (Window(0, 99_999),), frozenset({"surgeon"}), 100)
    found = solve(replace(day, tasks=(*day.tasks, strange)), 0.5)
    assert "strange" in found.plan.unserved
    assert reasons(replace(day, tasks=(*day.tasks, strange)), found.plan)["strange"] == "no_skill"


@pytest.mark.parametrize("part", ["caregivers", "tasks"])
def test_a_day_without_anybody_or_anything(part: str) -> None:
    day = replace(random_day(1), **{part: ()})  # type: ignore[arg-type]
    found = solve(day, 0.2)
    assert found.violations == ()
    assert found.plan.rounds == ()


def test_frozen_fixes_the_linked_and_takes_away_those_left_out() -> None:
    day = replace(PROBLEM, links=(*PROBLEM.links, Link("shopping", "cleaning", 0, 600, different_caregivers=False)))
    left = frozen(day, PLAN)
    assert left.links == ()
    tasks = {task.id: task for task in left.tasks}
    assert set(tasks) == {"insulin", "dressing", "lift", "second", "shopping"}
    assert tasks["lift"].windows == (Window(620, 620),)
    assert tasks["lift"].only == {"ben"}
