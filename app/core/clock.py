"""The only source of "now". Stored in UTC; the service day is the calendar day in Asia/Shanghai.

A rehearsal may run the clock faster than the world (`run`), and tests may hold it still (`hold`);
production does neither.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_rate: float = 1.0
_origin: tuple[float, datetime] | None = None
_held: datetime | None = None


def now() -> datetime:
    """The current instant, timezone-aware, UTC."""
    if _held is not None:
        return _held
    if _origin is None:
        return datetime.now(UTC)
    started, epoch = _origin
    return epoch + timedelta(seconds=(time.time() - started) * _rate)


def today() -> date:
    """The current service day."""
    return service_day(now())


def service_day(at: datetime) -> date:
    """The Asia/Shanghai calendar day that contains the instant `at`."""
    return at.astimezone(SHANGHAI).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The half-open UTC interval [start, end) of one service day."""
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)


def month_bounds(period: str) -> tuple[datetime, datetime]:
    """The half-open UTC interval [start, end) of a period "YYYY-MM" in Asia/Shanghai.

    Raises ValueError when `period` is not a month.
    """
    year, month = (int(part) for part in period.split("-"))
    start = datetime(year, month, 1, tzinfo=SHANGHAI)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=SHANGHAI)
    return start.astimezone(UTC), end.astimezone(UTC)


def run(epoch: datetime, rate: float, started: float | None = None) -> None:
    """Let the clock run from `epoch` at `rate` seconds per real second, since Unix time `started`."""
    global _origin, _rate
    _origin, _rate = (started if started is not None else time.time(), epoch), rate


def real_delay(delay: timedelta) -> timedelta:
    """How long a delay of this clock lasts in the real world."""
    return delay / _rate


@contextmanager
def hold(at: datetime) -> Iterator[None]:
    """Keep the clock still at `at` inside the block; nests."""
    global _held
    before, _held = _held, at
    try:
        yield
    finally:
        _held = before
