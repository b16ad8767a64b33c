"""What the pages need beside a report: names to choose from, lines to draw, what to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from app.core.db import Tx
from app.core.http import Caller
from app.insight import queries_listing
from app.insight.indicators import Figure, Good
from app.insight.intervals import Z_99, wilson
from app.insight.service import Group
from app.regions import service as regions

HEADLINE = ("arrive_on_time", "verified_share", "manual_share", "follow_up_share", "satisfied", "incidents_in_time")
"""The figures on top of the overview."""
COMPARED = ("arrive_on_time", "verified_share", "manual_share", "follow_up_share", "satisfied")
"""The shares by which providers and divisions are compared."""
COMPARABLE = 20
"""Of fewer cases nobody is marked as worse than the whole; a house rule."""
PLACES = ("city", "district", "street")
"""Kinds one may choose: reports are not told of a single community."""
MOST_PLACES = 5_000
"""Of one kind; the largest municipality has some thousand streets."""


async def choices(tx: Tx, caller: Caller) -> dict[str, Any]:
    """Divisions down to streets, and providers."""
    found = [await regions.divisions(tx, caller.divisions, kind=kind, limit=MOST_PLACES) for kind in PLACES]
    return {
        "divisions": sorted(chain.from_iterable(found), key=lambda one: one.code),
        "providers": await queries_listing.providers(tx),
    }


def by_code(figures: Sequence[Figure]) -> dict[str, Figure]:
    return {one.indicator.code: one for one in figures}


def lines(days: Sequence[Group], codes: Sequence[str]) -> dict[str, list[float | None]]:
    """An indicator's value day by day; null where nothing could be said of a day."""
    found = [by_code(day.figures) for day in days]
    return {
        code: [one[code].value if one[code].enough else None for one in found]
        for code in codes
        if all(code in one for one in found)
    }


def is_worse(one: Figure, overall: Figure | None) -> bool:
    """Whether a share is worse than the whole's beyond chance: its 99 % interval lies on the wrong side altogether.

    Many are compared at once, so one order more or less must not mark anybody.
    """
    if overall is None or overall.value is None or one.whole < COMPARABLE:
        return False
    low, high = wilson(one.part, one.whole, Z_99)
    if one.indicator.good is Good.UP:
        return high < overall.value
    return one.indicator.good is Good.DOWN and low > overall.value


def spark(values: Sequence[float | None], width: int = 120, height: int = 28) -> list[str]:
    """Points of the lines of a small chart, one line for each run of days without a gap; a day alone is none.

    Shares and counts alike are drawn between nought and their highest.
    """
    top = max((value for value in values if value is not None), default=0) or 1
    step = width / max(1, len(values) - 1)
    runs: list[list[str]] = [[]]
    for n, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{n * step:.1f},{height - 2 - value / top * (height - 4):.1f}")
    return [" ".join(run) for run in runs if len(run) > 1]


TOOLS: dict[str, Any] = {
    "by_code": by_code, "lines": lines, "spark": spark, "is_worse": is_worse, "headline": HEADLINE,
    "compared": COMPARED,
}  # fmt: skip
"""What templates draw with."""
