"""When orders compete for few caregivers: choose for all of them at once. Pure.

One order after another, each takes the caregiver who suits it best, and a later one that only she could serve goes
without. So orders that compete wait a few seconds and are assigned together (`assign`): first as many as can be
served, the weightier before the others, then the best sum of scores. The rest is ordinary dispatch.

Whether a service competes is measured, per service item and district: `pressure` is how many orders there are for one
free caregiver, and `Switch` says from where on batching is worth the wait. Two thresholds keep it from flickering.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

import numpy as np

from app.dispatch.modes import waits_for_batch

Order = TypeVar("Order")
Person = TypeVar("Person")

SERVED = 10_000.0
"""What serving one more order of weight 1 is worth, in points of score: more than any score."""


@dataclass(frozen=True, slots=True)
class Switch:
    """When orders wait for a batch, and how long.

    Batching begins at `opens` orders per free caregiver and ends below `closes`; a batch is assigned every `seconds`.
    An order waits at most `longest_wait` seconds. The thresholds were measured: scripts/simulate_dispatch
    --measure-switch, and what it said stands in scripts/simulator/README.md.
    """

    opens: float = 0.5
    closes: float = 0.25
    seconds: int = 30
    longest_wait: int = 300


@dataclass(frozen=True, slots=True)
class Choice:
    """One caregiver for one order: the score, and how many seconds before the visit she sets out."""

    score: float
    travel: int


@dataclass(frozen=True, slots=True)
class Claim(Generic[Order, Person]):
    """An order in a batch at one begin time: `starts` to `ends` in whole seconds of any clock, turnaround included.

    `choices` are the caregivers who pass the work rules; `weight` counts how much more it matters than another.
    """

    order: Order
    starts: int
    ends: int
    choices: Mapping[Person, Choice]
    weight: float = 1.0


@dataclass(slots=True)
class Taken(Generic[Person]):
    """What earlier waves of a batch took of each caregiver's time."""

    times: dict[Person, list[tuple[int, int]]] = field(default_factory=dict)

    def free(self, person: Person, begin: int, end: int) -> bool:
        return all(end <= other_begin or other_end <= begin for other_begin, other_end in self.times.get(person, ()))

    def take(self, person: Person, begin: int, end: int) -> None:
        self.times.setdefault(person, []).append((begin, end))


def pressure(orders: int, free: float) -> float:
    """Orders per free caregiver; where nobody is free, as many as there are orders."""
    return orders / max(free, 1.0)


def batches(before: bool, now: float, switch: Switch) -> bool:
    """Whether to batch at this pressure, given whether one did before."""
    return now >= (switch.closes if before else switch.opens)


def waits(batching: bool, urgency: str, waited: float, until_start: float, switch: Switch) -> bool:
    """Whether an order is left for the next batch. Seconds: how long it has waited, until its earliest begin."""
    may = waits_for_batch(urgency, timedelta(seconds=until_start), scarce=batching)
    return may and waited < switch.longest_wait


def waves(claims: Sequence[Claim[Order, Person]]) -> list[list[Claim[Order, Person]]]:
    """Groups in which every visit overlaps every other, so that no caregiver could do two of one group anyway.

    The fewest groups there can be: by begin time, a group goes on until one begins when another has ended.
    """
    groups: list[list[Claim[Order, Person]]] = []
    first_end = 0
    for claim in sorted(claims, key=lambda c: (c.starts, c.ends)):
        if groups and claim.starts < first_end:
            groups[-1].append(claim)
            first_end = min(first_end, claim.ends)
        else:
            groups.append([claim])
            first_end = claim.ends
    return groups


def assign(claims: Sequence[Claim[Order, Person]]) -> dict[Order, Person]:
    """The best caregiver for each order that can be served; orders nobody is left for are missing.

    Within a wave this is the optimum; waves are solved in the order of time. The same claims in the same order give
    the same answer.
    """
    taken: Taken[Person] = Taken()
    chosen: dict[Order, Person] = {}
    for wave in waves(claims):
        for claim, person in _solve(wave, taken):
            taken.take(person, claim.starts - claim.choices[person].travel, claim.ends)
            chosen[claim.order] = person
    return chosen


def _solve(wave: list[Claim[Order, Person]], taken: Taken[Person]) -> list[tuple[Claim[Order, Person], Person]]:
    from scipy.optimize import linear_sum_assignment  # 30 MB that only the process that batches needs

    people = list(dict.fromkeys(person for claim in wave for person in claim.choices))
    column = {person: i for i, person in enumerate(people)}
    # One more column per order stands for "nobody": worth nothing, and there is always one left.
    value = np.zeros((len(wave), len(people) + len(wave)))
    value[:, : len(people)] = -1.0
    for row, claim in enumerate(wave):
        for person, choice in claim.choices.items():
            if taken.free(person, claim.starts - choice.travel, claim.ends):
                value[row, column[person]] = SERVED * claim.weight + choice.score
    rows, columns = linear_sum_assignment(value, maximize=True)
    return [(wave[r], people[c]) for r, c in zip(rows, columns, strict=True) if c < len(people) and value[r, c] > 0]
