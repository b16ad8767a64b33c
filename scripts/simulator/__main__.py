"""`scripts/simulate_dispatch`: one day, several ways of dispatching it, side by side.

    scripts/simulate_dispatch --policy ranked --policy batch --seeds 20 --scarce
    scripts/simulate_dispatch --record 2026-06-30 --database postgresql://… --to day.json
    scripts/simulate_dispatch --policy ranked --policy mine.json --city day.json --seeds 20
    scripts/simulate_dispatch --measure-switch --scarce --seeds 10

The same seed gives the same bytes. Nothing here reads a clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

from scripts.simulator import table
from scripts.simulator.city import save
from scripts.simulator.compare import Scene, differences, live, means
from scripts.simulator.policy import Policy, load


def main() -> int:
    options = _options()
    try:
        if options.record is not None:
            return _record(options)
        scene = Scene(options.orders, options.caregivers, options.scarce, options.city)
        seeds = range(options.seed, options.seed + options.seeds)
        policies = [load(name) for name in options.policy or ["ranked", "batch"]]
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    if options.measure_switch:
        from scripts.simulator.switch import measured

        for line in measured(scene, policies[-1], seeds, options.processes):
            print(line, flush=True)
        return 0
    return _compare(scene, policies, seeds, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="simulate_dispatch", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--policy", action="append", help="a shipped policy or a JSON file; again for the next")
    parser.add_argument("--seed", type=int, default=7, help="of the first day (7)")
    parser.add_argument("--seeds", type=int, default=1, help="how many days, seed after seed (1)")
    parser.add_argument("--orders", type=int, default=800)
    parser.add_argument("--caregivers", type=int, default=100)
    parser.add_argument("--scarce", action="store_true", help="few certificates, and a pile of orders at eight")
    parser.add_argument("--city", type=Path, help="a recorded day, instead of a generated one")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", action="store_true", help="everything as JSON instead of a table")
    parser.add_argument("--measure-switch", action="store_true", help="what batching gains above which pressure")
    parser.add_argument("--record", type=date.fromisoformat, metavar="DAY", help="export a day, with nobody in it")
    parser.add_argument("--database", help="where to record from; default DATABASE_URL")
    parser.add_argument("--schema", default=os.environ.get("NUANXIAN_CITY_SCHEMA", "public"))
    parser.add_argument("--to", type=Path, default=Path("day.json"), help="file of the recording (day.json)")
    return parser.parse_args()


def _compare(scene: Scene, policies: list[Policy], seeds: range, options: argparse.Namespace) -> int:
    lived = live(scene, policies, list(seeds), options.processes)
    averages = [means(days) for days in lived]
    found = [differences(lived[0], days) for days in lived[1:]]
    names = [policy.name for policy in policies]
    if options.json:
        answer = {
            "scene": {**asdict(scene), "recorded": str(scene.recorded) if scene.recorded else None},
            "seeds": list(seeds),
            "policies": [
                {"name": name, "mean": average, "days": days}
                for name, average, days in zip(names, averages, lived, strict=True)
            ],
            "differences": [{name: asdict(one) for name, one in each.items()} for each in found],
        }
        print(json.dumps(answer, indent=1, sort_keys=True, ensure_ascii=False))
        return 0
    print(f"{scene.city(seeds[0]).name}; seeds {seeds[0]} to {seeds[-1]}")
    for line in table.lines(names, averages, found):
        print(line)
    if len(policies) > 1 and len(seeds) > 1:
        print("* the 95 % confidence interval of the paired difference leaves out zero")
    return 0


def _record(options: argparse.Namespace) -> int:
    from scripts.simulator.recording import record

    dsn = options.database or os.environ.get("DATABASE_URL")
    if not dsn:
        raise ValueError("--record needs --database or DATABASE_URL")
    city = asyncio.run(record(dsn, options.schema, options.record))
    save(city, options.to)
    print(f"{city.name} in {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
