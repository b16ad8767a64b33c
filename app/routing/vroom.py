"""VROOM as a solver of rounds: skills, several windows, breaks, priorities. No links, no preferences, no warm start.

VROOM holds the interpreter's lock while it solves and stops by wall time only: run it in a process of its own. It has
no seed; the same problem gives the same plan. Its priorities come before all travel, ours are weighed against it.
"""

from __future__ import annotations

from datetime import timedelta

import vroom

from app.routing.possibility import marks
from app.routing.problem import Plan, Problem
from app.routing.timetable import plan_of


def expresses(problem: Problem) -> bool:
    """Whether the problem keeps its meaning here. Preferences are lost but do no harm."""
    return not problem.links and not problem.soft_windows


def solve(problem: Problem, *, level: int, limit_s: float | None = None) -> Plan:
    """A plan by `level` 0 (quick) to 5 (thorough), with wall seconds as limit.

    A limit that cuts the construction off gives a poor plan: level 0 without a limit beats level 5 with a short one.
    """
    day = vroom.Input()
    for profile, matrix in enumerate(problem.travel):
        day.set_durations_matrix(str(profile), matrix)
    asked, has = marks(problem)
    day.add_vehicle(
        [
            vroom.Vehicle(
                number,
                start=caregiver.start,
                end=caregiver.end,
                profile=str(caregiver.profile),
                skills=set(has[number]),
                time_window=vroom.TimeWindow(caregiver.shift_opens, caregiver.shift_closes),
                breaks=[
                    vroom.Break(which, [vroom.TimeWindow(rest.opens, rest.closes)], rest.duration)
                    for which, rest in enumerate(caregiver.breaks)
                ],
            )
            for number, caregiver in enumerate(problem.caregivers)
        ]
    )
    day.add_job(
        [
            vroom.Job(
                number,
                location=task.place,
                default_service=task.duration,
                skills=set(asked[number]),
                priority=task.priority,
                time_windows=[vroom.TimeWindow(window.opens, window.closes) for window in task.windows],
            )
            for number, task in enumerate(problem.tasks)
        ]
    )
    timeout = None if limit_s is None else timedelta(seconds=limit_s)
    found = day.solve(exploration_level=level, nb_threads=1, timeout=timeout).routes
    orders: dict[str, list[str]] = {}
    stops = found[found["type"] == "job"]
    for vehicle, job in zip(stops["vehicle_id"], stops["id"], strict=True):
        orders.setdefault(problem.caregivers[vehicle].id, []).append(problem.tasks[job].id)
    return plan_of(problem, orders)
