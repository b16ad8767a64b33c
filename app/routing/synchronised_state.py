"""The rounds of a search: who goes where, and when, kept right from one change to the next.

Every job has a key; keys rise along every round. So the jobs have one order in which each comes after all that it
waits for, the two tasks of a link are always timed together, and rounds that wait for each other cannot arise.

Here are the arrays and what is read from them; `synchronised_steps` changes them. All numbers are integers, so that
undoing leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from app.routing.machine_code import njit
from app.routing.synchronised_day import (
    ENTERED,
    JOB,
    LEFT,
    MISSED,
    PROFILE,
    SHIFT_CLOSES,
    SHIFT_OPENS,
    W_LATENESS,
    W_MISSED,
    W_PREFERENCE,
    W_TRAVEL,
    W_WORST,
    Day,
    Integers,
)

F = TypeVar("F", bound=Callable[..., object])

if TYPE_CHECKING:

    def entrance(function: F) -> F:
        """To machine code, kept between runs."""
        return function

    def compiled(function: F) -> F:
        """The same, to be called by other compiled functions only."""
        return function

    def inlined(function: F) -> F:
        """The same for what is small and called everywhere: it becomes a part of its callers."""
        return function

else:  # Nothing is allocated in here, so nothing is counted. Wrappers for Python would double the compiler's time.
    _plain = {"cache": True, "error_model": "numpy", "_nrt": False}
    _inner = _plain | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    entrance = njit(**_plain, forceinline=True)
    compiled = njit(**_inner)
    inlined = njit(**_inner, forceinline=True)

# Columns of State.node. CARER is -1 for a task nobody comes for; TAKEN counts the rests before the task starts.
CARER, PREV, NEXT, START, DONE, TAKEN, LATE, LATEST = range(8)
# Columns of State.work: of each job its key, its seat among those left out (or -1), whether it is to be timed; then
# lists of jobs, filled from the top: those left out, those to be timed, those in hand and their order; at last the
# moment to which the earlier of two mates is held back, lest the later one come too late for it.
KEY, SEAT, QUEUED, LEFT_OUT, QUEUE, IN_HAND, RANK, HOLD = range(8)
# Columns of State.round: whether a caregiver's way home is to be seen to, whether the round changed; lists of both.
HOMING, TOUCHED, HOMES, CHANGES = range(4)
# Places of State.tally: the parts of the cost; how long the lists and the log are; for one change, the lateness
# counted anew, the worst of it, and whether what was worst before has become better, and how often somebody was held
# back; the random numbers.
TRAVEL, LATENESS, WORST, PREFERENCE, MISSING_WEIGHT = range(5)
MISSING, TO_TIME, TO_SEE_HOME, CHANGED, LOGGED, SEEN, TOP, EASED, HELD_BACK, CHANCE = range(5, 15)
# Kinds of steps in State.log.
LINKED, UNLINKED, KEYED, TIMED, GIVEN_UP, TAKEN_UP, EXCHANGED, HELD = range(8)

FIRST_KEY = -(1 << 60)
LAST_KEY = 1 << 60
PER_UNIT = 1 << 20
"""Keys are times, more finely divided, so that there is nearly always one between two others."""


class State(NamedTuple):
    """What a search changes. Few arrays, because every one of them makes every call dearer."""

    node: Integers  # (nodes, 8)
    work: Integers  # (jobs, 8)
    round: Integers  # (caregivers, 4)
    tally: Integers  # (16,)
    log: Integers  # (steps, 6)


def empty_state(day: Day, seed: int) -> State:
    """Nobody goes anywhere yet: every job is missing."""
    tasks, jobs, carers = len(day.task), len(day.job), len(day.carer)
    node = np.zeros((tasks + carers, 8), np.int64)
    node[:tasks, [CARER, PREV, NEXT]] = -1
    heads = np.arange(tasks, tasks + carers)
    node[tasks:, CARER] = heads - tasks
    node[tasks:, PREV] = node[tasks:, NEXT] = heads
    node[tasks:, DONE] = day.carer[:, SHIFT_OPENS]
    node[tasks:, LATEST] = day.carer[:, SHIFT_CLOSES]
    work = np.zeros((jobs, 8), np.int64)
    work[:, SEAT] = work[:, LEFT_OUT] = np.arange(jobs)
    work[:, HOLD] = FIRST_KEY
    tally = np.zeros(16, np.int64)
    tally[MISSING], tally[MISSING_WEIGHT] = jobs, day.job[:, MISSED].sum()
    tally[CHANCE] = 88_172_645_463_325_252 + 2_654_435_761 * seed
    log = np.zeros((100 * tasks + 20_000, 6), np.int64)
    return State(node, work, np.zeros((carers, 4), np.int64), tally, log)


@entrance
def cost(day: Day, state: State) -> float:
    """By the problem's objective."""
    tally, weight = state.tally, day.weight
    return float(
        weight[W_TRAVEL] * tally[TRAVEL]
        + weight[W_LATENESS] * tally[LATENESS]
        + weight[W_WORST] * tally[WORST]
        + weight[W_PREFERENCE] * tally[PREFERENCE]
        + weight[W_MISSED] * tally[MISSING_WEIGHT]
    )


@entrance
def arc(day: Day, carer: int, x: int, y: int) -> int:
    """The way of a caregiver from one node to the next; nothing for a round without stops."""
    if x == y:
        return 0
    return int(day.travel[day.carer[carer, PROFILE], day.place[x, LEFT], day.place[y, ENTERED]])


@inlined
def key_behind(day: Day, state: State, node: int) -> int:
    """What comes after this node has a higher key than this."""
    return FIRST_KEY if node >= len(day.task) else int(state.work[day.task[node, JOB], KEY])


@inlined
def key_before(day: Day, state: State, node: int) -> int:
    """What comes before this node has a lower key than this."""
    return LAST_KEY if node >= len(day.task) else int(state.work[day.task[node, JOB], KEY])


@inlined
def _next(state: State) -> int:
    """Sixty-four more or less random bits (xorshift, Marsaglia 2003)."""
    x = int(state.tally[CHANCE])
    x ^= x << 13
    x ^= (x >> 7) & 0x01FFFFFFFFFFFFFF
    x ^= x << 17
    state.tally[CHANCE] = x
    return x


@inlined
def share(state: State) -> float:
    """0 <= x < 1."""
    return float(_next(state) & 0x001FFFFFFFFFFFFF) * (1.0 / (1 << 53))


@inlined
def dice(state: State, sides: int) -> int:
    """0 to sides - 1, all as likely."""
    return ((_next(state) & 0xFFFFFFFF) * sides) >> 32


@inlined
def nearby(state: State, count: int) -> int:
    """0 to count - 1, the lower the likelier."""
    luck = share(state)
    return int(luck * luck * count)
