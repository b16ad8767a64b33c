"""Randomness by name: the same seed and the same words give the same draw, whatever was drawn before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()
_SCALE = float(1 << 64)


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws of one simulated day."""

    seed: int

    def uniform(self, *names: object) -> float:
        """In (0, 1)."""
        digest = blake2b("|".join(map(str, (self.seed, *names))).encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") + 0.5) / _SCALE

    def happens(self, probability: float, *names: object) -> bool:
        return self.uniform(*names) < probability

    def between(self, low: float, high: float, *names: object) -> float:
        return low + (high - low) * self.uniform(*names)

    def whole(self, low: int, high: int, *names: object) -> int:
        """From `low` to `high`, both included."""
        return low + int((high - low + 1) * self.uniform(*names))

    def normal(self, *names: object) -> float:
        return _NORMAL.inv_cdf(self.uniform(*names))

    def lognormal(self, median: float, sigma: float, *names: object) -> float:
        return median * math.exp(sigma * self.normal(*names))
