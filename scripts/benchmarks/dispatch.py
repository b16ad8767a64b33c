"""`scripts/bench dispatch`: one order after the other against a province, and the full scan of the same run.

What counts is the processor time its statements took in the server's process. Neighbours on the machine lengthen that,
too, by half and more for moments; so every order is asked in several turns, between two runs of a statement that always
does the same, and the turn counts in which that was fastest. All turns are printed beside it. Then the same match by
plain predicates over everybody, and whether both choose the same caregiver first.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Database, Tx
from app.matching import availability, kept, search
from app.matching import queries_around as around
from app.matching import queries_search as matching
from app.matching import queries_shares as shares_queries
from app.matching.queries_availability import SPECIALISTS
from app.matching.rules import lot
from app.orders.queries import OrderRow
from app.seeds.base import load_base
from app.serving import cluster
from benchmarks import cpu, dispatch_province
from benchmarks.dispatch_figures import Agreement, Asked, judge, quietest, report
from benchmarks.dispatch_province import RARE, Province
from benchmarks.dispatch_scan import scan
from benchmarks.town import Service

NAME = "province"
TIE = 1e-6
WARM = 50
"""Orders asked before any is timed, so that statements are prepared and pages are in memory."""
ALWAYS_THE_SAME = "SELECT sum(x * x) FROM generate_series(1, 10000) AS x"
T = TypeVar("T")


@dataclass
class Watch:
    """What the statements of one search took in seconds, and the question they asked."""

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


async def run(options: argparse.Namespace) -> int:
    """Build the province, match, compare, print. Returns 0 when what is promised was seen."""
    home = Path(options.data_dir or tempfile.mkdtemp(prefix="nuanxian-bench-"))
    service = Service(home, 1)
    try:
        await service.create(NAME)
        database = service.database(NAME)
        province = await _build(service, database, options)
        turns = [await ask(database, province.orders) for _ in range(options.turns)]
        quiet = quietest(turns)
        report(turns, quiet)
        agreement = await compare(service.server.dsn(NAME), database, province.orders[: options.compare])
        await _explain(database, province)
        await database.close()
    finally:
        service.stop()
        if not options.data_dir:
            shutil.rmtree(home, ignore_errors=True)
    return judge(quiet, agreement, options.budget_ms)


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
    candidates, able, unable = matching.candidates, around.able, around.unable

    async def timed(tx: Tx, s: matching.Search, *rest: Any) -> list[Any]:
        watch.asked = s
        watch.circles += 1
        return await watch.time(candidates(tx, s, *rest))

    async def timed_able(*asked: Any) -> int:
        return await watch.time(able(*asked))

    async def timed_unable(*asked: Any) -> dict[str, int]:
        return await watch.time(unable(*asked))

    matching.candidates, around.able, around.unable = timed, timed_able, timed_unable
    try:
        yield
    finally:
        matching.candidates, around.able, around.unable = candidates, able, unable


async def _search(tx: Tx, order: OrderRow) -> tuple[Watch, search.Found]:
    watch = Watch(await tx.fetchval("SELECT pg_backend_pid()"))
    with _watched(watch):
        return watch, await search.look(tx, order, [], order.wanted_from)


async def ask(database: Database, orders: list[OrderRow]) -> list[Asked]:
    """Match every order once and take the time."""
    async with database.transaction() as tx:
        for order in orders[:WARM]:
            await search.look(tx, order, [], order.wanted_from)
    turn = []
    for order in orders:
        async with database.transaction() as tx:
            before = await _always_the_same(tx)
            began = time.perf_counter()
            watch, found = await _search(tx, order)
            kept.explained(found.ranked)
            whole = time.perf_counter() - began
            around_it = max(before, await _always_the_same(tx))
        turn.append(
            Asked(
                around_it=around_it * 1000,
                processor=watch.cpu * 1000,
                door=watch.seconds * 1000,
                whole=whole * 1000,
                is_rare=order.item_code in RARE,
                circles=watch.circles,
                nobody=not found.ranked,
            )
        )
    return turn


async def _always_the_same(tx: Tx) -> float:
    watch = Watch(await tx.fetchval("SELECT pg_backend_pid()"))
    await watch.time(tx.fetchval(ALWAYS_THE_SAME))
    return watch.cpu


async def compare(dsn: str, database: Database, orders: list[OrderRow]) -> Agreement:
    """Match every order both ways. Equals are told apart by the same lot on both sides."""
    agreement = Agreement()
    plain = await asyncpg.connect(dsn, server_settings={"jit": "off"})
    for order in orders:
        async with database.transaction() as tx:
            watch, found = await _search(tx, order)
            item = await catalog.item(tx, order.item_code)
        assert watch.asked is not None
        local, scanning = order.wanted_from.astimezone(clock.SHANGHAI), Watch(plain.get_server_pid())
        surplus = [kind for kind in SPECIALISTS if kind != item.certificate]
        everybody = await scanning.time(
            scan(plain, watch.asked, item.certificate, surplus, local.hour * 60 + local.minute, order.minutes)
        )
        agreement.processor.append(watch.cpu * 1000)
        agreement.scanned.append(scanning.cpu * 1000)
        equals = [name for name, score in everybody if score > everybody[0][1] - TIE]
        best = min(equals, key=lambda name: lot(found.seed, name), default=None)
        first = found.ranked[0].candidate.caregiver_id if found.ranked else None
        agreement.compared += 1
        agreement.same += first == best
        agreement.rare_compared += order.item_code in RARE
        agreement.rare_same += order.item_code in RARE and first == best
        if first != best:
            agreement.differing.append(f"{order.item_code} {local:%H:%M}: {first} {found.ranked[:1]} / {everybody[:2]}")
    await plain.close()
    return agreement


async def _explain(database: Database, province: Province) -> None:
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
