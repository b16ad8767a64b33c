"""A caregiver's day as a row of five-minute slots. Pure.

A row begins at midnight in Shanghai and goes on to eight the next morning, so that a night is in one row. What is
taken is rounded inward and what is asked for outward: a slot that is both is surely a conflict, and whoever is
refused by the bitmap would be refused by the bookings. The few minutes in between are left to the bookings.
"""

from __future__ import annotations

from datetime import date, datetime

from app.core.clock import SHANGHAI, day_bounds

SLOT_MINUTES = 5
SLOTS = 32 * 60 // SLOT_MINUTES
OVERHANG_HOURS = 8
"""How far a row reaches into the next day."""
LOOK_MINUTES = 120
"""How far before and after a visit is looked for free time."""
LOOK = LOOK_MINUTES // SLOT_MINUTES


def row_of(at: datetime) -> date:
    """The day whose row a visit that begins at `at` is looked up in."""
    return at.astimezone(SHANGHAI).date()


def outward(day: date, from_at: datetime, to_at: datetime) -> tuple[int, int]:
    """First slot touched and the first one not touched any more; may lie beyond the row."""
    first = (from_at - day_bounds(day)[0]).total_seconds() / 60
    last = (to_at - day_bounds(day)[0]).total_seconds() / 60
    return int(first // SLOT_MINUTES), int(-(-last // SLOT_MINUTES))


def mask(first: int, end: int) -> str:
    """The slots [first, end) of a row as the text of a bit string. Raises ValueError when they are not in one row."""
    if not 0 <= first <= end <= SLOTS:
        raise ValueError(f"slots {first} to {end} are not in one row of {SLOTS}")
    return "0" * first + "1" * (end - first) + "0" * (SLOTS - end)
