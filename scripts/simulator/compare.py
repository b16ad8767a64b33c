"""Policies over the same days: means, and paired differences with their 95 % confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from scripts.simulator.city import City, load
from scripts.simulator.day import Day
from scripts.simulator.generator import generate
from scripts.simulator.ledger import MEASURES
from scripts.simulator.policy import Policy


@dataclass(frozen=True, slots=True)
class Scene:
    """The days to live: generated ones, or a recorded one with different luck per seed."""

    orders: int = 800
    carers: int = 100
    scarce: bool = False
    recorded: Path | None = None

    def city(self, seed: int) -> City:
        if self.recorded is not None:
            return load(self.recorded)
        return generate(seed, self.orders, self.carers, scarce=self.scarce)


@dataclass(frozen=True, slots=True)
class Difference:
    """Second minus first, over seeds: mean, and half the width of its 95 % interval (None with one seed)."""

    mean: float
    half_width: float | None

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.half_width is not None and abs(self.mean) > self.half_width


def live(
    scene: Scene, policies: Sequence[Policy], seeds: Sequence[int], processes: int
) -> list[list[dict[str, float]]]:
    """Measures by policy and seed. The answer does not depend on `processes`."""
    days = [(scene, policy, seed) for policy in policies for seed in seeds]
    if processes == 1:
        lived = [_one(day) for day in days]
    else:
        with ProcessPoolExecutor(processes) as pool:
            lived = list(pool.map(_one, days))
    return [lived[i * len(seeds) : (i + 1) * len(seeds)] for i in range(len(policies))]


def means(days: Sequence[dict[str, float]]) -> dict[str, float]:
    """Each measure averaged over the days."""
    return {name: round(fmean(day[name] for day in days), 4) for name, _, _ in MEASURES}


def differences(first: Sequence[dict[str, float]], second: Sequence[dict[str, float]]) -> dict[str, Difference]:
    """Paired by day: both policies met the same wishes and the same luck, so that only the policy differs."""
    found = {}
    for name, _, _ in MEASURES:
        pairs = [b[name] - a[name] for a, b in zip(first, second, strict=True)]
        found[name] = Difference(round(fmean(pairs), 4), _half_width(pairs))
    return found


def _half_width(values: Sequence[float]) -> float | None:
    from scipy.stats import t  # a second to import; only comparisons need it

    if len(values) < 2:
        return None
    return round(float(t.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values)), 4)


def _one(day: tuple[Scene, Policy, int]) -> dict[str, float]:
    scene, policy, seed = day
    return Day(scene.city(seed), policy, seed).run()
