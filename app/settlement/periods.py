"""Months as "YYYY-MM" in Asia/Shanghai. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from app.core.clock import month_bounds, service_day
from app.core.errors import Invalid

LOOK_BACK_MONTHS = 13
"""Services older than this are not picked up as late lines any more; a person has to decide about them."""

_PERIOD = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


def bounds(period: str) -> tuple[datetime, datetime]:
    """The half-open UTC interval of a period. Raises Invalid for anything but a month of this century."""
    if not _PERIOD.fullmatch(period):
        raise Invalid("period_malformed", 'a period is a month like "2026-09"', field="period")
    return month_bounds(period)


def period_of(at: datetime) -> str:
    """The month of the service day that contains `at`."""
    return service_day(at).strftime("%Y-%m")


def following(period: str) -> str:
    """The month after `period`."""
    return period_of(month_bounds(period)[1] + timedelta(days=1))


def oldest_start(period: str) -> datetime:
    """The beginning of the oldest month whose late services the period still takes."""
    year, month = (int(part) for part in period.split("-"))
    months = year * 12 + month - 1 - LOOK_BACK_MONTHS
    return month_bounds(f"{months // 12:04d}-{months % 12 + 1:02d}")[0]


def next_open(now: datetime, *closed: str | None) -> str:
    """The first period that is neither over nor closed: this month, or the one after the newest in `closed`."""
    return max([period_of(now), *(following(period) for period in closed if period is not None)])
