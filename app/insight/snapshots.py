"""What the figures were at the end of a day, kept so that nobody can change it later: no late event, no correction.

Once a day is over, the figures of its last three months are counted again, and what differs from what stood before is
added under that day. A report as of the day reads the newest row that is not younger. Recomputing from histories
instead would need every fact to say when it was known, and events from the door, verdicts and statements do not.

It is a long task of many short transactions, a service day each: one that wrote for minutes would hold back every
reader of the feed. Done twice, or begun again after a crash, what is written stays, and only the rest is added.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import NotFound
from app.insight import counting, queries_snapshots
from app.insight.counting import STREET, By
from app.insight.queries import Cell, Within
from app.insight.queries_snapshots import CITY
from app.jobs.queue import enqueue
from app.regions.divisions import NATION, scope_ranges

KEEP = "insight.keep"
LOOKED_BACK = timedelta(days=92)
"""Service days older than that are settled; they stand as they were last kept."""
AT_FIRST = timedelta(days=366)
ONE_DAY = timedelta(days=1)

Counts = dict[str, list[int]]


async def begin(tx: Tx) -> bool:
    """Have yesterday's figures kept, unless they are or somebody is about it."""
    as_of = clock.today() - ONE_DAY
    if await queries_snapshots.begun(tx, as_of) is not None:
        return False
    back = LOOKED_BACK if await queries_snapshots.ever(tx) else AT_FIRST
    await queries_snapshots.begin(tx, as_of, as_of + ONE_DAY - back, clock.now())
    await enqueue(tx, KEEP, {"as_of": as_of.isoformat()}, only_once=f"{KEEP}:{as_of}")
    return True


async def keep(database: Database, payload: dict[str, Any]) -> None:
    """Keep the figures of `payload["as_of"]`, the youngest service day first."""
    as_of = date.fromisoformat(payload["as_of"])
    async with database.transaction() as tx:
        head = await queries_snapshots.begun(tx, as_of)
    if head is None:
        return
    day = as_of
    while day >= head["first_day"]:
        async with database.transaction() as tx:
            await keep_day(tx, as_of, day)
        day -= ONE_DAY
    async with database.transaction() as tx:
        await queries_snapshots.complete(tx, as_of)


async def keep_day(tx: Tx, as_of: date, day: date) -> int:
    """Add what differs of one service day; returns how many rows that took."""
    fresh = await _counted(tx, day)
    stood = await queries_snapshots.standing(tx, as_of, day, day + ONE_DAY)
    gone: dict[tuple[str, str], Counts] = {key: {} for key, counts in stood.items() if counts and key not in fresh}
    changed = [(key, counts) for key, counts in (fresh | gone).items() if stood.get(key, {}) != counts]
    if changed:
        await queries_snapshots.add(tx, as_of, day, changed)
    return len(changed)


async def read(
    tx: Tx, as_of: date, first: date, end: date, where: Within, by: list[By]
) -> tuple[Any, dict[By | None, list[Cell]]]:
    """The head of the day's snapshot, and its cells as `counting.live` has them. Raises NotFound when nothing was
    kept."""
    head = await queries_snapshots.kept(tx, as_of)
    if head is None:
        raise NotFound("figures_not_kept", "no figures were kept at the end of that day")
    days = first, min(end, as_of + ONE_DAY)
    return head, counting.sums(await queries_snapshots.sums(tx, as_of, days, where, by))


async def _counted(tx: Tx, day: date) -> dict[tuple[str, str], Counts]:
    """Counts of a service day by street and provider."""
    where = Within(*clock.day_bounds(day), scope_ranges([NATION]), None, True, STREET)
    found: dict[tuple[str, str], Counts] = {}
    for cell in await counting.fine(tx, where, ["division", "provider"]):
        place = CITY if cell.division is None else cell.division
        counts = found.setdefault((place, str(cell.provider or "")), {})
        counts |= {code: list(pair) for code, pair in cell.counts.items() if any(pair)}
    return {key: counts for key, counts in found.items() if counts}
