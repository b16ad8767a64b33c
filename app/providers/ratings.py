"""What a handful of ratings is worth. Pure."""

from __future__ import annotations

PRIOR_SCORE = 4.5
"""Where a caregiver without ratings stands: slightly below what satisfied callers usually give."""

PRIOR_WEIGHT = 10
"""As many ratings as the prior counts for."""


def shrunk(
    score_sum: int, count: int, *, prior_score: float = PRIOR_SCORE, prior_weight: float = PRIOR_WEIGHT
) -> float:
    """Mean score on the scale 1..5, pulled towards the prior: one angry call does not end a career and one kind
    one does not make it (Bayesian mean with a pseudo-count).

    `score_sum` is the sum of `count` scores.
    """
    if count < 0 or not count <= score_sum <= 5 * count:
        raise ValueError("a sum of scores lies between 1 and 5 times their count")
    return (prior_score * prior_weight + score_sum) / (prior_weight + count)
