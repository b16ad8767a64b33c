"""Ways to mend a day that broke, from the one that disturbs nobody to the one that asks everybody.

The dispatcher sees the whole frontier and picks. All levels are the same search over more and more caregivers, each
begun from what the one before found; a visit that changes hands has to be worth it. Links: see `disruption`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from app.routing import insertion
from app.routing.disruption import Broken, Disruption, Vacancies, broken, repaired
from app.routing.frontier import Frontier, Repair
from app.routing.possibility import MUST, allowed
from app.routing.problem import Plan, Problem, Task
from app.routing.promises import NOTICE, nearly_at
from app.routing.timetable import orders_of, plan_of, starts_of, visits_of
from app.routing.validation import cost, violations

COOL = 0.05
"""The temperature a repair begins with: what stands is good."""

PROMISED = 9
"""To drop a visit that stands costs a third of a priority more than not to save one: a promise is not moved about."""


class Level(NamedTuple):
    """Who may be asked, and at what price."""

    share: float
    """Of the time for all levels."""
    neighbours: int | None
    """Caregivers who may be disturbed; None: everybody."""
    punctual: bool
    """Every visit that stands stays nearly at its time."""
    changed_hands: int | None
    """What it costs, in travel, to send somebody else than was told; None: nobody else is sent."""


LEVELS = {
    "pinned": Level(0.1, None, True, None),
    "6": Level(0.08, 6, True, 7200),
    "12": Level(0.12, 12, False, 1800),
    "24": Level(0.2, 24, False, 1800),
    "full": Level(0.5, None, False, 1800),
}


def frontier(
    problem: Problem,
    plan: Plan,
    disruption: Disruption,
    now: int,
    *,
    budget_cpu_s: float = 0.5,
    seed: int = 1,
    progress: Callable[[str, float, float], None] | None = None,
) -> Frontier:
    """The repairs of a valid plan, least disturbance first. What has started by `now` is in all of them as it was.

    `budget_cpu_s` is for searching; taking the day apart comes on top. A repair the validator refuses is left out.
    """
    day = broken(problem, plan, _arranged(problem, plan, disruption, now), now)
    stands = repaired(day, day.orders)[1]
    promised = {**day.told, **starts_of(stands.rounds)}
    repairs: list[Repair] = []
    orders, spent = dict(day.orders), 0.0
    for name, level in LEVELS.items():
        began = time.process_time()
        tried = _tried(day, orders, level, promised, level.share * budget_cpu_s, seed)
        whole, mended = repaired(day, tried)
        if not violations(whole, mended):
            orders = tried
            repairs.append(_told(day, name, whole, mended, time.process_time() - began))
        spent += level.share
        if progress and repairs:
            progress(name, min(one.cost.total for one in repairs), min(1.0, spent))
    others = sum(len(names) for names in day.orders.values())
    return Frontier(day.lost, others, stands, tuple(repairs), insertion.room(day.rest, day.orders, day.lost))


Orders = dict[str, tuple[str, ...]]


def _arranged(problem: Problem, plan: Plan, disruption: Disruption, now: int) -> Disruption:
    """The disruption with a time for every two linked visits: the one that was told, or the first that can be kept."""
    if not isinstance(disruption, Vacancies):
        return disruption
    links = [link for link in problem.links if {link.first, link.second} <= set(disruption.tasks)]
    if not links:
        return disruption
    day, told = broken(problem, plan, Vacancies(disruption.tasks), now), dict(disruption.told)
    for link in links:
        if (at := insertion.meeting(day.rest, day.orders, link, told)) is not None:
            told |= {link.first: at[0], link.second: at[1]}
    return replace(disruption, told=told)


def _tried(
    day: Broken, orders: Orders, level: Level, promised: Mapping[str, int], budget_cpu_s: float, seed: int
) -> Orders:
    """Who does what, in order, if only the caregivers of this level may be asked. `promised` are the starts that were
    told, or later where nothing else is left. Levels that keep times try the lost visits at theirs first, and only
    those that stay lost at any other.
    """
    if level.punctual and any(name in promised for name in day.lost):
        budget_cpu_s /= 2
        orders = _whole(day, orders, level, promised, budget_cpu_s, seed)
        still_lost = set(day.lost).difference(*orders.values())
        promised = {name: at for name, at in promised.items() if name not in still_lost}
    return _whole(day, orders, level, promised, budget_cpu_s, seed)


def _whole(
    day: Broken, orders: Orders, level: Level, promised: Mapping[str, int], budget_cpu_s: float, seed: int
) -> Orders:
    """What a search finds, without halves of linked visits: where one was, it is searched again without both."""
    found = _mended(day, orders, level, promised, budget_cpu_s, seed)
    if halves := _halves(day, found):
        linked = {name for link in day.problem.links for name in (link.first, link.second)
                  if not halves.isdisjoint((link.first, link.second))}  # fmt: skip
        found = _mended(day, orders, level, promised, budget_cpu_s, seed, without=linked)
        halves = _halves(day, found)
    return {who: tuple(name for name in names if name not in halves) for who, names in found.items()}


def _halves(day: Broken, orders: Orders) -> set[str]:
    """What is in somebody's round, but in no plan made of these rounds: the other half of it is nowhere."""
    if not day.problem.links:
        return set()
    return {name for names in orders.values() for name in names} - starts_of(repaired(day, orders)[1].rounds).keys()


def _mended(
    day: Broken,
    orders: Orders,
    level: Level,
    promised: Mapping[str, int],
    budget_cpu_s: float,
    seed: int,
    without: Collection[str] = (),
) -> Orders:
    """One search; `without` stays lost, whatever it would save."""
    asked = _asked(day, level.neighbours)
    part = _part(day, orders, asked, level, promised)
    part = replace(part, tasks=tuple(task for task in part.tasks if task.id not in without))
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


def _part(day: Broken, orders: Orders, asked: Sequence[str], level: Level, promised: Mapping[str, int]) -> Problem:
    """The rest of the day as these caregivers have it, with what the level asks of visits that stand."""
    weights = day.rest.objective
    whose = {name: who for who in asked for name in day.orders[who]}

    def as_asked(task: Task) -> Task:
        liked = {name: round(value * weights.preference) for name, value in task.preference.items()}
        task = replace(task, priority=PROMISED * task.priority, preference=liked)
        if level.punctual and task.id in promised:
            task = nearly_at(task, promised[task.id])
        if (who := whose.get(task.id)) is None:
            return task
        if level.changed_hands is None:
            return replace(task, only=frozenset({who}), priority=PROMISED * MUST)
        loyalty = {**liked, who: liked.get(who, 0) - round(level.changed_hands * weights.travel)}
        return replace(task, priority=task.priority + PROMISED // 3, preference=loyalty)

    elsewhere = {name for who, names in orders.items() if who not in asked for name in names}
    ours = {*(name for who in asked for name in orders[who]), *whose, *day.lost} - elsewhere
    return replace(
        day.rest,
        caregivers=tuple(one for one in day.rest.caregivers if one.id in set(asked)),
        tasks=tuple(as_asked(task) for task in day.rest.tasks if task.id in ours),
        objective=replace(weights, preference=1.0, unserved=weights.unserved / PROMISED),
    )


def _told(day: Broken, level: str, problem: Problem, plan: Plan, cpu_s: float) -> Repair:
    before, after = visits_of(day.plan.rounds), visits_of(plan.rounds)
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
