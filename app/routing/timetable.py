"""The times of a round whose order is known: the earliest that keep windows, ways and breaks. Pure.

Solvers are asked only for the order of the stops; the times in a plan are always these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.routing.problem import Break, Caregiver, Matrix, Plan, Problem, Round, Stop, Task


class _Leg(NamedTuple):
    """How a caregiver came to a place: the leg before, when they arrived and began, with which breaks on the way."""

    before: _Leg | None
    arrives: int
    starts: int
    free: int
    rests: tuple[int, ...]


def timed(matrix: Matrix, caregiver: Caregiver, tasks: Sequence[Task], *, soft: bool = False) -> Round | None:
    """The round of `caregiver` over `tasks` in this order, or None if no times keep all rules (links aside).

    Breaks are taken in the order of their windows, each as early as it may be, on any leg; of all ways to lay them
    the one is kept that is free first. `soft` lets a task start after its last window.
    """
    order = sorted(range(len(caregiver.breaks)), key=lambda i: (caregiver.breaks[i].opens, caregiver.breaks[i].closes))
    breaks = [caregiver.breaks[i] for i in order]
    reached = {0: _Leg(None, 0, 0, caregiver.shift_opens, ())}
    place = caregiver.start
    for task in tasks:
        way, place = int(matrix[place, task.place]), task.place
        further: dict[int, _Leg] = {}
        for taken, leg in reached.items():
            for arrives, rests in _arrivals(leg.free, way, breaks[taken:]):
                starts = _opening(task, arrives, soft)
                count = taken + len(rests)
                if starts is not None and (count not in further or starts + task.duration < further[count].free):
                    further[count] = _Leg(leg, arrives, starts, starts + task.duration, rests)
        reached = further
    way = int(matrix[place, caregiver.end])
    ends = [
        _Leg(leg, back, back, back, rests)
        for taken, leg in reached.items()
        for back, rests in _arrivals(leg.free, way, breaks[taken:])
        if taken + len(rests) == len(breaks) and back <= caregiver.shift_closes
    ]
    return _round(matrix, caregiver, tasks, min(ends, key=lambda leg: leg.free), order) if ends else None


def plan_of(problem: Problem, orders: Mapping[str, Sequence[str]]) -> Plan:
    """A plan from task ids in order by caregiver; ids the problem does not have are passed over. A round that cannot
    be timed is left out with all its tasks.
    """
    tasks = {one.id: one for one in problem.tasks}
    rounds = []
    for caregiver in problem.caregivers:
        way = [tasks[name] for name in orders.get(caregiver.id, ()) if name in tasks]
        if way and (one := timed(problem.travel[caregiver.profile], caregiver, way, soft=problem.soft_windows)):
            rounds.append(one)
    served = {stop.task for one in rounds for stop in one.stops}
    return Plan(tuple(rounds), tuple(name for name in tasks if name not in served))


def orders_of(plan: Plan) -> dict[str, list[str]]:
    """Task ids in order by caregiver."""
    return {one.caregiver: [stop.task for stop in one.stops] for one in plan.rounds}


def starts_of(rounds: Iterable[Round]) -> dict[str, int]:
    """When each task starts."""
    return {stop.task: stop.starts for one in rounds for stop in one.stops}


def visits_of(rounds: Iterable[Round]) -> dict[str, tuple[str, int]]:
    """By whom and when each task is done."""
    return {stop.task: (one.caregiver, stop.starts) for one in rounds for stop in one.stops}


def _arrivals(free: int, way: int, breaks: Sequence[Break]) -> Iterable[tuple[int, tuple[int, ...]]]:
    """(arrival, starts of the breaks taken on the way) with none, one, ... of `breaks`. Who waits for a break to open
    walks on meanwhile.
    """
    now, ahead = free, way
    rests: tuple[int, ...] = ()
    yield now + ahead, rests
    for rest in breaks:
        begins = max(now, rest.opens)
        if begins > rest.closes:
            return
        ahead = max(0, ahead - (begins - now))
        now, rests = begins + rest.duration, (*rests, begins)
        yield now + ahead, rests


def _opening(task: Task, arrives: int, soft: bool) -> int | None:
    for window in task.windows:
        if arrives <= window.closes:
            return max(arrives, window.opens)
    return arrives if soft else None


def _round(matrix: Matrix, caregiver: Caregiver, tasks: Sequence[Task], last: _Leg, order: Sequence[int]) -> Round:
    legs = [last]
    while (before := legs[-1].before) is not None:
        legs.append(before)
    _, *ways = reversed(legs)
    starts = [at for leg in ways for at in leg.rests]
    breaks = [0] * len(order)
    for position, at in zip(order, starts, strict=True):
        breaks[position] = at
    stops = [Stop(task.id, leg.arrives, leg.starts, leg.free) for task, leg in zip(tasks, ways[:-1], strict=True)]
    # Nobody leaves home only to wait at the first door.
    first, way = ways[0], int(matrix[caregiver.start, tasks[0].place])
    resting = sum(caregiver.breaks[order[i]].duration for i in range(len(first.rests)))
    leaves = min([first.starts - way - resting, *first.rests[:1]])
    stops[0] = Stop(tasks[0].id, first.starts, first.starts, first.free)
    return Round(caregiver.id, tuple(stops), leaves, last.free, tuple(breaks))
