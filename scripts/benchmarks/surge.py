"""`scripts/bench surge`: ten times the calls, all in one street, while boards, families and reports ask as before.

An open loop: what is to happen when is drawn beforehand, and a request counts from the moment it was due, so that a
slow service cannot slow its callers down. Three phases: ordinary, surge, ordinary again. Afterwards everything that
was acknowledged is looked for in the database.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cpu, surge_audit
from benchmarks.surge_city import City, Lines
from benchmarks.surge_world import build
from benchmarks.town import Service

P99_MS, RECOVERY_S = 500, 30
WINDOW_S = 5
"""What is looked at to say that the service is as it was."""


@dataclass
class Phase:
    """What was asked in one phase. Times in milliseconds from when a request was due, by criticality and what."""

    name: str
    began: float
    times: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    cpu_s: dict[str, float] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)


class Record:
    """Everything that was answered; `phase` is the present one."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.at: list[tuple[float, str, int, float]] = []
        """(when answered, criticality, status, ms)."""

    @property
    def phase(self) -> Phase:
        return self.phases[-1]

    def note(self, criticality: str, what: str, status: int, due: float) -> None:
        now = time.perf_counter()
        late_ms = (now - due) * 1000
        self.phase.times[criticality, what].append(late_ms)
        self.phase.statuses[criticality, status] += 1
        self.at.append((now, criticality, status, late_ms))
        if criticality == "intake" and status >= 400:
            self.phase.failures[f"{what}: {status}"] += 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--arrivals", type=float, default=1.0, help="people who ask for help, a second, ordinarily")
    parser.add_argument("--times", type=float, default=10.0, help="how many times as many in the surge")
    parser.add_argument("--ordinary-s", type=float, default=60.0)
    parser.add_argument("--surge-s", type=float, default=600.0)
    parser.add_argument("--web-processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data-dir", help="kept afterwards; default is a temporary one")


async def run(options: argparse.Namespace) -> int:
    home = Path(options.data_dir) if options.data_dir else Path(tempfile.mkdtemp(prefix="nuanxian-bench-"))
    service = Service(home, options.web_processes)
    try:
        await service.create("surge")
        database = service.database("surge")
        world = await build(database)
        await service.start("surge")
        city = City(service.port, world, random.Random(options.seed), Record())
        await _phases(city, service, options)
        print("\nwhat was acknowledged, and is there", flush=True)
        lost = await surge_audit.lost(database, city.promised)
        for line in lost.lines():
            print(f"  {line}")
        await database.close()
        kept = _print(city.record, options) and not lost.any
        print("\n" + ("kept" if kept else "NOT KEPT"))
        return 0 if kept else 1
    finally:
        service.stop()
        if not options.data_dir:
            shutil.rmtree(home, ignore_errors=True)


async def _phases(city: City, service: Service, options: argparse.Namespace) -> None:
    plan = (
        ("warm", 1.0, 15.0),
        ("ordinary", 1.0, options.ordinary_s),
        ("surge", options.times, options.surge_s),
        ("after", 1.0, max(options.ordinary_s, RECOVERY_S + 2 * WINDOW_S)),
    )
    lines = Lines(city)
    for name, times, seconds in plan:
        city.record.phases.append(Phase(name, time.perf_counter()))
        before = _cpu(service)
        await lines.run(options.arrivals * times, times, seconds)
        city.record.phase.cpu_s = {role: (s - before[role]) / seconds for role, s in _cpu(service).items()}
        _print_phase(city.record.phase)
    await lines.end()


def _cpu(service: Service) -> dict[str, float]:
    return {
        "web": cpu.of_tree(service.web_pid), "worker": cpu.of_tree(service.worker_pid),
        "server": cpu.of_tree(service.server_pid), "callers": time.process_time(),
    }  # fmt: skip


def _print_phase(phase: Phase) -> None:
    if phase.name == "warm":
        return
    print(
        f"\n== {phase.name}: CPU " + ", ".join(f"{role} {share:.2f}" for role, share in phase.cpu_s.items()), flush=True
    )
    for (criticality, what), times in sorted(phase.times.items()):
        print(f"  {criticality:<9} {what:<14} {len(times):>6}  {_spread(times)}")
    for criticality in ("intake", "callback", "poll", "report"):
        count = Counter({status: n for (one, status), n in phase.statuses.items() if one == criticality})
        told = ", ".join(f"{status} ×{n}" for status, n in sorted(count.items()))
        print(f"  {criticality:<9} answers: {told or 'none'}")


def _spread(times: list[float]) -> str:
    cut = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
    return f"p50 {cut[49]:7.1f}  p95 {cut[94]:7.1f}  p99 {cut[98]:7.1f}  longest {max(times):7.1f} ms"


def _print(record: Record, options: argparse.Namespace) -> bool:
    """Whether what was asked for is kept."""
    ordinary, surge, after = record.phases[1:]
    intake = [ms for (criticality, _), times in surge.times.items() if criticality == "intake" for ms in times]
    p99 = statistics.quantiles(intake, n=100)[98]
    failures = ordinary.failures + surge.failures + after.failures
    shed = {one: surge.statuses[one, 503] for one in ("intake", "callback", "poll", "report")}
    recovered = _recovered_s(record, surge, after)
    print(f"\nintake in the surge: {len(intake)} requests, p99 {p99:.0f} ms (asked: {P99_MS})")
    print(f"told to come again in the surge: {shed}; intake that failed: {dict(failures) or 'none'}")
    print(
        f"as before after {recovered:.0f} s (asked: {RECOVERY_S})" if recovered is not None else "never as before again"
    )
    return p99 <= P99_MS and not failures and recovered is not None and recovered <= RECOVERY_S


def _recovered_s(record: Record, surge: Phase, after: Phase) -> float | None:
    """Seconds until a window in which nobody is told to come again and intake is as quick as it was asked to be."""
    end = record.at[-1][0]
    begin = after.began
    while begin + WINDOW_S <= end:
        window = [entry for entry in record.at if begin <= entry[0] < begin + WINDOW_S]
        slow = [entry for entry in window if entry[1] == "intake" and entry[3] > P99_MS]
        if window and not slow and all(status != 503 for _, _, status, _ in window):
            return begin - after.began
        begin += 1
    return None
