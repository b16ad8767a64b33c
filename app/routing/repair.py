"""Ways to mend a day that broke, from the one that disturbs nobody to the one that asks everybody.

The dispatcher sees the whole frontier and picks. All levels are the same search over more and more caregivers, each
begun from what the one before found; a visit that changes hands has to be worth it. Links: see `disruption`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.routing import insertion
from app.routing.disruption import Broken, Disruption, broken, repaired
from app.routing.frontier import NOTICE, Frontier, Repair
from app.routing.possibility import MUST, allowed
from app.routing.problem import Plan, Problem, Task, Window
from app.routing.timetable import orders_of, plan_of
from app.routing.validation import cost, violations

COOL = 0.05
"""The temperature a repair begins with: what stands is good."""

CHANGED_HANDS = 1800
"""What it costs, in travel, to send somebody else than was told."""

PROMISED = 9
"""To drop a visit that stands costs a third of a priority more than not to save one: a promise is not moved about."""

LEVELS = {"pinned": 0.1, "6": 0.08, "12": 0.12, "24": 0.2, "full": 0.5}
"""How many neighbours may be disturbed, and the share of the time each level has."""


def frontier(
    problem: Problem,
    plan: Plan,
    disruption: Disruption,
    now: int,
    *,
    budget_cpu_s: float = 0.6,
    seed: int = 1,
    progress: Callable[[str, float, float], None] | None = None,
) -> Frontier:
    """The repairs of a valid plan, least disturbance first. What has started by `now` is in all of them as it was.

    `budget_cpu_s` is for searching; taking the day apart comes on top. A repair the validator refuses is left out.
    """
    day = broken(problem, plan, disruption, now)
    repairs: list[Repair] = []
    orders, spent = dict(day.orders), 0.0
    for level, share in LEVELS.items():
        began = time.process_time()
        tried = _mended(day, orders, level, share * budget_cpu_s, seed)
        whole, mended = repaired(day, tried)
        if not violations(whole, mended):
            orders = tried
            repairs.append(_told(day, level, whole, mended, time.process_time() - began))
        spent += share
        if progress and repairs:
            progress(level, min(one.cost.total for one in repairs), min(1.0, spent))
    others = sum(len(names) for names in day.orders.values())
    return Frontier(day.lost, others, tuple(repairs), insertion.room(day.rest, day.orders, day.lost))


Orders = dict[str, tuple[str, ...]]


def _mended(day: Broken, orders: Orders, level: str, budget_cpu_s: float, seed: int) -> Orders:
    """Who does what, in order, if only the caregivers of this level may be asked."""
    asked = _asked(day, None if level in ("pinned", "full") else int(level))
    part = _part(day, orders, asked, pinned=level == "pinned")
    start = plan_of(part, {name: orders[name] for name in asked})
    found = insertion.search(part, start, budget_cpu_s=budget_cpu_s, seed=seed, warmest=COOL)
    return {**orders, **dict.fromkeys(asked, ()), **{name: tuple(way) for name, way in orders_of(found).items()}}


def _asked(day: Broken, most: int | None) -> list[str]:
    """Caregivers who may take any of the lost visits; if not all, those who come nearest to each, in turn."""
    tasks = {one.id: one for one in day.rest.tasks}
    lost = [tasks[name] for name in day.lost]

    def nearness(task: Task) -> list[str]:
        able = [one for one in day.rest.caregivers if allowed(task, one)]
        ways = {
            one.id: min(
                int(day.rest.travel[one.profile][place, task.place])
                for place in (one.start, *(tasks[name].place for name in day.orders[one.id]))
            )
            for one in able
        }
        return sorted(ways, key=lambda name: (ways[name], name))

    if most is None:
        return [one.id for one in day.rest.caregivers]
    near = [nearness(task) for task in lost]
    turns = (names[turn] for turn in range(len(day.rest.caregivers)) for names in near if turn < len(names))
    return list(dict.fromkeys(turns))[:most]


def _part(day: Broken, orders: Orders, asked: Sequence[str], *, pinned: bool) -> Problem:
    """The rest of the day as these caregivers have it. Pinned: what they have stays with them, nearly at its time."""
    weights = day.rest.objective
    starts = {stop.task: stop.starts for one in day.plan.rounds for stop in one.stops}
    whose = {name: who for who in asked for name in day.orders[who]}
    loyal = round(CHANGED_HANDS * weights.travel)

    def as_asked(task: Task) -> Task:
        liked = {name: round(value * weights.preference) for name, value in task.preference.items()}
        task = replace(task, priority=PROMISED * task.priority, preference=liked)
        if (who := whose.get(task.id)) is None:
            return task
        if not pinned:
            loyalty = {**liked, who: liked.get(who, 0) - loyal}
            return replace(task, priority=task.priority + PROMISED // 3, preference=loyalty)
        near = Window(starts[task.id] - NOTICE, starts[task.id] + NOTICE)
        windows = [Window(max(w.opens, near.opens), min(w.closes, near.closes)) for w in task.windows]
        windows = [w for w in windows if w.opens <= w.closes]
        return replace(task, windows=tuple(windows), only=frozenset({who}), priority=PROMISED * MUST)

    elsewhere = {name for who, names in orders.items() if who not in asked for name in names}
    ours = {*(name for who in asked for name in orders[who]), *whose, *day.lost} - elsewhere
    return replace(
        day.rest,
        caregivers=tuple(one for one in day.rest.caregivers if one.id in set(asked)),
        tasks=tuple(as_asked(task) for task in day.rest.tasks if task.id in ours),
        objective=replace(weights, preference=1.0, unserved=weights.unserved / PROMISED),
    )


def _told(day: Broken, level: str, problem: Problem, plan: Plan, cpu_s: float) -> Repair:
    before = {stop.task: (one.caregiver, stop.starts) for one in day.plan.rounds for stop in one.stops}
    after = {stop.task: (one.caregiver, stop.starts) for one in plan.rounds for stop in one.stops}
    others = [name for name in before if name not in day.lost]
    stayed = [name for name in others if name in after and after[name][0] == before[name][0]]
    moved = tuple(name for name in stayed if abs(after[name][1] - before[name][1]) > NOTICE)
    old, new = orders_of(day.plan), orders_of(plan)
    return Repair(
        level,
        problem,
        plan,
        saved=tuple(name for name in day.lost if name in after),
        handed_over=tuple(name for name in others if name in after and after[name][0] != before[name][0]),
        moved=moved,
        dropped=tuple(name for name in others if name not in after),
        told=tuple(
            one.id
            for one in problem.caregivers
            if old.get(one.id, []) != new.get(one.id, []) or any(before[name][0] == one.id for name in moved)
        ),
        cost=cost(problem, plan),
        cpu_s=cpu_s,
    )
