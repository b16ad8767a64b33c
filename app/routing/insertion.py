"""Ruin and recreate as a solver of rounds, and the cheapest place for one task. No links, no soft windows.

It begins with any plan and may stop at any moment, which VROOM cannot, and knows breaks and preferences, which PyVRP
does not. See `insertion_kernel` for how.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from app.routing import insertion_kernel as kernel
from app.routing.insertion_kernel import NEVER, Day, Rounds
from app.routing.possibility import allowed
from app.routing.problem import Caregiver, Link, Plan, Problem
from app.routing.promises import apart
from app.routing.timetable import orders_of, plan_of

NEAR = 80
"""Neighbours of a task a ruin may reach."""
STEPS = 25
"""Between two looks at the clock."""
GRID = 300
"""Between two times at which a meeting is tried."""
WARMEST, COLDEST = 0.5, 0.01
"""Temperatures at the beginning and at the end, in mean ways."""


def expresses(problem: Problem) -> bool:
    return not problem.links and not problem.soft_windows


def search(
    problem: Problem,
    warm: Plan,
    *,
    budget_cpu_s: float,
    seed: int,
    steps: int | None = None,
    warmest: float = WARMEST,
    progress: Callable[[float, float], None] | None = None,
) -> Plan:
    """The best plan found from `warm` on, in `budget_cpu_s` or `steps`, whichever ends first. By steps it is the same
    plan for the same seed; by seconds it is not. `progress` is told (least cost, share done).
    """
    if not problem.tasks or not problem.caregivers:
        return warm
    began = time.process_time()
    day = day_of(problem)
    rounds = rounds_of(problem, day, warm)
    old = _copied(rounds)
    kernel.seeded(seed)
    _fill(day, rounds, old)
    now = least = kernel.total(day, rounds)
    best = _copied(rounds)
    mean_way = day.per_way * float(np.mean(day.travel)) / 8
    done, share = 0, 0.0
    while share < 1:
        warmth = mean_way * warmest * (COLDEST / warmest) ** share
        now, least = kernel.search(day, rounds, old, best, now, least, STEPS, warmth)
        done += STEPS
        share = (time.process_time() - began) / budget_cpu_s
        if steps is not None:
            share = max(share, done / steps)
        if progress:
            progress(least, min(share, 1.0))
    return plan_from(problem, best)


def _copied(rounds: Rounds) -> Rounds:
    return Rounds(*(part.copy() for part in rounds))  # type: ignore[arg-type]


def _fill(day: Day, rounds: Rounds, old: Rounds) -> None:
    """Whoever is absent comes in where there is room."""
    absent = np.flatnonzero(rounds.by < 0).astype(np.int32)
    nobody = np.zeros(len(rounds.by), np.bool_)
    kernel.recreate(day, rounds, old, np.zeros(len(rounds.length), np.bool_), absent, len(absent), nobody)


def room(problem: Problem, orders: Mapping[str, Sequence[str]], tasks: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each task, over all caregivers: how many have room for it in their round as it is (`has_room`), and why
    others have not (`not_allowed`, `out_of_shift`: not even with nothing else to do, `no_gap`). Every place is tried.
    """
    counts = {name: dict.fromkeys(("not_allowed", "out_of_shift", "no_gap", "has_room"), 0) for name in tasks}
    if not tasks or not problem.caregivers:
        return counts
    day = day_of(problem)
    full, empty = (rounds_of(problem, day, plan_of(problem, what)) for what in (orders, {}))
    number = {task.id: at for at, task in enumerate(problem.tasks)}
    for name in tasks:
        for who, caregiver in enumerate(problem.caregivers):
            alone = np.zeros(len(problem.caregivers), np.bool_)
            alone[who] = True
            if not allowed(problem.tasks[number[name]], caregiver):
                found = "not_allowed"
            elif kernel.cheapest(day, empty, number[name], alone, np.inf, 0.0)[0] < 0:
                found = "out_of_shift"
            elif kernel.cheapest(day, full, number[name], alone, np.inf, 0.0)[0] < 0:
                found = "no_gap"
            else:
                found = "has_room"
            counts[name][found] += 1
    return counts


def meeting(
    problem: Problem, orders: Mapping[str, Sequence[str]], link: Link, told: Mapping[str, int]
) -> tuple[int, int] | None:
    """Starts of the link's tasks at which caregivers have room for both in their rounds as they are: those that were
    `told`, else the earliest on a grid of `GRID`; None if there are none.
    """
    if not problem.caregivers:
        return None
    day = day_of(problem)
    rounds = rounds_of(problem, day, plan_of(problem, orders))
    number = {task.id: at for at, task in enumerate(problem.tasks)}
    first, second = number[link.first], number[link.second]

    def who(task: int, at: int, others: Sequence[int] = ()) -> int:
        if not any(window.opens <= at <= window.closes for window in problem.tasks[task].windows):
            return -1
        day.window[task] = NEVER
        day.window[task, 0] = at
        among = np.ones(len(problem.caregivers), np.bool_)
        among[list(others)] = False
        return int(kernel.cheapest(day, rounds, task, among, np.inf, 0.0)[0])

    windows = problem.tasks[first].windows
    times = [(at, at + link.least) for window in windows for at in range(window.opens, window.closes + 1, GRID)]
    if link.first in told and not apart(link, told):
        times.insert(0, (told[link.first], told[link.second]))
    for one_at, other_at in times:
        one = who(first, one_at)
        if one >= 0 and who(second, other_at, [one] if link.different_caregivers else []) >= 0:
            return one_at, other_at
    return None


def plan_from(problem: Problem, rounds: Rounds) -> Plan:
    """The plan in which everybody goes as `rounds` says."""
    return plan_of(
        problem,
        {
            caregiver.id: [problem.tasks[at].id for at in rounds.order[who, : rounds.length[who]]]
            for who, caregiver in enumerate(problem.caregivers)
        },
    )


def day_of(problem: Problem) -> Day:
    """The problem as arrays."""
    tasks, caregivers, weights = problem.tasks, problem.caregivers, problem.objective
    may = np.array([[allowed(task, one) for one in caregivers] for task in tasks])
    able = np.sort(np.where(may, np.arange(len(caregivers)), len(caregivers)), axis=1)
    likes = np.zeros(may.shape)
    position = {one.id: at for at, one in enumerate(caregivers)}
    for at, task in enumerate(tasks):
        for name, value in task.preference.items():
            if name in position:
                likes[at, position[name]] = weights.preference * value
    window = np.full((len(tasks), max([1, *(len(task.windows) for task in tasks)]), 2), NEVER, np.int64)
    for at, task in enumerate(tasks):
        for which, one in enumerate(task.windows):
            window[at, which] = one.opens, one.closes
    travel = np.stack(problem.travel)
    place = np.array([task.place for task in tasks])
    apart = travel[0][np.ix_(place, place)] + travel[0][np.ix_(place, place)].T
    np.fill_diagonal(apart, NEVER)
    return Day(
        task=np.array([(task.place, task.duration) for task in tasks]),
        window=window,
        absent=np.array([weights.unserved * task.priority for task in tasks], np.float64),
        able=np.where(able < len(caregivers), able, -1).astype(np.int32),
        likes=likes,
        near=np.argsort(apart, axis=1)[:, : min(NEAR, len(tasks) - 1)].astype(np.int32),
        carer=np.array(
            [
                (one.start, one.end, one.shift_opens, one.shift_closes, one.profile, len(one.breaks))
                for one in caregivers
            ]
        ),
        leg=legs_of(caregivers),
        travel=travel.astype(np.int32),
        per_way=float(weights.travel),
    )


def legs_of(caregivers: tuple[Caregiver, ...]) -> np.ndarray:
    """For a leg on which breaks `taken` to `after` are had: what they take, until when one is there at the earliest,
    and when one must be free to begin. Who waits for a break to open walks on meanwhile, so that from `free` one
    arrives at max(free + way + takes, until), if free <= before.
    """
    most = max(len(one.breaks) for one in caregivers)
    legs = np.zeros((len(caregivers), most + 1, most + 1, 3), np.int64)
    for who, one in enumerate(caregivers):
        breaks = sorted(one.breaks, key=lambda rest: (rest.opens, rest.closes))
        for taken in range(len(breaks) + 1):
            takes, until, before = 0, -NEVER, NEVER
            legs[who, taken, taken] = takes, until, before
            for after, rest in enumerate(breaks[taken:], taken + 1):
                before = min(before, rest.closes - takes) if until <= rest.closes else -NEVER
                until = max(until, rest.opens) + rest.duration
                takes += rest.duration
                legs[who, taken, after] = takes, until, before
    return legs


def rounds_of(problem: Problem, day: Day, plan: Plan) -> Rounds:
    """The rounds of a plan as arrays, timed. A round that does not hold is emptied."""
    shape = (len(problem.caregivers), min(len(problem.tasks), 120))
    deep = (shape[0], shape[1] + 1, day.leg.shape[1])
    rounds = Rounds(
        np.zeros(shape, np.int32), np.zeros(shape[0], np.int64), np.full(len(problem.tasks), -1),
        np.zeros(deep, np.int64), np.zeros(deep, np.int64),
    )  # fmt: skip
    number = {task.id: at for at, task in enumerate(problem.tasks)}
    orders = orders_of(plan)
    for who, one in enumerate(problem.caregivers):
        names = orders.get(one.id, [])
        rounds.order[who, : len(names)] = [number[name] for name in names]
        rounds.length[who] = len(names)
        if not kernel.time_round(day, rounds, who):
            rounds.length[who] = 0
            kernel.time_round(day, rounds, who)
        rounds.by[rounds.order[who, : rounds.length[who]]] = who
    return rounds
