"""What elders were told, and how nearly a mended day keeps to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.routing.problem import Caregiver, Matrix, Plan, Problem, Round, Task, Window
from app.routing.timetable import timed

NOTICE = 900
"""A visit that moves by more has to be told to the elder (15 minutes)."""


def nearly_at(task: Task, starts: int, by: int = NOTICE) -> Task:
    """The task, allowed only at times at most `by` from the one that was told."""
    windows = [Window(max(w.opens, starts - by), min(w.closes, starts + by)) for w in task.windows]
    return replace(task, windows=tuple(w for w in windows if w.opens <= w.closes))


def timed_as_told(matrix: Matrix, caregiver: Caregiver, way: Sequence[Task], told: Mapping[str, int]) -> Round | None:
    """The round over `way` in this order with as many visits as can be at the times that were `told`, by task, else
    nearly at them, the first visits first; None if no times keep all rules.
    """
    found = timed(matrix, caregiver, [nearly_at(task, told[task.id], 0) if task.id in told else task for task in way])
    if found is not None:
        return found
    tasks = list(way)
    for at, task in enumerate(way):
        for by in (0, NOTICE) if task.id in told else ():
            tasks[at] = nearly_at(task, told[task.id], by)
            if timed(matrix, caregiver, tasks) is not None:
                break
            tasks[at] = task
    return timed(matrix, caregiver, tasks)


def as_told(problem: Problem, plan: Plan) -> Plan:
    """The plan with its rounds timed anew, as nearly as told as can be. One that cannot be driven stays as it is."""
    tasks, who = {one.id: one for one in problem.tasks}, {one.id: one for one in problem.caregivers}

    def again(one: Round) -> Round:
        caregiver, way = who[one.caregiver], [tasks[stop.task] for stop in one.stops]
        told = {stop.task: stop.starts for stop in one.stops}
        found = timed_as_told(problem.travel[caregiver.profile], caregiver, way, told)
        return found or replace(one, breaks=tuple(rest.opens for rest in caregiver.breaks))

    return replace(plan, rounds=tuple(map(again, plan.rounds)))
