"""The one door to the solvers: which of them run on a problem, in which order, and what is kept.

    no links      VROOM ─▶ insertion ─▶ PyVRP              VROOM builds, ruin and recreate finds room for more visits,
                                                           PyVRP shortens the ways of those who are served
    links         VROOM ─▶ insertion, without the linked   then the synchronised search puts the linked tasks in,
                  ─▶ synchronised ─▶ insertion              and the rest is improved around their times
    soft windows  synchronised

Each begins with what the one before left; each plan passes the validator or is thrown away, and only a cheaper one is
kept. A solver is asked only for problems that keep their meaning in it. `workers.py` runs this in a process apart.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.routing import insertion, pyvrp, synchronised, vroom
from app.routing.possibility import bound, frozen, pinned, unlinked
from app.routing.problem import Pin, Plan, Problem, Solution
from app.routing.timetable import orders_of, plan_of
from app.routing.validation import check, cost, violations

Progress = Callable[[str, float, float], None]
"""Told (step, best cost so far, share of the budget spent from 0 to 1)."""

Step = tuple[str, Callable[[], Plan | None]]
"""A solver's name, and what runs it; None from one that has no time to be worth its while."""

SOLVERS = ("vroom", "insertion", "pyvrp", "synchronised")

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
        whole = self.left()
        if self.problem.soft_windows:
            yield "synchronised", lambda: self.synchronised(self.left())
        elif self.problem.links:
            if self.warm is None:
                yield "vroom", lambda: self.vroom(0.6 * whole)
                yield "insertion", lambda: self.insertion(unlinked(self.day), 0.3 * self.left())
            yield "synchronised", lambda: self.synchronised(0.6 * self.left())
            yield "insertion", lambda: self.insertion(frozen(self.day, self.plan), self.left())
        else:
            if self.warm is None:
                yield "vroom", lambda: self.vroom(0.8 * whole)
            polish = 0.15 * self.left() if pyvrp.expresses(self.day) else 0.0
            yield "insertion", lambda: self.insertion(self.day, self.left() - polish)
            if polish > 0:
                yield "pyvrp", lambda: pyvrp.solve(self.day, self.plan, budget_cpu_s=self.left(), seed=self.seed)

    def vroom(self, budget_cpu_s: float) -> Plan | None:
        day = unlinked(self.day)
        if VROOM_S_PER_TASK_SQUARED * len(day.tasks) ** 2 > budget_cpu_s:
            return None
        return self.widened(vroom.solve(day, level=0))

    def insertion(self, day: Problem, budget_cpu_s: float) -> Plan | None:
        """`day` may have fewer tasks than the problem, and some of them fixed."""
        if budget_cpu_s <= 0:
            return None
        start = plan_of(day, orders_of(self.plan))
        found = insertion.search(
            day, start, budget_cpu_s=budget_cpu_s, seed=self.seed, progress=lambda *_: self.tell("insertion")
        )
        return self.widened(found)

    def synchronised(self, budget_cpu_s: float) -> Plan | None:
        if budget_cpu_s <= 0:
            return None
        start = self.plan if self.plan.rounds else None
        return synchronised.search(
            self.problem,
            budget_cpu_s=budget_cpu_s,
            seed=self.seed,
            warm=start,
            pins=self.pins,
            progress=lambda *_: self.tell("synchronised"),
        )

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

    def tell(self, name: str) -> None:
        if self.progress:
            self.progress(name, self.least, min(1.0, 1.0 - self.left() / self.budget_cpu_s))
