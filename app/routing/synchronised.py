"""The synchronised search: plans with two caregivers at once, visits that follow each other, and soft lateness.

It is the one optimiser of our own, for what VROOM and PyVRP cannot express, and it improves any other plan. The
representation (one order of all jobs, decoded in one pass) and simulated annealing over many kinds of moves follow
Ceschia, Di Gaspero, Rosati and Schaerf (2024); the large moves are Christiaens and Vanden Berghe's (2020).

Read `_day` (the problem as arrays), `_state`, `_steps` and `_timing` (rounds and their times), `_moves`, `_exchanges`,
`_missing` and `_ruin` (what is tried), `_annealing` (what is kept). Everything runs in slices, so that budget, progress
and stopping are looked after between them. The same problem, seed and number of moves give the same plan; the same
number of seconds does not, because it is not the same number of moves.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.routing.problem import Pin, Plan, Problem
from app.routing.synchronised_annealing import anneal, construct, spread_keys, urgency
from app.routing.synchronised_day import W_TRAVEL, Day, day_of
from app.routing.synchronised_plan import load, plan_of
from app.routing.synchronised_state import TRAVEL, State, cost, empty_state

SLICE_S = 0.3
"""CPU seconds between two looks at budget and progress."""
SLICE_MOVES = 20_000
"""The length of the first slice, and of all where moves are counted."""
TICK_S = 0.02
"""Less than this is not measured: a process whose CPU time is limited sees it move in steps of several milliseconds."""

Progress = Callable[[float, float], None]
"""Told after every slice: the share of the budget that is spent, and the best cost."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to cool. Found by trial on the instances of Mankowska, Meisel and Bierwirth (2014).

    Temperatures are in average ways between two stops: `hot` or, if there is a plan to begin with, `warm` at first,
    `cold` in the end. `large` is the share of large moves, which tear out `torn` jobs on average. A cycle of cooling
    takes `patience` moves for each task, the next one twice as many; the last one takes all that is left. The search
    ends early after `barren` cycles without a better plan.
    """

    hot: float = 10.0
    warm: float = 0.1
    cold: float = 0.1
    large: float = 0.0005
    torn: int = 8
    patience: int = 20_000
    barren: int = 3


def search(
    problem: Problem,
    *,
    budget_cpu_s: float,
    seed: int,
    warm: Plan | None = None,
    pins: Sequence[Pin] = (),
    progress: Progress | None = None,
    moves: int | None = None,
    schedule: Schedule | None = None,
) -> Plan:
    """The best plan found within the budget, or with so many `moves`. Unsolvable if the problem makes no sense.

    Begins with `warm` as far as that keeps the hard rules; the answer is no worse than what was kept of it. Pinned
    tasks stay with their caregivers; should that be impossible, they are left out.
    """
    day = day_of(problem, pins)
    state = empty_state(day, seed)
    if not problem.tasks or not problem.caregivers:
        return plan_of(problem, day, state)
    _compile(day, state)
    began = time.process_time()
    if warm is not None:
        load(problem, day, state, warm)
    construct(day, state, urgency(day))
    run = _Run(day, state, schedule or Schedule(), warm is not None, budget_cpu_s, began, moves, progress)
    return plan_of(problem, day, run.to_the_end())


def _compile(day: Day, state: State) -> None:
    """Has everything compiled, or read from where it is kept: once in a process, and not at the budget's expense."""
    construct(day, state, np.zeros(0, np.int64))
    spread_keys(day, state)
    anneal(day, state, state, 0, 1.0, 1.0, 0.0, 1)


class _Run:
    """One search: its cycles of cooling, cut into slices."""

    def __init__(
        self,
        day: Day,
        state: State,
        schedule: Schedule,
        warm: bool,
        budget_cpu_s: float,
        began: float,
        moves: int | None,
        progress: Progress | None,
    ) -> None:
        self.day, self.state, self.best = day, state, copy.deepcopy(state)
        self.schedule, self.progress = schedule, progress
        self.budget_cpu_s, self.began, self.moves = budget_cpu_s, began, moves
        way = day.weight[W_TRAVEL] * state.tally[TRAVEL] / len(day.task) or 1.0
        self.hot, self.cold = (schedule.warm if warm else schedule.hot) * way, schedule.cold * way
        self.cold = min(self.cold, self.hot / 10)
        self.done, self.per_s = 0, SLICE_MOVES / SLICE_S

    def to_the_end(self) -> State:
        """Cycle after cycle; the best rounds."""
        length, barren = self.schedule.patience * len(self.day.task), 0
        while (left := self.left()) > 0 and barren < self.schedule.barren:
            before = cost(self.day, self.best)
            self.cycle(length if left > 4 * length else 0)
            barren = 0 if cost(self.day, self.best) < before else barren + 1
            length *= 2
        return self.best

    def left(self) -> int:
        """Moves that the budget still allows, as far as is known."""
        if self.moves is not None:
            return self.moves - self.done
        return int((self.budget_cpu_s - (time.process_time() - self.began)) * self.per_s)

    def cycle(self, length: int) -> None:
        """Cools once within so many moves; 0: within all that are left."""
        made = 0
        while (left := length - made if length else self.left()) > 0:
            size = SLICE_MOVES if self.moves is not None or not self.done else int(self.per_s * SLICE_S)
            size = max(1, min(size, left))
            hot, cold = (self.hot * (self.cold / self.hot) ** (at / (made + left)) for at in (made, made + size))
            spread_keys(self.day, self.state)
            start = time.process_time()
            anneal(self.day, self.state, self.best, size, hot, cold, self.schedule.large, self.schedule.torn)
            self.per_s = size / max(TICK_S, time.process_time() - start)
            made, self.done = made + size, self.done + size
            if self.progress is not None:
                spent = self.done / (self.done + max(0, self.left()))
                self.progress(spent, float(cost(self.day, self.best)))
            if self.left() <= 0:
                return
