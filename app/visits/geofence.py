"""Was the caregiver at the elder's door? Two points per visit, never a trail, and never a silent block. Pure.

The radius is a base of the division's policy plus what the device says about its own accuracy. A fix coarser
than `coarse_m` proves nothing either way unless it is plainly elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.geo import distance_m


class Place(StrEnum):
    INSIDE = "inside"
    CANNOT_TELL = "cannot_tell"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Fix:
    """Where somebody was: WGS-84 degrees, accuracy in metres (None: not stated, taken as exact)."""

    lng: float
    lat: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    place: Place
    distance_m: int | None = None


def locate(fix: Fix | None, home: tuple[float, float] | None, *, radius_m: int, coarse_m: int) -> Finding:
    """Compare a fix with the elder's home (lng, lat in WGS-84)."""
    if fix is None or home is None:
        return Finding(Place.CANNOT_TELL)
    away = distance_m(fix.lng, fix.lat, *home)
    accuracy = fix.accuracy_m or 0.0
    if away > radius_m + accuracy:
        return Finding(Place.OUTSIDE, round(away))
    return Finding(Place.CANNOT_TELL if accuracy > coarse_m else Place.INSIDE, round(away))
