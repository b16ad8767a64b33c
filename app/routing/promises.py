"""What elders were told, and how nearly a mended day keeps to it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.routing.problem import Caregiver, Link, Matrix, Plan, Problem, Round, Task, narrowed
from app.routing.timetable import starts_of, timed

NOTICE = 900
"""A visit that moves by more has to be told to the elder (15 minutes)."""


def nearly_at(task: Task, starts: int, by: int = NOTICE) -> Task:
    """The task, allowed only at times at most `by` from the one that was told."""
    return replace(task, windows=narrowed(task.windows, starts - by, starts + by))


def timed_as_told(
    matrix: Matrix, caregiver: Caregiver, way: Sequence[Task], told: Mapping[str, int], yielding: Collection[str] = ()
) -> Round | None:
    """The round over `way` in this order, with as many visits nearly at the times that were `told`, by task, as can be,
    the first ones first and the `yielding` last, and of those as many exactly; None if no times keep all rules.
    """
    tasks = list(way)
    turns = sorted(range(len(tasks)), key=lambda at: tasks[at].id in yielding)
    for by in (NOTICE, 0):
        wanted = [nearly_at(task, told[task.id], by) if task.id in told else task for task in way]
        if timed(matrix, caregiver, wanted) is not None:
            tasks = wanted
            continue
        for at in turns:
            free, tasks[at] = tasks[at], wanted[at]
            if timed(matrix, caregiver, tasks) is None:
                tasks[at] = free
    return timed(matrix, caregiver, tasks)


def as_told(problem: Problem, plan: Plan) -> Plan:
    """What of the plan can still be kept nearly as told, timed anew; all else is unserved. In a round that cannot be
    driven the dearest visits stay. Two linked ones that are both there, but not at their distance, are both left out.
    """
    tasks, who = {one.id: one for one in problem.tasks}, {one.id: one for one in problem.caregivers}
    rounds = []
    for one in plan.rounds:
        caregiver, told = who[one.caregiver], starts_of([one])
        matrix, way = problem.travel[caregiver.profile], [tasks[stop.task] for stop in one.stops]
        kept = set(possible(matrix, caregiver, [nearly_at(task, told[task.id]) for task in way]))
        found = timed_as_told(matrix, caregiver, [task for task in way if task.id in kept], told) if kept else None
        rounds += [found] if found else []
    starts = starts_of(rounds)
    pairs = [{link.first, link.second} for link in problem.links if apart(link, starts)]
    if split := {name for pair in pairs if pair <= starts.keys() for name in pair}:
        left = (replace(one, stops=tuple(stop for stop in one.stops if stop.task not in split)) for one in plan.rounds)
        return as_told(problem, replace(plan, rounds=tuple(left)))
    return Plan(tuple(rounds), tuple(name for name in tasks if name not in starts))


def possible(matrix: Matrix, caregiver: Caregiver, way: Sequence[Task]) -> tuple[str, ...]:
    """The tasks of `way` that can be done in this order, all of them if they can: else the dearest first, each that the
    ones before it leave room for.
    """
    if not way or timed(matrix, caregiver, way) is not None:
        return tuple(task.id for task in way)
    kept: set[str] = set()
    for task in sorted(way, key=lambda task: -task.priority):
        if timed(matrix, caregiver, [one for one in way if one.id in kept or one is task]) is not None:
            kept.add(task.id)
    return tuple(task.id for task in way if task.id in kept)


def apart(link: Link, starts: Mapping[str, int]) -> bool:
    """Whether two linked tasks start at times that break the link, or one of them does not start at all."""
    first, second = starts.get(link.first), starts.get(link.second)
    if first is None or second is None:
        return first is not second
    return not link.least <= second - first <= link.most
