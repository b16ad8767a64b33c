"""How evenly something is spread over a team. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def gini(amounts: Iterable[float]) -> float:
    """The Gini coefficient: 0 when everybody has the same, towards 1 when one has everything; 0 for nobody or nothing.

    Raises ValueError for negative amounts.
    """
    ordered = sorted(amounts)
    if ordered and ordered[0] < 0:
        raise ValueError("amounts are not negative")
    total, count = sum(ordered), len(ordered)
    if not total:
        return 0.0
    weighted = sum(place * amount for place, amount in enumerate(ordered, start=1))
    return 2 * weighted / (count * total) - (count + 1) / count


def spread(amounts: Iterable[float]) -> float:
    """The most less the least; 0 for nobody."""
    known = list(amounts)
    return max(known) - min(known) if known else 0.0
