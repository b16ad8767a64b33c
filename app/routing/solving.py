"""The one door to the solvers: which of them run on a problem, in which order, and what is kept.

    no links        VROOM ─▶ insertion ─▶ PyVRP
    links           synchronised, the linked tasks alone ─▶ insertion ─▶ synchronised ─▶ insertion
    soft windows    synchronised

VROOM builds, ruin and recreate (`insertion`) finds room for more, PyVRP shortens the ways of those who are served.
Where tasks are linked, the synchronised search first places these alone; the others come in around them, as if they
were fixed; then it moves all at once, and what is not linked is improved again around the new times.

Each begins with what the one before left. Each plan passes the validator or is thrown away, and only a cheaper one is
kept. A solver is asked only for problems that keep their meaning in it. `workers.py` runs this in a process apart.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from app.routing import insertion, pyvrp, synchronised, vroom
from app.routing.possibility import bound, frozen, linked, pinned
from app.routing.problem import Caregiver, Link, Pin, Plan, Problem, Solution, Task, Window
from app.routing.timetable import orders_of, plan_of
from app.routing.validation import check, cost, violations

Progress = Callable[[str, float, float], None]
"""Told (step, best cost so far, share of the budget spent from 0 to 1)."""

Step = tuple[str, Callable[[], Plan | None]]
"""A solver's name, and what runs it; None from one that has no time to be worth its while."""

VROOM_S_PER_TASK_SQUARED = 1.1e-5
"""CPU seconds of VROOM's level 0 (7 for 800 tasks). Cut short it is worth nothing, so it runs only if there is time."""


def solve(
    problem: Problem,
    budget_cpu_s: float,
    warm: Plan | None = None,
    pins: Sequence[Pin] = (),
    *,
    seed: int = 1,
    only: tuple[str, ...] | None = None,
    progress: Progress | None = None,
) -> Solution:
    """The best plan the solvers (or `only` some of them) come to in `budget_cpu_s` seconds of this process.

    Never worse than `warm`, if that is valid. Pinned tasks stay with their caregivers or are left out. Raises
    `Unsolvable` for what cannot be right; tasks that nobody can do come back unserved.
    """
    check(problem)
    run = _Run(problem, pins, budget_cpu_s, seed, warm, progress)
    for name, step in run.steps():
        if only is None or name in only:
            run.take(name, step)
    found = violations(problem, run.plan, pins)
    return Solution(run.plan, cost(problem, run.plan), bound(problem), found, tuple(run.log))


def prepare() -> None:
    """Loads (or, the first time on a machine, compiles) what the solvers are made of. Takes seconds, or a minute."""
    day = Problem(
        (Caregiver("a", 0, 0, 0, 100), Caregiver("b", 0, 0, 0, 100)),
        tuple(Task(name, 1, 1, (Window(0, 90),)) for name in "pqr"),
        (np.array([[0, 1], [1, 0]], np.int64),),
    )
    nobody = Plan((), tuple("pqr"))
    vroom.solve(day, level=0)
    insertion.search(day, nobody, budget_cpu_s=1, seed=1, steps=1)
    insertion.room(day, {}, ("p",))
    pyvrp.solve(day, nobody, budget_cpu_s=0.01, seed=1)
    synchronised.search(replace(day, links=(Link("p", "q"),)), budget_cpu_s=1, seed=1, moves=1)


@dataclass
class _Run:
    """One answer in the making: the best plan, and what was tried."""

    problem: Problem
    pins: Sequence[Pin]
    budget_cpu_s: float
    seed: int
    warm: Plan | None
    progress: Progress | None
    plan: Plan = field(init=False)
    log: list[tuple[str, float, float]] = field(default_factory=list)
    began: float = field(default_factory=time.process_time)

    def __post_init__(self) -> None:
        self.day = pinned(self.problem, self.pins)
        self.plan = Plan((), tuple(task.id for task in self.problem.tasks))
        self.least = math.inf if self.problem.soft_windows else cost(self.problem, self.plan).total
        if self.warm is not None:
            self.offer("warm", 0.0, self.warm)

    def left(self) -> float:
        return self.budget_cpu_s - (time.process_time() - self.began)

    def steps(self) -> Iterator[Step]:
        """Asked for one by one, so that each sees the plan and the time that those before have left."""
        if not self.problem.tasks or not self.problem.caregivers:
            return
        if self.problem.soft_windows:
            yield "synchronised", lambda: self.synchronised(self.problem, self.left())
            return
        tied = linked(self.problem)
        fresh = 2 * len(self.plan.unserved) > len(self.problem.tasks)
        if fresh and not tied:
            yield "vroom", lambda: self.vroom(0.8 * self.left())
        elif fresh:
            alone = replace(self.problem, tasks=tuple(task for task in self.problem.tasks if task.id in tied))
            yield "synchronised", lambda: self.synchronised(alone, 0.07 * self.left())
        if tied:
            yield "insertion", lambda: self.insertion(0.4 * self.left())
            yield "synchronised", lambda: self.synchronised(self.problem, 0.5 * self.left())
        polish = 0.15 if pyvrp.expresses(self.day) else 0.0
        yield "insertion", lambda: self.insertion((1 - polish) * self.left())
        if polish:
            yield "pyvrp", lambda: pyvrp.solve(self.day, self.plan, budget_cpu_s=self.left(), seed=self.seed)

    def vroom(self, most_cpu_s: float) -> Plan | None:
        enough = VROOM_S_PER_TASK_SQUARED * len(self.day.tasks) ** 2 <= most_cpu_s
        return vroom.solve(self.day, level=0) if enough else None

    def insertion(self, budget_cpu_s: float) -> Plan | None:
        if budget_cpu_s <= 0:
            return None
        day = frozen(self.day, self.plan)
        start = plan_of(day, orders_of(self.plan))
        tell = partial(self.heard, "insertion")
        return self.widened(insertion.search(day, start, budget_cpu_s=budget_cpu_s, seed=self.seed, progress=tell))

    def synchronised(self, day: Problem, budget_cpu_s: float) -> Plan | None:
        """`day` may be a part of the problem."""
        if budget_cpu_s <= 0:
            return None
        own = {task.id for task in day.tasks}
        found = synchronised.search(
            day,
            budget_cpu_s=budget_cpu_s,
            seed=self.seed,
            warm=self.plan if self.plan.rounds else None,
            pins=[pin for pin in self.pins if pin.task in own],
            progress=partial(self.heard, "synchronised"),
        )
        return self.widened(found)

    def widened(self, plan: Plan) -> Plan:
        """A plan of some tasks as a plan of all."""
        served = {stop.task for one in plan.rounds for stop in one.stops}
        return Plan(plan.rounds, tuple(task.id for task in self.problem.tasks if task.id not in served))

    def take(self, name: str, step: Callable[[], Plan | None]) -> None:
        began = time.process_time()
        plan = step()
        if plan is not None:
            self.offer(name, time.process_time() - began, plan)

    def offer(self, name: str, cpu_s: float, plan: Plan) -> None:
        """Keeps a plan that is valid and cheaper; the log says what became of any other."""
        if found := violations(self.problem, plan, self.pins):
            self.log.append((f"{name} refused: {found[0].rule} {found[0].detail}", cpu_s, math.inf))
            return
        came_to = cost(self.problem, plan).total
        self.log.append((name, cpu_s, came_to))
        if came_to < self.least:
            self.plan, self.least = plan, came_to
        self.tell(name)

    def heard(self, name: str, *_: float) -> None:
        """What a solver tells of itself counts for nothing before the validator has seen it."""
        self.tell(name)

    def tell(self, name: str) -> None:
        if self.progress:
            self.progress(name, self.least, min(1.0, 1.0 - self.left() / self.budget_cpu_s))
