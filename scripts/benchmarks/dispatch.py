"""`scripts/bench dispatch`: one order after the other against a province, and the full scan of the same run.

For every order: the processor time its statements took in the server's process, which neighbours on the machine do not
lengthen much; the time at the database's door (sending, running, reading the rows), which they do; the same match by
plain predicates over everybody; and whether both choose the same caregiver first.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Database, Tx
from app.matching import availability, kept, search
from app.matching import queries_search as matching
from app.matching import queries_shares as shares_queries
from app.matching.queries_availability import SPECIALISTS
from app.matching.rules import lot
from app.orders.queries import OrderRow
from app.seeds.base import load_base
from app.serving import cluster
from benchmarks import cpu, dispatch_province
from benchmarks.dispatch_province import RARE, Province
from benchmarks.dispatch_scan import scan
from benchmarks.town import Service

NAME = "province"
TIE = 1e-6
T = TypeVar("T")


@dataclass
class Watch:
    """What the statements of one search took, and the question they asked."""

    pid: int
    asked: matching.Search | None = None
    seconds: float = 0.0
    cpu: float = 0.0
    circles: int = 0

    async def time(self, work: Awaitable[T]) -> T:
        """Await a statement and add what it took."""
        used, began = cpu.of_one(self.pid), time.perf_counter()
        answer = await work
        self.seconds += time.perf_counter() - began
        self.cpu += cpu.of_one(self.pid) - used
        return answer


@dataclass
class Seen:
    """What came of all orders. Times in milliseconds."""

    processor: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    rare: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    scanned: list[float] = field(default_factory=list)
    scanned_processor: list[float] = field(default_factory=list)
    circles: list[int] = field(default_factory=list)
    nobody: int = 0
    compared: int = 0
    same: int = 0
    rare_compared: int = 0
    rare_same: int = 0
    differing: list[str] = field(default_factory=list)


async def run(options: argparse.Namespace) -> int:
    """Build the province, match, compare, print. Returns 0 when what is promised was seen."""
    home = Path(options.data_dir or tempfile.mkdtemp(prefix="nuanxian-bench-"))
    service = Service(home, 1)
    try:
        await service.create(NAME)
        database = service.database(NAME)
        province = await _build(service, database, options)
        seen = await _match(service, database, province, options.compare)
        await _explain(service, database, province)
        await database.close()
    finally:
        service.stop()
        if not options.data_dir:
            shutil.rmtree(home, ignore_errors=True)
    return _report(seen, options)


async def _build(service: Service, database: Database, options: argparse.Namespace) -> Province:
    began = time.perf_counter()
    async with database.transaction() as tx:
        await load_base(tx)
    day = clock.today() + timedelta(days=1)
    superuser = service.server.dsn(NAME, user=cluster.SUPERUSER)
    province = await dispatch_province.fill(superuser, options.caregivers, options.orders, day, options.seed)
    filled = time.perf_counter()
    connection = await asyncpg.connect(superuser)
    await connection.execute("ANALYZE")
    async with database.transaction() as tx:
        await availability.prepare(tx, [day])
        await shares_queries.count_loads(tx, day)
    made = time.perf_counter()
    await connection.execute("VACUUM (ANALYZE)")
    await connection.execute("CHECKPOINT")
    await connection.close()
    print(
        f"province: {options.caregivers:,} caregivers, filled in {filled - began:.0f} s, "
        f"the day's rows made in {made - filled:.1f} s"
    )
    return province


@contextmanager
def _watched(watch: Watch) -> Iterator[None]:
    """Time every statement of the search."""
    candidates, heads, crowded = matching.candidates, matching.heads, matching.is_crowded

    async def timed(tx: Tx, s: matching.Search, *rest: Any) -> list[Any]:
        watch.asked = s
        watch.circles += 1
        return await watch.time(candidates(tx, s, *rest))

    async def timed_heads(*asked: Any) -> int:
        return await watch.time(heads(*asked))

    async def timed_crowded(*asked: Any) -> bool:
        return await watch.time(crowded(*asked))

    matching.candidates, matching.heads, matching.is_crowded = timed, timed_heads, timed_crowded
    try:
        yield
    finally:
        matching.candidates, matching.heads, matching.is_crowded = candidates, heads, crowded


async def _match(service: Service, database: Database, province: Province, compare: int) -> Seen:
    seen = Seen()
    plain = await asyncpg.connect(service.server.dsn(NAME), server_settings={"jit": "off"})
    async with database.transaction() as tx:
        for order in province.orders[:50]:  # so that statements are prepared and pages are in memory
            await search.look(tx, order, [], order.wanted_from)
    for number, order in enumerate(province.orders):
        async with database.transaction() as tx:
            watch = Watch(await tx.fetchval("SELECT pg_backend_pid()"))
            began = time.perf_counter()
            with _watched(watch):
                found = await search.look(tx, order, [], order.wanted_from)
            kept.explained(found.ranked)
            whole = time.perf_counter() - began
            item = await catalog.item(tx, order.item_code)
        seen.whole.append(whole * 1000)
        seen.database.append(watch.seconds * 1000)
        seen.processor.append(watch.cpu * 1000)
        seen.circles.append(watch.circles)
        if order.item_code in RARE:
            seen.rare.append(watch.cpu * 1000)
        seen.nobody += not found.ranked
        if number < compare:
            await _compare(plain, order, item.certificate, watch, found, seen)
    await plain.close()
    return seen


async def _compare(
    plain: asyncpg.Connection, order: OrderRow, certificate: str | None, watch: Watch, found: Any, seen: Seen
) -> None:
    assert watch.asked is not None
    local = order.wanted_from.astimezone(clock.SHANGHAI)
    surplus = [kind for kind in SPECIALISTS if kind != certificate]
    scanning = Watch(plain.get_server_pid())
    everybody = await scanning.time(
        scan(plain, watch.asked, certificate, surplus, local.hour * 60 + local.minute, order.minutes)
    )
    seen.scanned.append(scanning.seconds * 1000)
    seen.scanned_processor.append(scanning.cpu * 1000)
    first = found.ranked[0].candidate.caregiver_id if found.ranked else None
    equals = [name for name, score in everybody if score > everybody[0][1] - TIE]
    best = min(equals, key=lambda name: lot(found.seed, name), default=None)
    seen.compared += 1
    seen.same += first == best
    if order.item_code in RARE:
        seen.rare_compared += 1
        seen.rare_same += first == best
    if first != best:
        seen.differing.append(f"{order.item_code} {local:%H:%M}: {first} {found.ranked[:1]} / {everybody[:2]}")


async def _explain(service: Service, database: Database, province: Province) -> None:
    """The plan of the statement as the service runs it, and what one order's answer looks like."""
    order = province.orders[0]
    watch = Watch(0)
    asked: list[tuple[Any, ...]] = []
    async with database.transaction() as tx:
        fetch = tx.fetch

        async def kept(sql: str, *args: Any) -> Any:
            if sql is matching.AROUND:
                asked.append(args)
            return await fetch(sql, *args)

        tx.fetch = kept  # type: ignore[method-assign]
        with _watched(watch):
            found = await search.look(tx, order, [], order.wanted_from)
        tx.fetch = fetch  # type: ignore[method-assign]
        plan = await tx.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {matching.AROUND}", *asked[-1])
    lines = [row[0] for row in plan]
    print("\nplan (generic, as the service has it):")
    boxed = [line.strip() for line in lines if "ix_caregiver_day_place" in line or "<@" in line or "Execution" in line]
    print("\n".join(f"  {line}" for line in boxed))
    if not any("ix_caregiver_day_place" in line for line in lines):
        raise RuntimeError("the box is not asked of its index:\n" + "\n".join(lines))
    print(f"\none order: {order.item_code}, {found.radius_km:.0f} km")
    for step in found.funnel:
        print(f"  {step['label']}: -{step['refused']:,} → {step['remaining']:,}")
    for place, one in enumerate(found.ranked[:10], start=1):
        parts = ", ".join(f"{p.name} {p.points:.0f}×{p.weight}" for p in one.parts)
        print(f"  {place:2}. {one.score:7.3f}  {parts}")


def _quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def _report(seen: Seen, options: argparse.Namespace) -> int:
    print(f"\n{len(seen.database):,} orders, {sum(n > 1 for n in seen.circles)} widened, {seen.nobody} without anybody")
    for name, values in (
        ("processor time in the database", seen.processor),
        ("  of these, rare skills", seen.rare),
        ("the same by full scan", seen.scanned_processor),
        ("time at the database's door", seen.database),
        ("the same by full scan", seen.scanned),
        ("whole match, explained", seen.whole),
    ):
        print(f"  {name:32} p50 {_quantile(values, 0.5):8.2f} ms   p99 {_quantile(values, 0.99):8.2f} ms")
    if not seen.compared:
        return 0
    box, full = statistics.median(seen.processor), statistics.median(seen.scanned_processor)
    agreed, rare = seen.same / seen.compared, seen.rare_same / max(1, seen.rare_compared)
    print(f"  box is {full / box:.1f} times as fast as the scan (p50), "
          f"{_quantile(seen.scanned_processor, 0.99) / _quantile(seen.processor, 0.99):.1f} times (p99)")  # fmt: skip
    print(f"  same first choice: {seen.same} of {seen.compared} ({agreed:.2%}); rare skills {rare:.2%}")
    for line in seen.differing[:5]:
        print(f"    differs: {line}")
    kept = agreed >= 0.995 and full / box >= 20 and _quantile(seen.processor, 0.99) <= options.budget_ms
    print("  kept: p99 within the budget, 20 times the scan, 99.5 % the same" if kept else "  NOT KEPT")
    return 0 if kept else 1
