"""`scripts/bench rounds`: a city's day planned by the product beside VROOM alone, and what planning costs others.

Plans: the same day, the same CPU seconds (of this process; both sides on one thread, loading not counted). VROOM runs
at several exploration levels, without a limit and with the budget as limit, and shows its best. Then the event loop's
longest stall while such a day is solved, and the frontier of repairs after an illness, an emergency and an overrun.
"""

from __future__ import annotations

import argparse
import time

from app.routing import solving
from app.routing.problem import Plan, Problem
from app.routing.validation import cost, violations
from benchmarks import rounds_repair, stall
from benchmarks.city_day import VARIANTS, city_day
from benchmarks.rounds_vroom import Found, alone, best_within

HOUR = 3600
PARTS = ("plans", "stall", "repair")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="of the day and of the solvers")
    parser.add_argument("--budgets", default="10,60", help="CPU seconds")
    parser.add_argument("--levels", default="0,1,2,5", help="VROOM's exploration levels to try")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--caregivers", type=int, default=100)
    parser.add_argument("--visits", type=int, default=800)


async def run(options: argparse.Namespace) -> int:
    began = time.process_time()
    solving.prepare()
    print(f"solvers loaded in {time.process_time() - began:.1f} CPU s")
    parts, plans = options.parts.split(","), {}
    worst = 0.0
    for variant in options.variants.split(","):
        day = city_day(variant, caregivers=options.caregivers, visits=options.visits, seed=options.seed)
        _describe(variant, day)
        if "plans" in parts:
            budgets = [float(budget) for budget in options.budgets.split(",")]
            ratios, plans[variant] = _plans(day, budgets, list(map(int, options.levels.split(","))), options.seed)
            worst = max([worst, *ratios])
        if "repair" in parts:
            plan = plans.get(variant) or solving.solve(day, 20.0, seed=options.seed).plan
            rounds_repair.show(day, plan, options.seed)
    if "stall" in parts:
        await stall.show(city_day("plain", caregivers=options.caregivers, visits=options.visits, seed=options.seed))
    return int(worst > 1.0)


def _describe(variant: str, day: Problem) -> None:
    work, shifts = (
        sum(task.duration for task in day.tasks) / HOUR,
        sum(one.shift_closes - one.shift_opens for one in day.caregivers) / HOUR,
    )
    breaks = sum(len(one.breaks) for one in day.caregivers)
    print(
        f"\n== {variant}: {len(day.caregivers)} caregivers x {len(day.tasks)} visits, {work:.0f} h of work in "
        f"{shifts:.0f} h of shifts, {breaks} breaks, {len(day.links)} visits by two"
    )


def _plans(day: Problem, budgets: list[float], levels: list[int], seed: int) -> tuple[list[float], Plan]:
    """The table of one day; our objectives as shares of VROOM's, and our last plan."""
    print(f"{'':34}{'CPU s':>7}{'unserved':>9}{'weight':>8}{'travel h':>9}{'objective h':>12}{'ratio':>8}")
    runs = [] if day.links else _vroom_runs(day, budgets, levels)
    ratios: list[float] = []
    plan = Plan((), ())
    for budget in budgets:
        rival = best_within(day, budget, runs) if runs else None
        if rival:
            limit = "" if rival.limit_s is None else f", limit {rival.limit_s:.0f} s"
            _line(f"VROOM alone (level {rival.level}{limit})", rival.cpu_s, rival.unserved, rival.weight, rival.travel,
                  rival.objective(day))  # fmt: skip
        began = time.process_time()
        found = solving.solve(day, budget, seed=seed)
        cpu_s, plan = time.process_time() - began, found.plan
        assert violations(day, plan) == ()
        total = cost(day, plan).total
        ratio = total / rival.objective(day) if rival else None
        ratios += [ratio] if ratio else []
        _line(f"ours at {budget:g} s", cpu_s, found.cost.unserved, found.cost.unserved_weight, found.cost.travel, total,
              ratio)  # fmt: skip
        steps = (f"{name} {spent:.1f} s {came_to / HOUR:.1f} h" for name, spent, came_to in found.steps)
        print("   " + " -> ".join(steps), flush=True)
    if not runs:
        print("   VROOM alone cannot express visits by two")
    return ratios, plan


def _vroom_runs(day: Problem, budgets: list[float], levels: list[int]) -> list[Found]:
    """Without a limit for the levels that end by themselves in time; with one, of wall seconds, for all others."""
    runs: list[Found] = []
    for level in levels:
        run = alone(day, level, max(budgets))
        runs.append(run)
        _line(f"  (level {level})", run.cpu_s, run.unserved, run.weight, run.travel, run.objective(day))
        for budget in budgets:
            if run.cpu_s > budget:
                runs.append(alone(day, level, budget))
    return runs


def _line(
    name: str, cpu_s: float, unserved: int, weight: int, travel: int, total: float, ratio: float | None = None
) -> None:
    share = "" if ratio is None else f"{ratio:8.3f}"
    print(f"{name:34}{cpu_s:7.1f}{unserved:9}{weight:8}{travel / HOUR:9.1f}{total / HOUR:12.1f}{share}", flush=True)
