"""`scripts/bench hhcrsp`: the synchronised search on the instances of Mankowska, Meisel and Bierwirth (2014).

Every answer passes an evaluator of its own (`hhcrsp_check`), which first has to agree with all published solutions.
Gaps are to the best known costs of Ceschia, Di Gaspero, Rosati and Schaerf (2024); a negative one is a better plan.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from app.routing import synchronised
from benchmarks import hhcrsp_check, hhcrsp_instances

AGREE = 0.001
Row = dict[str, Any]


def add_arguments(way: argparse.ArgumentParser) -> None:
    way.add_argument("--data", type=Path, required=True, help="folder of mankowska_instances.json.xz and its fellows")
    way.add_argument("--sizes", default="10,25,50,75,100,200,300", help="patients")
    way.add_argument("--instances", help="by name instead, e.g. 75_2,300_1")
    way.add_argument("--seeds", type=int, default=3)
    way.add_argument("--budget", type=float, default=60.0, help="CPU seconds for one run")
    way.add_argument("--processes", type=int, default=1)
    way.add_argument("--resume", type=Path, help="a file of JSON lines: runs in it are not made again, new ones added")


def run(options: argparse.Namespace) -> int:
    instances, best = hhcrsp_instances.read(options.data), hhcrsp_instances.best_known(options.data)
    believe(options.data, instances, best)
    chosen = options.instances.split(",") if options.instances else _of_sizes(instances, options.sizes)
    rows = _made_before(options.resume)
    wanted = [(name, seed, options.budget) for seed in range(1, options.seeds + 1) for name in chosen]
    missing = [one for one in wanted if one not in rows]
    if missing:
        synchronised.search(hhcrsp_instances.problem_of(instances["10_1"]), budget_cpu_s=60, moves=1000, seed=1)
    with ProcessPoolExecutor(options.processes) as pool:
        for row in pool.map(_solved, [(instances[one[0]], *one) for one in missing]):
            rows[row["instance"], row["seed"], row["budget"]] = row
            if options.resume:
                with options.resume.open("a") as file:
                    file.write(json.dumps(row) + "\n")
            gap = row["cost"] / best[row["instance"]] - 1
            print(f"{row['instance']:>6} seed {row['seed']} {row['cost']:9.3f} {gap:+8.2%}", flush=True)
    report(best, [rows[one] for one in wanted])
    return 1 if any(rows[one]["breaches"] for one in wanted) else 0


def believe(folder: Path, instances: dict[str, Any], best: dict[str, float]) -> None:
    """The evaluator has to find every published solution right, and as dear as its authors say."""
    for name, solution in hhcrsp_instances.published(folder).items():
        found = hhcrsp_check.verdict(instances[name], solution["routes"])
        if found.breaches or abs(found.cost - best[name]) > AGREE * 10:
            raise SystemExit(f"{name}: evaluator says {found}, published is {best[name]}")


def _solved(job: tuple[Any, str, int, float]) -> Row:
    instance, name, seed, budget = job
    started = time.process_time()
    plan = synchronised.search(hhcrsp_instances.problem_of(instance), budget_cpu_s=budget, seed=seed)
    spent = time.process_time() - started
    found = hhcrsp_check.verdict(instance, hhcrsp_instances.routes_of(instance, plan))
    return {
        "instance": name,
        "seed": seed,
        "budget": budget,
        "cost": round(found.cost, 4),
        "cpu_s": round(spent, 2),
        "breaches": list(found.breaches),
    }


def report(best: dict[str, float], rows: list[Row]) -> None:
    """One line for an instance, with the median of its seeds; then the means by size."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row["instance"], []).append(row)
    gaps: dict[str, list[float]] = {}
    print(f"\n{'instance':>8} {'best known':>11} {'median':>11} {'gap':>8} {'least':>11} {'CPU s':>6}  rules")
    for name, some in by_name.items():
        costs = [row["cost"] for row in some]
        gap = statistics.median(costs) / best[name] - 1
        gaps.setdefault(name.split("_")[0], []).append(gap)
        broken = sum(len(row["breaches"]) for row in some)
        spent = statistics.mean(row["cpu_s"] for row in some)
        rules = f"{broken} broken" if broken else "kept"
        print(
            f"{name:>8} {best[name]:11.3f} {statistics.median(costs):11.3f} {gap:+8.2%} {min(costs):11.3f} "
            f"{spent:6.1f}  {rules}"
        )
    print()
    for size, some_gaps in gaps.items():
        print(f"{size:>4} patients: mean gap {statistics.mean(some_gaps):+.2%}, worst {max(some_gaps):+.2%}")


def _of_sizes(instances: dict[str, Any], sizes: str) -> list[str]:
    return [name for size in sizes.split(",") for name in instances if name.startswith(f"{size}_")]


def _made_before(file: Path | None) -> dict[tuple[str, int, float], Row]:
    if file is None or not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return {(row["instance"], row["seed"], row["budget"]): row for row in rows}
