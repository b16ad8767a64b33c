"""From measured ways to a pace: two straight lines through the (distance, minutes) of one mode and hour band. Pure.

Quantile regression: the P50 line leaves half of the ways under it, the P80 line four out of five. Unlike a mean, it
hardly cares how far off the outliers are, and check-ins have them: a phone that reports hours later, a caregiver who
stops for lunch. What is not plausible at all is left out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.routing.travel import Line, Pace

SHORTEST_M = 50.0
LONGEST_MINUTES = 180.0
FASTEST_KM_PER_HOUR = 120.0

ENOUGH = 40
"""Ways of one mode and hour band, below which the guess stays."""

SPREAD_M = 500.0
"""How far the ninth tenth of distances must lie above the first: else a line through them is anybody's."""

STEEPEST = 60.0
"""Minutes per kilometre; slower than any way on foot."""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """One measured way: metres as the crow flies, minutes from leaving to being there."""

    metres: float
    minutes: float


def plausible(way: Way) -> bool:
    """Neither backwards in time nor half a day long, farther than across the yard, and not flown."""
    if way.metres < SHORTEST_M or not 0 < way.minutes <= LONGEST_MINUTES:
        return False
    return way.metres / 1000 / (way.minutes / 60) <= FASTEST_KM_PER_HOUR


def fitted(ways: Sequence[Way]) -> Pace | None:
    """The pace of one mode and hour band; None when there are too few plausible ways, or all of one length.

    The P80 line lies on or above the P50 line everywhere, and both rise.
    """
    good = [way for way in ways if plausible(way)]
    if len(good) < ENOUGH:
        return None
    km = np.array([way.metres for way in good]) / 1000
    minutes = np.array([way.minutes for way in good])
    low, high = np.quantile(km, (0.1, 0.9))
    if (high - low) * 1000 < SPREAD_M:
        return None
    middle = _line(km, minutes, 0.5, Line(0.0, 0.0))
    return Pace(middle, _line(km, minutes, 0.8, middle))


def _line(km: Vector, minutes: Vector, quantile: float, at_least: Line) -> Line:
    """The line with the least asymmetric absolute error, as a linear program (Koenker & Bassett 1978).

    Minutes = fixed + per_km·km + over - under, where over costs `quantile` and under the rest. Raises RuntimeError
    should the solver ever fail, which this program gives it no cause to.
    """
    from scipy.optimize import linprog  # only the nightly fit needs it
    from scipy.sparse import csr_matrix, hstack, identity

    n = len(km)
    one = identity(n, format="csr")
    line = csr_matrix(np.column_stack([np.ones(n), km]))
    cost = np.concatenate([np.zeros(2), np.full(n, quantile), np.full(n, 1 - quantile)])
    bounds = [(at_least.fixed, LONGEST_MINUTES), (at_least.per_km, STEEPEST), *[(0, None)] * (2 * n)]
    solved = linprog(cost, A_eq=hstack([line, one, -one]), b_eq=minutes, bounds=bounds, method="highs")
    if not solved.success:
        raise RuntimeError(f"quantile regression failed: {solved.message}")
    return Line(round(float(solved.x[0]), 4), round(float(solved.x[1]), 4))
