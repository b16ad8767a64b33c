"""Working days, without a database: an ordinary week, and the days that differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

SATURDAY = 5


def is_workday(day: date, exceptions: Mapping[date, bool]) -> bool:
    """`exceptions` maps days to "is worked"; every other day is worked from Monday to Friday."""
    return exceptions.get(day, day.weekday() < SATURDAY)


def after_workdays(start: date, count: int, exceptions: Mapping[date, bool]) -> date:
    """The `count`-th working day after `start`; `start` itself is not counted, and 0 is `start`.

    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("working days are counted forward")
    day = start
    while count:
        day += timedelta(days=1)
        count -= is_workday(day, exceptions)
    return day
