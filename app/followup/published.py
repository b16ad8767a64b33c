"""What the centre publishes of its own work: by whole months of the whole city, and only where enough people stand
behind a figure that nobody can be recognised in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.core import clock
from app.core.db import Tx
from app.followup import queries_published as queries

MONTHS = 6
MINIMUM = 10
"""Fewer than these are not published: practice of official statistics, where three to ten are common."""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Month:
    """`satisfied`: ratings of 4 and 5 among those that count. `on_time`: arrivals by the promised time among finished
    orders. `complaints`: those decided by now among those opened that month. None: too few to publish."""

    month: date
    visits: int | None
    satisfied: Share | None
    on_time: Share | None
    complaints: Share | None


async def months(tx: Tx) -> list[Month]:
    """The last whole months, the latest first."""
    firsts = whole_months(clock.today(), MONTHS)
    return await tx.cache.get(("followup.published", firsts[0]), lambda: _count(tx, firsts))


def whole_months(today: date, count: int) -> list[date]:
    """First days of the months that are over, the latest first. Pure."""
    position = today.year * 12 + today.month - 1
    return [date((position - i) // 12, (position - i) % 12 + 1, 1) for i in range(1, count + 1)]


def publishable(part: int, whole: int) -> Share | None:
    """Pure."""
    return Share(part, whole) if whole >= MINIMUM else None


async def _count(tx: Tx, firsts: list[date]) -> list[Month]:
    begin, _ = clock.month_bounds(f"{firsts[-1]:%Y-%m}")
    _, end = clock.month_bounds(f"{firsts[0]:%Y-%m}")
    ratings, visits, complaints = [await count(tx, begin, end) for count in queries.COUNTS]
    nothing = (0, 0)
    return [
        Month(
            month=first,
            visits=whole if (whole := visits.get(first, nothing)[1]) >= MINIMUM else None,
            satisfied=publishable(*ratings.get(first, nothing)),
            on_time=publishable(*visits.get(first, nothing)),
            complaints=publishable(*complaints.get(first, nothing)),
        )
        for first in firsts
    ]
