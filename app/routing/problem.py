"""What is to be planned and what a plan is. Pure.

Times are whole units, seconds after midnight in a city day (a benchmark may count finer units); travel is a matrix in
the same units, one per way of travelling. Everything is named by the caller's own ids; solvers work on positions.

A visit that takes two caregivers is two tasks joined by a `Link` of distance 0 with `different_caregivers`; a second
visit that has to follow the first within a time is a link with its least and most distance between the two starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """A task may start from `opens` to `closes`, both included."""

    opens: int
    closes: int


def narrowed(windows: Iterable[Window], since: int, till: int) -> tuple[Window, ...]:
    """What of the windows lies from `since` to `till`, both included."""
    cut = (Window(max(window.opens, since), min(window.closes, till)) for window in windows)
    return tuple(window for window in cut if window.opens <= window.closes)


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of `duration` that starts from `opens` to `closes`, between two tasks (or before, or after all)."""

    opens: int
    closes: int
    duration: int


@dataclass(frozen=True, slots=True)
class Caregiver:
    """Whoever works a shift: leaves `start` not before `shift_opens`, is at `end` by `shift_closes`.

    `start` and `end` are positions in the matrices; `profile` says which matrix. A shift may be overrun only where
    the problem has soft windows and `shift_closes` is so late that it never binds.
    """

    id: str
    start: int
    end: int
    shift_opens: int
    shift_closes: int
    skills: frozenset[str] = frozenset()
    breaks: tuple[Break, ...] = ()
    profile: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """Work for one pair of hands at one place.

    `skills` must all be the caregiver's. `only` names the caregivers who may do it (None: anybody), `never` those who
    may not. `priority` from 1 (may be left out first) to 100: the cost of leaving it out is `priority` times
    `Objective.unserved`. `preference` adds to the cost by caregiver id, in travel units; negative for the one whom
    the elder knows.
    """

    id: str
    place: int
    duration: int
    windows: tuple[Window, ...]
    skills: frozenset[str] = frozenset()
    priority: int = 1
    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()
    preference: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """`least` <= start of `second` - start of `first` <= `most`. Either both tasks are served, or neither."""

    first: str
    second: str
    least: int = 0
    most: int = 0
    different_caregivers: bool = True


@dataclass(frozen=True, slots=True)
class Objective:
    """What a plan costs: the sum of its parts, each times its weight.

    `unserved` is the cost of one task of priority 1 that is left out. `lateness` counts only where windows are soft:
    units after the (last) window's `closes`, summed; `worst_lateness` the largest of them.
    """

    travel: float = 1.0
    unserved: float = 7200.0
    lateness: float = 0.0
    worst_lateness: float = 0.0
    preference: float = 1.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A day. `soft_windows` lets tasks start late (at a cost) but never early; all tasks must then be served."""

    caregivers: tuple[Caregiver, ...]
    tasks: tuple[Task, ...]
    travel: tuple[Matrix, ...]
    links: tuple[Link, ...] = ()
    objective: Objective = field(default_factory=Objective)
    soft_windows: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """One task in a round: `arrives` <= `starts`, and `ends` = `starts` + the task's duration."""

    task: str
    arrives: int
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Round:
    """One caregiver's day in order. `leaves` the start, is `back` at the end; `breaks` are the times they start."""

    caregiver: str
    stops: tuple[Stop, ...]
    leaves: int
    back: int
    breaks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds of all caregivers who have any stop, and the tasks that nobody comes for."""

    rounds: tuple[Round, ...]
    unserved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """In a repair: this task stays with this caregiver (`starts` None: at whatever time)."""

    task: str
    caregiver: str
    starts: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a plan costs by part, unweighted, and in `total` by the problem's objective."""

    travel: int
    unserved_weight: int
    unserved: int
    lateness: int
    worst_lateness: int
    preference: int
    total: float


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing a plan does that it must not: `rule` is a stable word, `detail` names who and when."""

    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A solver's answer after the validator: `violations` is empty for every plan that may be shown.

    `cost` is recomputed by us from the plan, never taken from the solver. `bound` is a cost no plan can beat (0 if
    nothing better is known). `steps` tells which solver ran for how many CPU seconds and what it came to.
    """

    plan: Plan
    cost: Cost
    bound: float
    violations: tuple[Violation, ...]
    steps: tuple[tuple[str, float, float], ...]


class Unsolvable(Exception):
    """The problem cannot be right as it is: an empty window, a skill nobody has, an unknown place. Says which."""
