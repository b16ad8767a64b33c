"""What elders were told, and how nearly a mended day keeps to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.routing.problem import Caregiver, Link, Matrix, Plan, Problem, Round, Task, Window
from app.routing.timetable import timed

NOTICE = 900
"""A visit that moves by more has to be told to the elder (15 minutes)."""


def nearly_at(task: Task, starts: int, by: int = NOTICE) -> Task:
    """The task, allowed only at times at most `by` from the one that was told."""
    windows = [Window(max(w.opens, starts - by), min(w.closes, starts + by)) for w in task.windows]
    return replace(task, windows=tuple(w for w in windows if w.opens <= w.closes))


def timed_as_told(matrix: Matrix, caregiver: Caregiver, way: Sequence[Task], told: Mapping[str, int]) -> Round | None:
    """The round over `way` in this order, with as many visits nearly at the times that were `told`, by task, as can be,
    the first ones first, and of those as many exactly; None if no times keep all rules.
    """
    tasks = list(way)
    for by in (NOTICE, 0):
        wanted = [nearly_at(task, told[task.id], by) if task.id in told else task for task in way]
        if timed(matrix, caregiver, wanted) is not None:
            tasks = wanted
            continue
        for at, task in enumerate(wanted):
            free, tasks[at] = tasks[at], task
            if timed(matrix, caregiver, tasks) is None:
                tasks[at] = free
    return timed(matrix, caregiver, tasks)


def as_told(problem: Problem, plan: Plan) -> Plan:
    """The plan with its rounds timed anew, as nearly as told as can be. One that cannot be driven stays as it is; two
    linked visits that cannot be kept together any more are left out.
    """
    tasks, who = {one.id: one for one in problem.tasks}, {one.id: one for one in problem.caregivers}

    def again(one: Round) -> Round:
        caregiver, way = who[one.caregiver], [tasks[stop.task] for stop in one.stops]
        told = {stop.task: stop.starts for stop in one.stops}
        found = timed_as_told(problem.travel[caregiver.profile], caregiver, way, told)
        return found or replace(one, breaks=tuple(rest.opens for rest in caregiver.breaks))

    timed_again = tuple(map(again, plan.rounds))
    starts = {stop.task: stop.starts for one in timed_again for stop in one.stops}
    broken = {name for link in problem.links if apart(link, starts) for name in (link.first, link.second)}
    if not broken & starts.keys():
        return replace(plan, rounds=timed_again)
    left = (replace(one, stops=tuple(stop for stop in one.stops if stop.task not in broken)) for one in plan.rounds)
    unserved = (*plan.unserved, *sorted(broken - set(plan.unserved)))
    return as_told(problem, Plan(tuple(one for one in left if one.stops), unserved))


def apart(link: Link, starts: Mapping[str, int]) -> bool:
    """Whether two linked tasks start at times that break the link, or one of them does not start at all."""
    first, second = starts.get(link.first), starts.get(link.second)
    if first is None or second is None:
        return first is not second
    return not link.least <= second - first <= link.most
