"""The one door to the solvers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.routing.problem import Pin, Plan, Problem, Solution

Progress = Callable[[str, float, float], None]
"""(step, best cost so far, share of the budget spent, 0 to 1)"""


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
    raise NotImplementedError
