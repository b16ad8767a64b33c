"""From which pressure on is a batch worth the wait? The same days under one threshold after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.dispatch.batch import Switch
from scripts.simulator.compare import Difference, Scene, differences, live, means
from scripts.simulator.policy import Policy

THRESHOLDS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
LOADS = (0.25, 0.5, 0.75, 1.0)
SHOWN = ("served", "km_per_visit", "continuity", "wait_p50")


def measured(scene: Scene, policy: Policy, seeds: Sequence[int], processes: int) -> Iterator[str]:
    """A table: for several loads of the day, what batching above each threshold gains over never batching."""
    switch = policy.batch or Switch()
    policies = [replace(policy, batch=None)] + [
        replace(policy, batch=replace(switch, opens=opens, closes=opens / 2)) for opens in THRESHOLDS
    ]
    yield f"{'orders':>7}{'opens at':>10}{'waited, %':>11}" + "".join(f"{_label(name):>22}" for name in SHOWN)
    for load in LOADS:
        loaded = replace(scene, orders=round(scene.orders * load))
        never, *others = live(loaded, policies, seeds, processes)
        for opens, days in zip(THRESHOLDS, others, strict=True):
            found = differences(never, days)
            waited = means(days)["batched"]
            cells = "".join(f"{_cell(found[name]):>22}" for name in SHOWN)
            yield f"{loaded.orders:>7}{opens:>10.2f}{waited:>11.1f}{cells}"


def _label(name: str) -> str:
    return {"served": "served, points", "km_per_visit": "km per visit", "wait_p50": "P50 wait, s"}.get(name, name)


def _cell(one: Difference) -> str:
    return f"{one.mean:+.2f} ± {one.half_width or 0:.2f}{'*' if one.certain else ' '}"
