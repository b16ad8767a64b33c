"""What a dispatcher chooses from when a day broke: every way to mend it, and what each means. Pure.

Apart from `repair`, so that whoever only reads it need not load a solver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.routing.problem import Cost, Plan, Problem


@dataclass(frozen=True, slots=True)
class Repair:
    """One way: the day's whole plan, and the problem it answers, which is not quite the one of the morning.

    Of the lost visits `saved` find somebody. Of all others `handed_over` go to another caregiver, `moved` stay but
    start more than `promises.NOTICE` earlier or later, `dropped` are given up. `told` are the caregivers whose round
    changes.
    """

    level: str
    problem: Problem
    plan: Plan
    saved: tuple[str, ...]
    handed_over: tuple[str, ...]
    moved: tuple[str, ...]
    dropped: tuple[str, ...]
    told: tuple[str, ...]
    cost: Cost
    cpu_s: float

    @property
    def disturbed(self) -> int:
        return len(self.handed_over) + len(self.moved) + len(self.dropped)


@dataclass(frozen=True, slots=True)
class Frontier:
    """`lost` in order of priority; `others` counts the visits yet to come that nothing happened to; `stands` is the day
    if nobody does anything about it.

    `room` says, for every lost visit, how many caregivers could take it as the day stands (`has_room`) and why the
    others could not: `not_allowed`, `out_of_shift` (not even with nothing else to do), `no_gap`. Every place in every
    round was tried, with all later visits as late as they may be.
    """

    lost: tuple[str, ...]
    others: int
    stands: Plan
    repairs: tuple[Repair, ...]
    room: Mapping[str, Mapping[str, int]]
