"""A million past orders, made by set-based SQL from the columns the product itself writes.

Thirty-six whole months up to the present one, a month at a time: every order was placed a day ahead, accepted,
visited, rated by the family and settled in a statement that is paid. The month that runs now has none, so that a
settlement of it counts what a benchmark adds and nothing else. Sealed answers and hashes are bytes of the right
size that open nothing. The feed holds its 90 days, keys and links what their clean-up leaves.

Caregivers take turns: order `n` is the next one of caregiver `n` modulo their number, so their bookings lie one
behind the other at equal distances, without the drawing of lots that would have to look for overlaps.
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.core import clock
from app.core.idempotency import KEPT_FOR
from app.core.json import dumps
from app.exchange.service import cursor_of
from app.jobs.feed import FENCE, Position
from app.matching.rules import funnel
from app.serving import cluster
from app.wiring import FEED_KEPT
from benchmarks import past_rows as rows
from benchmarks import town
from benchmarks.laid_aside import lay_aside, prepare, put_back
from benchmarks.town import ITEM, Service, Town

MONTHS = 36
ORDERS_PER_WRITER = 100
SPARE = timedelta(hours=3)
"""The last order ends this long before the month does, so that its rating is in the past, too."""


@dataclass(frozen=True)
class Layout:
    """Which order was finished when. Number `n` at `begin` + `n` × `seconds`."""

    begin: datetime
    end: datetime
    count: int
    months: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds() / self.count

    def numbers(self, month: str) -> tuple[int, int]:
        """First and last number finished in a month; empty when the last is below the first."""
        low, high = ((edge - self.begin).total_seconds() / self.seconds for edge in clock.month_bounds(month))
        return max(0, math.ceil(low)), min(self.count, math.ceil(high)) - 1


def layout(now: datetime, count: int) -> Layout:
    """The months before the one that contains `now`."""
    day = clock.service_day(now)
    last = day.year * 12 + day.month - 2
    months = tuple(f"{m // 12:04d}-{m % 12 + 1:02d}" for m in range(last - MONTHS + 1, last + 1))
    return Layout(clock.month_bounds(months[0])[0], clock.month_bounds(months[-1])[1] - SPARE, count, months)


async def load(service: Service, source: str, target: str, count: int) -> None:
    """Make database `target` of `source` and `count` past orders. Nobody may be connected to `source`.

    Raises ValueError when its caregivers had no time for so many.
    """
    await asyncio.to_thread(service.server.create_database, target, source)
    dsn = service.server.dsn(target)
    connection = await asyncpg.connect(dsn)
    progress = _Progress()
    try:
        await prepare(connection)
        plan = layout(clock.now(), count)
        common = await _common(connection, plan)
        aside = await lay_aside(connection, rows.TABLES)
        for month in plan.months:
            await _month(connection, plan, month, common)
            progress.say(f"{month}: {plan.numbers(month)[1] + 1:,} of {count:,} orders")
        for sums in (rows.SCORES, rows.KNOWN):
            await connection.execute(sums, plan.begin, plan.end)
        await connection.execute("SELECT setval('care_order_number', $1)", common.number + count)
        await connection.execute("DROP TABLE crew, home, ranking, past")
    finally:
        await connection.close()
    await put_back(dsn, aside, lambda what: progress.say(f"built and checked: {what}"))
    await _settle_down(service, target, progress)


async def stand_at_the_end(service: Service, name: str, found: Town) -> None:
    """Let every provider's reader begin behind what is in its feed of database `name` now, as one that kept up."""
    connection = await asyncpg.connect(service.server.dsn(name))
    try:
        fence = await connection.fetchval(FENCE)
    finally:
        await connection.close()
    readers: list[UUID | str] = [*found.keys, *(key for key, _ in found.keys.values())]
    town.LAST_CURSOR.clear()
    town.LAST_CURSOR.update(dict.fromkeys(readers, cursor_of(Position(fence - 1, 2**62))))


@dataclass(frozen=True)
class _Common:
    """What all orders have in common."""

    desk: str
    clerk: str
    price: asyncpg.Record
    number: int
    funnel: str
    answers: list[bytes]


async def _common(connection: asyncpg.Connection, plan: Layout) -> _Common:
    for table in (rows.CREW, rows.HOMES, rows.RANKINGS, rows.PAST):
        await connection.execute(table)
    for made in ("crew", "home", "ranking"):
        await connection.execute(f"ANALYZE {made}")
    crew = await connection.fetchval("SELECT count(*) FROM crew")
    if not crew or crew * plan.seconds < 60 * (rows.BOOKED_MINUTES + 1):
        raise ValueError(f"{crew} caregivers cannot have had {plan.count:,} orders in {MONTHS} months")
    staff = [f"staff:{row['id']}" for row in await connection.fetch("SELECT id FROM staff ORDER BY id LIMIT 2")]
    price = await connection.fetchrow(
        "SELECT id, price_fen FROM price_version WHERE item_code = $1 AND valid_to IS NULL ORDER BY id LIMIT 1", ITEM
    )
    number = await connection.fetchval("SELECT last_value FROM care_order_number")
    await connection.execute(rows.ACCOUNTS)
    steps = funnel({"busy": crew // 50, "": crew - crew // 50})
    return _Common(staff[0], staff[1], price, number, dumps(steps), [os.urandom(1507) for _ in range(16)])


async def _month(connection: asyncpg.Connection, plan: Layout, month: str, common: _Common) -> None:
    first, last = plan.numbers(month)
    if last < first:
        return
    now, end = clock.now(), clock.month_bounds(month)[1]
    insert = [
        (rows.REQUESTS,), (rows.ORDERS,), (rows.HISTORY,), (rows.DEADLINES,), (rows.DECISIONS, common.funnel),
        (rows.OFFERS,), (rows.BOOKINGS,), (rows.VISIT_EVENTS,), (rows.VISITS,), (rows.FOLLOWUPS,), (rows.RATINGS,),
        (rows.AUDIT,), (rows.STATEMENTS, end, now), (rows.LINES,), (rows.TRANSFERS, end, now),
        (rows.RUNS, min(end, now)), (rows.KEYS, now - KEPT_FOR, common.answers), (rows.LINKS, now),
    ]  # fmt: skip
    await _stage(connection, plan, month, common)
    async with connection.transaction():
        for statement, *values in insert:
            await connection.execute(statement, *values)
    if end > now - FEED_KEPT:
        oldest = "SELECT min(n) FROM past WHERE placed_at >= $1"
        begin = await connection.fetchval(oldest, now - FEED_KEPT)
        for number in range(begin if begin is not None else last + 1, last + 1, ORDERS_PER_WRITER):
            await connection.execute(rows.FEED, number, min(number + ORDERS_PER_WRITER - 1, last))


async def _stage(connection: asyncpg.Connection, plan: Layout, month: str, common: _Common) -> None:
    values: list[Any] = [
        *plan.numbers(month), plan.begin, plan.seconds, common.desk, common.clerk, common.number + 1,
        common.price["id"], common.price["price_fen"], month,
        clock.month_bounds(month)[1],
    ]  # fmt: skip
    await connection.execute("TRUNCATE past")
    await connection.execute(rows.MONTH, *values)
    await connection.execute("ANALYZE past")


async def _settle_down(service: Service, target: str, progress: _Progress) -> None:
    """Statistics for the tables that were filled by the way, and everything on disk."""
    connection = await asyncpg.connect(service.server.dsn(target, user=cluster.SUPERUSER))
    try:
        for table in ("scorecard", "continuity", "statement", "settlement_run", "ledger_account"):
            await connection.execute(f"VACUUM (ANALYZE) {table}")
        await connection.execute("CHECKPOINT")
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await connection.close()
    progress.say(f"on disk: {size / 1e9:.1f} GB")


class _Progress:
    """Lines on stderr with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def say(self, what: str) -> None:
        print(f"{time.perf_counter() - self._began:7.1f} s  {what}", file=sys.stderr, flush=True)
