"""How long a person waits after wrong passwords."""

from __future__ import annotations

from datetime import timedelta

FREE_TRIES = 5
LONGEST = timedelta(minutes=15)
_FIRST = timedelta(seconds=30)


def pause_after(failures: int) -> timedelta:
    """Nothing before the fifth failure in a row, then 30 s, doubled with each further one, at most 15 minutes."""
    if failures < FREE_TRIES:
        return timedelta(0)
    doublings = min(failures - FREE_TRIES, 10)
    return min(LONGEST, _FIRST * (1 << doublings))
