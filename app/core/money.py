"""Money is an integer number of fen. Splits lose nothing: the parts always add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence


def split(whole_fen: int, weights: Sequence[int]) -> list[int]:
    """Divide `whole_fen` in proportion to non-negative integer `weights` by the largest remainder.

    Ties go to the earlier part, so that a repeated split gives the same answer.
    Raises ValueError for a negative whole, a negative weight, or weights that are all zero.
    """
    total = sum(weights)
    if whole_fen < 0 or total <= 0 or min(weights) < 0:
        raise ValueError("a split needs a non-negative whole and non-negative weights, not all zero")
    parts = [whole_fen * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole_fen * weights[i] % total), i))
    for i in by_remainder[: whole_fen - sum(parts)]:
        parts[i] += 1
    return parts


def share(whole_fen: int, basis_points: int) -> int:
    """`basis_points`/10,000 of `whole_fen`, half up; exact in integers for either sign of the whole."""
    scaled = abs(whole_fen) * basis_points
    rounded = (2 * scaled + 10_000) // 20_000
    return rounded if whole_fen >= 0 else -rounded


def yuan(fen: int) -> str:
    """How an amount is written for people: 1234 → "12.34"."""
    sign, magnitude = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{magnitude // 100}.{magnitude % 100:02d}"
