"""Travel time without a map: straight line, detour and speed by mode and hour band. Pure.

The way from door to door takes `fixed + per_km × straight kilometres` minutes. One such `Line` says what half of all
ways stay under (P50), another what four out of five stay under (P80). `DEFAULTS` are engineering guesses, not
measured; a city replaces them with lines fitted to its own check-ins (`travel_fitting.py`), given as `coefficients`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.geo import EARTH_RADIUS_M, distance_m

PEAK, DAY, QUIET = "peak", "day", "quiet"
BANDS = (PEAK, DAY, QUIET)

PEAK_HOURS = ((7 * 60, 9 * 60), (17 * 60, 19 * 60))
DAY_HOURS = (9 * 60, 17 * 60)

UNKNOWN_MINUTES = 30
"""When one of the two places is not known."""

SAME_PLACE_M = 30.0
"""Nearer than this is the same building: one minute, whatever the mode."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A way of getting about. `peak` stretches the moving part in rush hours."""

    km_per_hour: float
    detour: float
    fixed_minutes: float
    peak: float = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """Minutes = `fixed` + `per_km` × kilometres as the crow flies."""

    fixed: float
    per_km: float

    def minutes(self, metres: float) -> float:
        return self.fixed + self.per_km * metres / 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How long ways take in one mode and hour band: half stay under `p50`, four out of five under `p80`."""

    p50: Line
    p80: Line


Coefficients = Mapping[tuple[str, str], Pace]
"""Pace by (mode, hour band). What is missing is taken from `DEFAULTS`."""

MODES = {
    "walk": Mode(4.5, 1.25, 0.0),
    "ebike": Mode(18.0, 1.35, 2.0, peak=1.1),
    "bus": Mode(12.0, 1.5, 8.0, peak=1.3),
    "car": Mode(22.0, 1.4, 4.0, peak=22 / 15),
}
FALLBACK = "ebike"

CAREFUL = 1.3
"""P80 over P50 where nothing is measured."""


def _guess(mode: Mode, stretch: float) -> Pace:
    per_km = 60 * mode.detour / mode.km_per_hour * stretch
    return Pace(Line(mode.fixed_minutes, per_km), Line(mode.fixed_minutes * CAREFUL, per_km * CAREFUL))


DEFAULTS: Coefficients = {
    (name, band): _guess(mode, mode.peak if band == PEAK else 1.0) for name, mode in MODES.items() for band in BANDS
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """Whole minutes from door to door, each at least one."""

    p50: int
    p80: int


def hour_band(minute_of_day: int) -> str:
    """The band of a local time, in minutes after midnight."""
    if any(opens <= minute_of_day < closes for opens, closes in PEAK_HOURS):
        return PEAK
    return DAY if DAY_HOURS[0] <= minute_of_day < DAY_HOURS[1] else QUIET


def pace(mode: str, band: str = DAY, coefficients: Coefficients = DEFAULTS) -> Pace:
    """The pace to reckon with; a mode nobody knows travels like an electric bicycle."""
    known = mode if mode in MODES else FALLBACK
    return coefficients.get((known, band)) or DEFAULTS[(known, band)]


def estimate(metres: float, mode: str, band: str = DAY, coefficients: Coefficients = DEFAULTS) -> Estimate:
    """How long `metres` as the crow flies take."""
    way = pace(mode, band, coefficients)
    return Estimate(_whole(way.p50, metres), _whole(way.p80, metres))


def travel_minutes(
    from_lng: float | None,
    from_lat: float | None,
    to_lng: float | None,
    to_lat: float | None,
    mode: str,
    band: str = DAY,
    coefficients: Coefficients = DEFAULTS,
) -> int:
    """The P50 in whole minutes from door to door, at least one."""
    if from_lng is None or from_lat is None or to_lng is None or to_lat is None:
        return UNKNOWN_MINUTES
    return _whole(pace(mode, band, coefficients).p50, distance_m(from_lng, from_lat, to_lng, to_lat))


def matrix(
    places: Sequence[tuple[float | None, float | None]] | npt.NDArray[np.float64],
    mode: str,
    band: str = DAY,
    coefficients: Coefficients = DEFAULTS,
    *,
    careful: bool = False,
) -> npt.NDArray[np.int64]:
    """Seconds between all `places`, given as (lng, lat) in WGS-84: P50, or P80 where `careful`.

    Shape (n, n), symmetric, zero on the diagonal. A place with an unknown coordinate is UNKNOWN_MINUTES away from
    everywhere. Sixty times `travel_minutes`, but for its rounding to whole minutes.
    """
    way = pace(mode, band, coefficients)
    line = way.p80 if careful else way.p50
    metres = distances(places)
    seconds = np.maximum(60.0, np.rint(60 * (line.fixed + line.per_km * metres / 1000)))
    seconds = np.where(metres < SAME_PLACE_M, 60.0, seconds)
    seconds = np.where(np.isnan(metres), 60.0 * UNKNOWN_MINUTES, seconds)
    np.fill_diagonal(seconds, 0.0)
    return seconds.astype(np.int64)


def distances(
    places: Sequence[tuple[float | None, float | None]] | npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Great-circle metres between all places; NaN where one is unknown."""
    points = np.radians(np.asarray(places, dtype=np.float64).reshape(-1, 2))
    lng, lat = points[:, 0], points[:, 1]
    half = np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
    half += np.cos(lat)[:, None] * np.cos(lat)[None, :] * np.sin((lng[:, None] - lng[None, :]) / 2) ** 2
    metres: npt.NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    return metres


def _whole(line: Line, metres: float) -> int:
    return 1 if metres < SAME_PLACE_M else max(1, round(line.minutes(metres)))
