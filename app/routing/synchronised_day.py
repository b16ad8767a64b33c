"""A problem as the arrays on which the synchronised search works, one cache line to a row. Pure.

A *job* is a task, or two linked tasks that two caregivers have to do. Two linked tasks that one caregiver may do are
two jobs, *mates* of each other, served both or not at all. Nodes are the tasks, in the problem's order, and after them
one node for each caregiver, who stands for the start of the round as a predecessor and for its end as a successor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.routing.possibility import allowed
from app.routing.problem import Break, Caregiver, Objective, Pin, Problem, Task, Unsolvable, Window

Integers = npt.NDArray[np.int64]
Smaller = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]

FORBIDDEN = 1 << 40
NEVER = 1 << 50
"""A time that does not come."""

# Columns of Day.task. HARD is the last moment at which the task may start at all, ABLE how many may do it.
DURATION, JOB, OPENS, CLOSES, WINDOWS, DUE, HARD, ABLE = range(8)
# Columns of Day.job. B is -1 for a single task, MATE for one without; SECOND is 1 for the later one of two mates;
# MISSED is what leaving the job out adds to the unserved weight.
A, B, LEAST, MOST, MATE, SECOND, MISSED = range(7)
# Columns of Day.carer.
PROFILE, SHIFT_OPENS, SHIFT_CLOSES, BREAKS = range(4)
# Of Day.place: where one leaves from and where one comes to. Of Day.span, with the length of a rest. Of Day.near.
LEFT, ENTERED = range(2)
FROM, UNTIL, LASTING = range(3)
BEFORE, AFTER = range(2)
# Places of Day.weight.
W_TRAVEL, W_LATENESS, W_WORST, W_PREFERENCE, W_MISSED = range(5)

PINNED = 10_000
"""By how much a pinned task weighs more than its priority says."""

NEAR = 40
"""Neighbours of a task that moves look at, on each side."""


class Day(NamedTuple):
    """What does not change while searching. All times and travel in the problem's units."""

    task: Integers  # (tasks, 8)
    job: Integers  # (jobs, 8)
    carer: Integers  # (caregivers, 8)
    place: Integers  # (nodes, 2)
    span: Integers  # (nodes, most windows or rests, 3): windows of tasks, rests of caregivers, in time order
    travel: Smaller  # (profiles, places, places)
    likes: Integers  # (tasks, caregivers) preference, FORBIDDEN for those who may not
    able: Smaller  # (tasks, caregivers): who may, then -1
    near: Smaller  # (2, tasks, NEAR): good predecessors and good successors, best first, then -1
    weight: Reals  # (5,)
    hard: bool  # there are limits that a round could come up against
    mates: bool  # there are some


def day_of(problem: Problem, pins: Sequence[Pin] = ()) -> Day:
    """The arrays of a problem. Unsolvable where a link, place or name makes no sense."""
    carers = {caregiver.id: at for at, caregiver in enumerate(problem.caregivers)}
    tasks = {task.id: at for at, task in enumerate(problem.tasks)}
    pinned = {tasks[pin.task]: pin for pin in pins}
    job, job_of = _jobs(problem, tasks, pinned)
    windows = [_windows(task, pinned.get(at)) for at, task in enumerate(problem.tasks)]
    may = _may(problem, carers, pinned)
    likes = np.zeros(may.shape, np.int64)
    for at, one in enumerate(problem.tasks):
        for name, value in one.preference.items():
            if name in carers:
                likes[at, carers[name]] = value
    task = _tasks(problem, windows, job_of, pinned)
    travel = np.stack([np.asarray(matrix) for matrix in problem.travel]).astype(np.int32)
    task[:, ABLE] = may.sum(axis=1)
    places = [(one.place, one.place) for one in problem.tasks]
    spans = [[(window.opens, window.closes, 0) for window in some] for some in windows]
    return Day(
        task=task,
        job=job,
        carer=_carers(problem.caregivers),
        place=np.array(places + [(one.start, one.end) for one in problem.caregivers], np.int64).reshape(-1, 2),
        span=_padded(spans + [sorted(span(rest) for rest in one.breaks) for one in problem.caregivers]),
        travel=travel,
        likes=np.where(may, likes, FORBIDDEN),
        able=_able(may),
        near=_near(problem, task, may, travel),
        weight=_weights(problem.objective),
        hard=_bounded(problem, task, travel),
        mates=bool((job[:, MATE] >= 0).any()),
    )


def span(rest: Break) -> tuple[int, int, int]:
    """A row of Day.span."""
    return rest.opens, rest.closes, rest.duration


def _weights(objective: Objective) -> Reals:
    return np.array(
        [objective.travel, objective.lateness, objective.worst_lateness, objective.preference, objective.unserved]
    )


def _bounded(problem: Problem, task: Integers, travel: Smaller) -> bool:
    """Whether there is any hard limit that a round could come up against."""
    if (task[:, HARD] < NEVER).any():
        return True
    last = max([0, *task[:, DUE], *(one.shift_opens for one in problem.caregivers)])
    rests = sum(rest.duration for one in problem.caregivers for rest in one.breaks)
    longest = last + task[:, DURATION].sum() + rests + (len(task) + 1) * int(travel.max(initial=0))
    return any(one.shift_closes < longest for one in problem.caregivers)


def _windows(task: Task, pin: Pin | None) -> list[Window]:
    if pin is not None and pin.starts is not None:
        return [Window(pin.starts, pin.starts)]
    if not task.windows:
        raise Unsolvable(f"task {task.id} has no window")
    return sorted(task.windows, key=lambda window: (window.opens, window.closes))


def _jobs(problem: Problem, tasks: dict[str, int], pinned: dict[int, Pin]) -> tuple[Integers, list[int]]:
    """Rows of Day.job, and the job of every task."""
    rows: list[list[int]] = []
    job_of = [-1] * len(problem.tasks)
    for link in problem.links:
        first, second = tasks[link.first], tasks[link.second]
        if job_of[first] >= 0 or job_of[second] >= 0 or first == second:
            raise Unsolvable(f"the search knows links of two tasks; {link.first} or {link.second} has more than one")
        if link.least > link.most:
            raise Unsolvable(f"the link of {link.first} and {link.second} has its least above its most")
        job_of[first] = job_of[second] = at = len(rows)
        if link.different_caregivers or link.least < 0 or link.most < problem.tasks[first].duration:
            rows.append([first, second, link.least, link.most, -1, 0, 0, 0])
        else:
            job_of[second] = at + 1
            rows.append([first, -1, link.least, link.most, at + 1, 0, 0, 0])
            rows.append([second, -1, link.least, link.most, at, 1, 0, 0])
    for at in range(len(problem.tasks)):
        if job_of[at] < 0:
            job_of[at] = len(rows)
            rows.append([at, -1, 0, 0, -1, 0, 0, 0])
    for at, task in enumerate(problem.tasks):
        rows[job_of[at]][MISSED] += task.priority * (PINNED if at in pinned else 1)
    return np.array(rows, np.int64).reshape(-1, 8), job_of


def _tasks(problem: Problem, windows: list[list[Window]], job_of: list[int], pinned: dict[int, Pin]) -> Integers:
    rows = np.zeros((len(problem.tasks), 8), np.int64)
    for at, task in enumerate(problem.tasks):
        pin = pinned.get(at)
        fixed = not problem.soft_windows or (pin is not None and pin.starts is not None)
        first, last = windows[at][0], windows[at][-1]
        hard = last.closes if fixed else NEVER
        rows[at, :7] = task.duration, job_of[at], first.opens, first.closes, len(windows[at]), last.closes, hard
    return rows


def _carers(caregivers: Sequence[Caregiver]) -> Integers:
    rows = np.zeros((len(caregivers), 8), np.int64)
    for at, one in enumerate(caregivers):
        rows[at, :4] = one.profile, one.shift_opens, one.shift_closes, len(one.breaks)
    return rows


def _may(problem: Problem, carers: dict[str, int], pinned: dict[int, Pin]) -> Flags:
    may = np.zeros((len(problem.tasks), len(problem.caregivers)), np.bool_)
    for at, task in enumerate(problem.tasks):
        if at in pinned:
            may[at, carers[pinned[at].caregiver]] = True
            continue
        for caregiver in problem.caregivers:
            may[at, carers[caregiver.id]] = allowed(task, caregiver)
    return may


def _able(may: Flags) -> Smaller:
    able = np.full(may.shape, -1, np.int32)
    for at, row in enumerate(may):
        who = np.flatnonzero(row)
        able[at, : len(who)] = who
    return able


def _padded(rows: Sequence[Sequence[tuple[int, int, int]]]) -> Integers:
    most = max((len(row) for row in rows), default=0) or 1
    out = np.zeros((len(rows), most, 3), np.int64)
    for at, row in enumerate(rows):
        if row:
            out[at, : len(row)] = row
    return out


def _near(problem: Problem, task: Integers, may: Flags, travel: Smaller) -> Smaller:
    """For every task who comes well before and after it: travel, a fifth of the waiting, all of the lateness."""
    count = len(problem.tasks)
    keep = min(NEAR, max(1, count - 1))
    places = np.array([one.place for one in problem.tasks], np.int64)
    way = travel.mean(axis=0)[np.ix_(places, places)] if count else np.zeros((0, 0))
    done = task[:, OPENS] + task[:, DURATION]
    waiting = np.maximum(0, task[None, :, OPENS] - (task[:, DUE] + task[:, DURATION])[:, None] - way)
    lateness = np.maximum(0, done[:, None] + way - task[None, :, DUE])
    badness = way + 0.2 * waiting + lateness  # of the one before (row) and the one after (column)
    together = may.astype(np.float32) @ may.astype(np.float32).T > 0
    together &= task[:, None, JOB] != task[None, :, JOB]
    badness = np.where(together, badness, np.inf)
    return np.stack([_best(badness.T, keep), _best(badness, keep)])


def _best(badness: npt.NDArray[np.float64], keep: int) -> Smaller:
    order = np.argsort(badness, axis=1, kind="stable")[:, :keep]
    chosen = np.take_along_axis(badness, order, axis=1)
    return np.where(np.isfinite(chosen), order, -1).astype(np.int32)
