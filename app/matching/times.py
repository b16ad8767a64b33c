"""When a visit could begin, and how much of a caregiver's time it takes. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

TURNAROUND = timedelta(minutes=5)
"""Kept free after a visit, beside the travel to the next one."""

STEP = timedelta(minutes=30)
MAX_STARTS = 8

LEAD = {
    "emergency": timedelta(minutes=5),
    "urgent": timedelta(minutes=15),
    "normal": timedelta(minutes=30),
    "appointment": timedelta(0),
}
"""How soon a visit may begin when it is wanted as soon as possible."""


def possible_starts(
    wanted_from: datetime,
    wanted_to: datetime | None,
    minutes: int,
    urgency: str,
    now: datetime,
    between: tuple[datetime, datetime] | None = None,
) -> list[datetime]:
    """Begin times to try, earliest first, at most MAX_STARTS.

    With a window, every half hour that still lets the visit end inside it; without one, from the lead time on. What
    another visit leaves (`between`) goes before the window: a meal follows the insulin, even if that was late.
    """
    earliest = max(wanted_from, now + LEAD[urgency])
    latest = wanted_to - timedelta(minutes=minutes) if wanted_to else earliest + STEP * (MAX_STARTS - 1)
    if between is not None:
        earliest, latest = max(earliest, between[0]), min(latest, between[1])
    starts = [earliest + STEP * i for i in range(MAX_STARTS)]
    return [start for start in starts if start <= latest] or [earliest]


def occupied(starts_at: datetime, minutes: int, travel_minutes: int) -> tuple[datetime, datetime]:
    """The half-open interval a booking blocks: travel there, the visit, the turnaround."""
    return starts_at - timedelta(minutes=travel_minutes), starts_at + timedelta(minutes=minutes) + TURNAROUND
