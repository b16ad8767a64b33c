"""What a visit costs. Pure: integers in, integer fen out."""

from __future__ import annotations


def amount_fen(price_fen: int, per_minutes: int | None, minutes: int) -> int:
    """Price of `minutes` of service, half a fen upwards; per visit when `per_minutes` is None."""
    if per_minutes is None:
        return price_fen
    return (2 * price_fen * minutes + per_minutes) // (2 * per_minutes)


def billable_minutes(actual: int, planned_max: int, rounding: int, minimum: int) -> int:
    """The minutes that may be billed for `actual` minutes at the door.

    Nothing below `minimum`; nothing above `planned_max` (nobody ordered it); in between to the nearest
    `rounding` minutes, half upwards, so that two minutes missing of an hour do not cost a quarter of it.
    """
    if actual < minimum or actual <= 0:
        return 0
    served = min(actual, planned_max)
    rounded = (2 * served + rounding) // (2 * rounding) * rounding
    return min(max(rounded, minimum), planned_max)
