"""The synchronised search: plans with two caregivers at once, visits that follow each other, and soft lateness.

It is the one optimiser of our own, for what VROOM and PyVRP cannot express, and it improves any other plan. Simulated
annealing on compiled rounds (`synchronised_day` → `_state` → `_timing` → `_moves`, `_missing`, `_ruin` → `_annealing`),
in slices, so that budget, progress and stopping are looked after between them. Seeded: the same problem, seed and
number of moves give the same plan; a budget in seconds does not, because it ends where it ends.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.routing import synchronised_annealing as annealing
from app.routing.problem import Pin, Plan, Problem
from app.routing.synchronised_day import W_TRAVEL, day_of
from app.routing.synchronised_plan import load, plan_of
from app.routing.synchronised_state import TRAVEL, cost, empty_state

SLICE_S = 0.3
"""CPU seconds between two looks at budget and progress."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to cool: temperatures in average ways between two stops, the share of large moves and their size in jobs."""

    hot: float = 1.0
    cold: float = 0.01
    large: float = 0.002
    torn: int = 8
    warm_hot: float = 0.1


Progress = Callable[[float, float], None]
"""Told after every slice: the share of the budget that is spent, and the best cost."""


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
    """The best plan found within the budget, or after so many `moves`. Unsolvable if the problem makes no sense."""
    schedule = schedule or Schedule()
    day = day_of(problem, pins)
    state = empty_state(day, seed)
    if not problem.tasks or not problem.caregivers:
        return plan_of(problem, day, state)
    began = time.process_time()
    if warm is not None:
        load(problem, day, state, warm)
    annealing.construct(day, state, annealing.urgency(day))
    best = copy.deepcopy(state)
    unit = day.weight[W_TRAVEL] * state.tally[TRAVEL] / len(problem.tasks) or 1.0
    hot, cold = schedule.hot * unit, schedule.cold * unit
    if warm is not None:
        hot = schedule.warm_hot * unit
    done, size, share = 0, 2000, 0.0
    while share < 1.0:
        if moves is not None:
            size = min(20_000, moves - done)
            step = size / moves
        else:
            step = min(1.0 - share, SLICE_S / budget_cpu_s)
        annealing.spread_keys(day, state)
        start = time.process_time()
        heat, next_heat = (hot * (cold / hot) ** at for at in (share, min(1.0, share + step)))
        annealing.anneal(day, state, best, size, heat, next_heat, schedule.large, schedule.torn)
        done += size
        now = time.process_time()
        if moves is not None:
            share = done / moves
        else:
            size = max(100, int(size * min(4.0, SLICE_S / max(1e-6, now - start))))
            share = (now - began) / budget_cpu_s
        if progress is not None:
            progress(share, cost(day, best))
    return plan_of(problem, day, best)
