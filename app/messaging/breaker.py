"""When a channel is left alone: after failures in a row it rests, then one message goes ahead to see. Pure.

The row is one for all processes: a gateway that is down is down for every worker, all failures count together, and
one probe is enough. It costs nothing while all is well: a channel without failures is only read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TRIPS_AFTER = 5
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)
PROBE_LASTS = timedelta(seconds=15)
"""Longer than a sender may take; a probe whose worker died blocks nobody after that."""


@dataclass(frozen=True, slots=True)
class Breaker:
    failures: int = 0
    """Failures since the last success."""
    open_until: datetime | None = None
    probe_until: datetime | None = None

    @property
    def state(self) -> Literal["closed", "open"]:
        """`closed`, or `open` until a message has got through again."""
        return "closed" if self.open_until is None else "open"


def waits_until(breaker: Breaker, now: datetime) -> datetime | None:
    """Until when a message that can wait has to; None: it may go, as the probe if the breaker is open."""
    if breaker.open_until is None:
        return None
    if now < breaker.open_until:
        return breaker.open_until
    if breaker.probe_until is not None and now < breaker.probe_until:
        return breaker.probe_until
    return None


def probing(breaker: Breaker, now: datetime) -> Breaker:
    """Somebody goes ahead."""
    return Breaker(breaker.failures, breaker.open_until, now + PROBE_LASTS)


def after_failure(breaker: Breaker, now: datetime) -> Breaker:
    """One more. Rests grow twofold; stragglers that fail during a rest do not lengthen it."""
    if breaker.open_until is not None and now < breaker.open_until:
        return breaker
    failures = breaker.failures + 1
    if failures < TRIPS_AFTER:
        return Breaker(failures)
    rest = min(FIRST_REST * (1 << min(failures - TRIPS_AFTER, 10)), LONGEST_REST)
    return Breaker(failures, now + rest)
