"""How far to look for somebody, and when to stop. Pure.

A search begins with a box in which a crowd lives who could come by certificate and sex. It is widened until ten are
left; then it is as large as it has to be for nobody outside to win any more, whoever they are. It ends at the latest
where the way would be longer than the work rules allow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from app.core.geo import EARTH_RADIUS_M
from app.matching.rules import best_possible
from app.routing.travel import DEFAULTS, Coefficients, Line, pace

NEAR_KM = 2.0
CROWD = 150
"""So many are looked at for a start, if as many live within the last circle."""
COUNTED = 1600
"""No further than to this is counted how many there are."""
ENOUGH = 10
_STEP = 1.05
EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)
_KM_PER_DEGREE = EARTH_RADIUS_M * math.pi / 180 / 1000


def lines(modes: Sequence[str], band: str, coefficients: Coefficients = DEFAULTS) -> list[Line]:
    """How long the way takes in each of `modes` in an hour band: the P50 that matching reckons with."""
    return [pace(mode, band, coefficients).p50 for mode in modes]


def reach_km(ways: Sequence[Line], minutes: float) -> float:
    """How far the fastest gets in whole minutes, rounded as travel times are; at least one kilometre."""
    return max(1.0, *((minutes + 0.5 - way.fixed) / way.per_km for way in ways))


def box(lng: float, lat: float, km: float) -> tuple[float, float, float, float]:
    """(west, south, east, north) in degrees: holds every point within `km`."""
    high = km / _KM_PER_DEGREE
    widest = math.cos(math.radians(min(89.0, abs(lat) + high)))
    wide = min(180.0, high / widest)
    return lng - wide, lat - high, lng + wide, lat + high


def circles(last: float) -> list[float]:
    """Where people are counted: in the first of these with a crowd in it a search begins, or in the last."""
    found = [min(NEAR_KM, last)]
    while found[-1] < last:
        found.append(min(found[-1] * 2, last))
    return found


def first_km(km: float, crowd: int) -> float:
    """How far the nearest CROWD live, where `crowd` live within `km`."""
    return km * math.sqrt(CROWD / crowd)


def next_km(
    km: float,
    last: float,
    survivors: int,
    best: float,
    weights: Mapping[str, int],
    ways: Sequence[Line],
    most: Mapping[str, float],
) -> float | None:
    """How far to look next; None when nobody beyond `km` could be better than `best`, or nobody may come from there.

    `most`: points that nobody outside exceeds, by objective. Those the elder knows are looked at wherever they live.
    """
    if km >= last:
        return None
    if survivors < ENOUGH:
        return min(km * min(4.0, max(2.0, math.sqrt(2 * ENOUGH / max(1, survivors)))), last)
    needed = km
    while needed < last and best <= best_possible(weights, _soonest(ways, needed), most):
        needed *= _STEP
    return None if needed == km else min(needed, last)


def _soonest(ways: Sequence[Line], km: float) -> int:
    """Minutes that anybody beyond `km` takes at the least."""
    return max(1, math.floor(min(way.minutes(km * 1000) for way in ways)))
