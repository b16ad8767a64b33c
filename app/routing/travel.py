"""Travel time without a map: straight line, detour and speed by mode. Pure.

The figures are engineering guesses to be calibrated from check-in logs of the city; they are not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.geo import distance_m


@dataclass(frozen=True, slots=True)
class Mode:
    km_per_hour: float
    detour: float
    fixed_minutes: float


MODES = {
    "walk": Mode(4.5, 1.25, 0.0),
    "ebike": Mode(18.0, 1.35, 2.0),
    "bus": Mode(12.0, 1.5, 8.0),
    "car": Mode(22.0, 1.4, 4.0),
}

UNKNOWN_MINUTES = 30
"""When one of the two places is not known."""


def travel_minutes(
    from_lng: float | None, from_lat: float | None, to_lng: float | None, to_lat: float | None, mode: str
) -> int:
    """Whole minutes from door to door, at least one."""
    if from_lng is None or from_lat is None or to_lng is None or to_lat is None:
        return UNKNOWN_MINUTES
    how = MODES.get(mode, MODES["ebike"])
    kilometres = distance_m(from_lng, from_lat, to_lng, to_lat) / 1000 * how.detour
    return max(1, round(kilometres / how.km_per_hour * 60 + how.fixed_minutes))
