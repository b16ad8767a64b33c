"""`scripts/bench vrptw`: ordinary rounds through our own interface, on Solomon's instances (1987).

Gaps are to the best known distances by the DIMACS convention. Our problem knows no loads, so a plan may put more on
a vehicle than it holds; such an answer is shown, and is in no mean. The evaluator first has to agree with all
published solutions.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from app.routing import solving
from benchmarks import vrptw_instances
from benchmarks.vrptw_instances import Solomon, Verdict


def add_arguments(way: argparse.ArgumentParser) -> None:
    way.add_argument("--data", type=Path, required=True, help="folder of solomon.tar.xz and bks.json")
    way.add_argument("--instances", help="by name, e.g. R102,C204; default all")
    way.add_argument("--solver", default="pyvrp", help="one of the product's solvers, or several joined by commas")
    way.add_argument("--seed", type=int, default=1)
    way.add_argument("--budget", type=float, default=60.0, help="CPU seconds for one run")
    way.add_argument("--processes", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    instances, best = vrptw_instances.read(options.data), vrptw_instances.best_known(options.data)
    for name, routes in vrptw_instances.published(options.data).items():
        found = vrptw_instances.verdict(instances[name], routes)
        if found.breaches or found.overloaded or abs(found.distance - best[name]) > 0.05:
            raise SystemExit(f"{name}: evaluator says {found}, published is {best[name]}")
    names = options.instances.split(",") if options.instances else list(instances)
    jobs = [(instances[name], options.budget, options.seed, tuple(options.solver.split(","))) for name in names]
    gaps, overloaded, broken = [], 0, 0
    print(f"{'instance':>8} {'best known':>11} {'ours':>9} {'gap':>8} {'CPU s':>6}")
    with ProcessPoolExecutor(options.processes) as pool:
        for name, (found, spent) in zip(names, pool.map(_solved, jobs), strict=True):
            gap = found.distance / best[name] - 1
            remark = f"{found.overloaded} overloaded" if found.overloaded else "; ".join(found.breaches[:2])
            overloaded += found.overloaded > 0
            broken += bool(found.breaches)
            if not remark:
                gaps.append(gap)
            print(f"{name:>8} {best[name]:11.1f} {found.distance:9.1f} {gap:+8.2%} {spent:6.1f}  {remark}", flush=True)
    if gaps:
        print(f"\nmean gap of {len(gaps)} comparable answers {statistics.mean(gaps):+.2%}, worst {max(gaps):+.2%}")
    print(f"{overloaded} answers overload a vehicle, {broken} break a rule")
    return 1 if broken else 0


def _solved(job: tuple[Solomon, float, int, tuple[str, ...]]) -> tuple[Verdict, float]:
    instance, budget, seed, only = job
    started = time.process_time()
    answer = solving.solve(vrptw_instances.problem_of(instance), budget, seed=seed, only=only)
    spent = time.process_time() - started
    return vrptw_instances.verdict(instance, vrptw_instances.routes_of(answer.plan)), spent
