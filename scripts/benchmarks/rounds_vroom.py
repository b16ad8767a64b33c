"""VROOM by itself, as its own documentation has one call it: nothing of the product but the problem's figures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

import vroom

from app.routing.problem import Problem


@dataclass(frozen=True, slots=True)
class Found:
    """By VROOM's own account: seconds of travel, tasks left out, and the sum of their priorities."""

    level: int
    limit_s: float | None
    cpu_s: float
    travel: int
    unserved: int
    weight: int

    def objective(self, problem: Problem) -> float:
        return self.travel * problem.objective.travel + self.weight * problem.objective.unserved


def alone(problem: Problem, level: int, limit_s: float | None) -> Found:
    """One run at one exploration level, on one thread, without or with its limit of wall seconds."""
    numbers = {skill: at for at, skill in enumerate(sorted({s for c in problem.caregivers for s in c.skills}))}
    absent = len(numbers)
    day = vroom.Input()
    day.set_durations_matrix("car", problem.travel[0])
    for at, one in enumerate(problem.caregivers):
        breaks = [vroom.Break(k, [(rest.opens, rest.closes)], rest.duration) for k, rest in enumerate(one.breaks)]
        day.add_vehicle(
            vroom.Vehicle(
                at, start=one.start, end=one.end, skills={numbers[s] for s in one.skills},
                time_window=(one.shift_opens, one.shift_closes), breaks=breaks,
            )
        )  # fmt: skip
    for at, task in enumerate(problem.tasks):
        day.add_job(
            vroom.Job(
                at, task.place, default_service=task.duration, priority=task.priority,
                skills={numbers.get(s, absent) for s in task.skills},
                time_windows=[(window.opens, window.closes) for window in task.windows],
            )
        )  # fmt: skip
    began = time.process_time()
    limit = None if limit_s is None else timedelta(seconds=limit_s)
    found = day.solve(exploration_level=level, nb_threads=1, timeout=limit)
    cpu_s = time.process_time() - began
    left = [problem.tasks[job._id].priority for job in found.unassigned]
    return Found(level, limit_s, cpu_s, found.summary.duration, len(left), sum(left))


def best_within(problem: Problem, budget_cpu_s: float, runs: list[Found]) -> Found:
    """The best of the runs that took no more CPU seconds (a twentieth of tolerance for the last step)."""
    return min((run for run in runs if run.cpu_s <= 1.05 * budget_cpu_s), key=lambda run: run.objective(problem))
