"""How sure a share is: Wilson's score interval. Pure.

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212; preferred
to the textbook interval because it stays within 0 and 1 and keeps its promise for small numbers and shares near the
ends (R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, method 3).
"""

from __future__ import annotations

from math import sqrt

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: nineteen intervals of twenty hold the true share."""

Z_99 = 2.5758293035489004
ENOUGH = 5
"""Of fewer cases no share is judged; the page says that there are too few. A house rule, no source states one."""


def wilson(part: int, whole: int, z: float = Z_95) -> tuple[float, float]:
    """The interval of `part` out of `whole`, within 0 and 1. Raises ValueError unless 0 ≤ part ≤ whole > 0."""
    if not 0 <= part <= whole or whole == 0:
        raise ValueError(f"{part} out of {whole} is no share")
    share, squared = part / whole, z * z
    middle = share + squared / (2 * whole)
    reach = z * sqrt(share * (1 - share) / whole + squared / (4 * whole * whole))
    scale = 1 + squared / whole
    # At the ends the exact value is 0 or 1; rounding must not push it past.
    low = 0.0 if part == 0 else max(0.0, (middle - reach) / scale)
    high = 1.0 if part == whole else min(1.0, (middle + reach) / scale)
    return low, high
