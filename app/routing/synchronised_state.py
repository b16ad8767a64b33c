"""The rounds of a search: who goes where, and when, kept right from one change to the next.

Every job has a key; keys rise along every round. So the jobs have one order in which each comes after all that it
waits for, the two tasks of a link are always timed together, and rounds that wait for each other cannot arise.

A change is made of steps (link, unlink, a new key, a new time), each of them logged and noted for timing. What is not
wanted is undone from the log. Compiled; all numbers are integers, so that undoing leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from app.routing.synchronised_day import (
    DUE,
    DURATION,
    JOB,
    MISSED,
    PROFILE,
    SHIFT_CLOSES,
    SHIFT_OPENS,
    W_LATENESS,
    W_MISSED,
    W_PREFERENCE,
    W_TRAVEL,
    W_WORST,
    A,
    B,
    Day,
    Integers,
)

F = TypeVar("F", bound=Callable[..., object])

if TYPE_CHECKING:

    def compiled(function: F) -> F:
        """To machine code, kept between runs."""
        return function

else:
    compiled = numba.njit(cache=True, error_model="numpy")

# Columns of State.node. CARER is -1 for a task nobody comes for; TAKEN counts the rests before the task starts.
CARER, PREV, NEXT, START, DONE, TAKEN, LATE, LATEST = range(8)
# Places of State.tally.
TRAVEL, LATENESS, WORST, PREFERENCE, MISSING_WEIGHT, MISSING, QUEUED, ENDING, LOGGED, SEEN, TOP, EASED, CHANGED = range(
    13
)
# Kinds of steps in State.log.
LINKED, UNLINKED, KEYED, TIMED, GIVEN_UP, TAKEN_UP, EXCHANGED = range(7)

FIRST_KEY = -(1 << 60)
LAST_KEY = 1 << 60
PER_UNIT = 1 << 20
"""Keys are times, more finely divided, so that there is nearly always one between two others."""


class State(NamedTuple):
    """What a search changes. `tally` sums up the rounds; the rest is for work in progress."""

    node: Integers  # (nodes, 8)
    key: Integers  # (jobs,)
    tally: Integers  # (16,)
    missing: Integers  # (jobs,) the jobs left out, in no order
    seat: Integers  # (jobs,) where in `missing`, or -1
    queue: Integers  # (jobs,) to be timed
    queued: Integers  # (jobs,) 1 if in the queue
    ending: Integers  # (caregivers,) whose way home changed
    ends: Integers  # (caregivers,) 1 if in `ending`
    changed: Integers  # (caregivers,) whose round changed since the last `settled`
    touched: Integers  # (caregivers,) 1 if in `changed`
    work: Integers  # (jobs,) for lists made on the way
    rank: Integers  # (jobs,) for their order
    log: Integers  # (steps, 6)
    chance: npt.NDArray[np.uint64]  # (1,) of the random numbers


def empty_state(day: Day, seed: int) -> State:
    """Nobody goes anywhere yet: every job is missing."""
    tasks, jobs, carers = len(day.task), len(day.job), len(day.carer)
    node = np.zeros((tasks + carers, 8), np.int64)
    node[:tasks, CARER] = node[:tasks, PREV] = node[:tasks, NEXT] = -1
    heads = np.arange(tasks, tasks + carers)
    node[tasks:, CARER] = heads - tasks
    node[tasks:, PREV] = node[tasks:, NEXT] = heads
    node[tasks:, DONE] = day.carer[:, SHIFT_OPENS]
    node[tasks:, LATEST] = day.carer[:, SHIFT_CLOSES]
    tally = np.zeros(16, np.int64)
    tally[MISSING], tally[MISSING_WEIGHT] = jobs, day.job[:, MISSED].sum()

    def none(count: int) -> Integers:
        return np.zeros(count, np.int64)

    return State(
        node=node,
        key=none(jobs),
        tally=tally,
        missing=np.arange(jobs, dtype=np.int64),
        seat=np.arange(jobs, dtype=np.int64),
        queue=none(jobs),
        queued=none(jobs),
        ending=none(carers),
        ends=none(carers),
        changed=none(carers),
        touched=none(carers),
        work=none(jobs),
        rank=none(jobs),
        log=np.zeros((100 * tasks + 20_000, 6), np.int64),
        chance=np.array([seed * 2_654_435_761 + 88_172_645_463_325_252], np.uint64),
    )


@compiled
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


@compiled
def arc(day: Day, carer: int, x: int, y: int) -> int:
    """The way of a caregiver from one node to the next; nothing for a round without stops."""
    if x == y:
        return 0
    return np.int64(day.travel[day.carer[carer, PROFILE], day.leaves[x], day.enters[y]])


@compiled
def key_at(day: Day, state: State, node: int, of_head: int) -> int:
    return of_head if node >= len(day.task) else state.key[day.task[node, JOB]]


@compiled
def _logged(state: State, kind: int, a: int, b: int, c: int, d: int, e: int) -> None:
    at = state.tally[LOGGED]
    row = state.log[at]
    row[0], row[1], row[2], row[3], row[4], row[5] = kind, a, b, c, d, e
    state.tally[LOGGED] = at + 1


@compiled
def touch(day: Day, state: State, node: int) -> None:
    """This node has to be timed again."""
    tally = state.tally
    if node >= len(day.task):
        carer = node - len(day.task)
        if not state.ends[carer]:
            state.ends[carer] = 1
            state.ending[tally[ENDING]] = carer
            tally[ENDING] += 1
        return
    job = day.task[node, JOB]
    if not state.queued[job]:
        state.queued[job] = 1
        state.queue[tally[QUEUED]] = job
        tally[QUEUED] += 1


@compiled
def _note(state: State, carer: int) -> None:
    if not state.touched[carer]:
        state.touched[carer] = 1
        state.changed[state.tally[CHANGED]] = carer
        state.tally[CHANGED] += 1


@compiled
def _join(day: Day, state: State, task: int, carer: int, before: int) -> None:
    node, tally = state.node, state.tally
    after = node[before, NEXT]
    node[task, CARER], node[task, PREV], node[task, NEXT] = carer, before, after
    node[before, NEXT] = node[after, PREV] = task
    tally[TRAVEL] += arc(day, carer, before, task) + arc(day, carer, task, after) - arc(day, carer, before, after)
    tally[PREFERENCE] += day.likes[task, carer]


@compiled
def _part(day: Day, state: State, task: int) -> None:
    node, tally = state.node, state.tally
    carer, before, after = node[task, CARER], node[task, PREV], node[task, NEXT]
    node[before, NEXT], node[after, PREV] = after, before
    node[task, CARER] = -1
    tally[TRAVEL] += arc(day, carer, before, after) - arc(day, carer, before, task) - arc(day, carer, task, after)
    tally[PREFERENCE] -= day.likes[task, carer]


@compiled
def link(day: Day, state: State, task: int, carer: int, before: int) -> None:
    """Puts a task into a round, behind the node `before`."""
    _join(day, state, task, carer, before)
    _logged(state, LINKED, task, 0, 0, 0, 0)
    touch(day, state, task)
    touch(day, state, state.node[task, NEXT])
    _note(state, carer)


@compiled
def unlink(day: Day, state: State, task: int) -> None:
    """Takes a task out of its round; the job is linked again, or given up, before the change ends."""
    carer, before, after = state.node[task, CARER], state.node[task, PREV], state.node[task, NEXT]
    _part(day, state, task)
    _logged(state, UNLINKED, task, carer, before, 0, 0)
    touch(day, state, after)
    _note(state, carer)


@compiled
def rekey(state: State, job: int, key: int) -> None:
    _logged(state, KEYED, job, state.key[job], 0, 0, 0)
    state.key[job] = key


@compiled
def _swap_tails(day: Day, state: State, x: int, y: int) -> None:
    """What follows x goes on behind y, and the other way round; x and y are nodes of two rounds."""
    node, tally = state.node, state.tally
    tasks = len(day.task)
    one, two = node[x, CARER], node[y, CARER]
    for side in range(2):
        old, new = (one, two) if side == 0 else (two, one)
        at = x if side == 0 else y
        while True:
            after = node[at, NEXT]
            tally[TRAVEL] -= arc(day, old, at, after)
            if after >= tasks:
                break
            tally[PREFERENCE] += day.likes[after, new] - day.likes[after, old]
            at = after
    first_x, last_x, first_y, last_y = node[x, NEXT], node[tasks + one, PREV], node[y, NEXT], node[tasks + two, PREV]
    _graft(day, state, x, one, first_y, last_y)
    _graft(day, state, y, two, first_x, last_x)


@compiled
def _graft(day: Day, state: State, x: int, carer: int, first: int, last: int) -> None:
    """The chain from `first` to `last` (nothing, if `first` is a head) follows x in the round of the caregiver."""
    node, tally, tasks = state.node, state.tally, len(day.task)
    head = tasks + carer
    if first >= tasks:
        first = last = -1
    at = first
    while at >= 0:
        node[at, CARER] = carer
        at = -1 if at == last else node[at, NEXT]
    before = x
    if first >= 0:
        node[x, NEXT], node[first, PREV] = first, x
        before = last
    node[before, NEXT], node[head, PREV] = head, before
    at = x
    while True:
        tally[TRAVEL] += arc(day, carer, at, node[at, NEXT])
        at = node[at, NEXT]
        if at >= tasks:
            break


@compiled
def exchange_tails(day: Day, state: State, x: int, y: int) -> None:
    """Two caregivers go on with each other's round after x and y."""
    _swap_tails(day, state, x, y)
    _logged(state, EXCHANGED, x, y, 0, 0, 0)
    for at in (x, y):
        _note(state, state.node[at, CARER])
        touch(day, state, state.node[at, NEXT])
        touch(day, state, len(day.task) + state.node[at, CARER])


@compiled
def _seat(day: Day, state: State, job: int) -> None:
    tally = state.tally
    state.missing[tally[MISSING]], state.seat[job] = job, tally[MISSING]
    tally[MISSING] += 1
    tally[MISSING_WEIGHT] += day.job[job, MISSED]


@compiled
def _unseat(day: Day, state: State, job: int) -> None:
    tally, at = state.tally, state.seat[job]
    tally[MISSING] -= 1
    moved = state.missing[tally[MISSING]]
    state.missing[at], state.seat[moved] = moved, at
    state.seat[job] = -1
    tally[MISSING_WEIGHT] -= day.job[job, MISSED]


@compiled
def take_up(day: Day, state: State, job: int) -> None:
    """A job that was left out is going to be linked."""
    _logged(state, TAKEN_UP, job, state.seat[job], 0, 0, 0)
    _unseat(day, state, job)


@compiled
def give_up(day: Day, state: State, job: int) -> None:
    """A job, already unlinked, is left out."""
    for half in (A, B):
        task = day.job[job, half]
        if task >= 0:
            set_times(day, state, task, 0, 0, True)
    _logged(state, GIVEN_UP, job, 0, 0, 0, 0)
    _seat(day, state, job)


@compiled
def set_times(day: Day, state: State, task: int, start: int, taken: int, gone: bool) -> None:
    """Logs and sets when a task starts; if it then ends at another time, what follows is touched."""
    node, tally = state.node, state.tally
    row = node[task]
    late = max(0, start - day.task[task, DUE]) if not gone else 0
    done = start + day.task[task, DURATION]
    if late < row[LATE] and row[LATE] == tally[WORST]:
        tally[EASED] = 1
    tally[SEEN] += late
    tally[TOP] = max(tally[TOP], late)
    if start == row[START] and taken == row[TAKEN] and done == row[DONE] and late == row[LATE]:
        return
    _logged(state, TIMED, task, row[START], row[DONE], row[TAKEN], row[LATE])
    tally[LATENESS] += late - row[LATE]
    moved = done != row[DONE] or taken != row[TAKEN]
    row[START], row[DONE], row[TAKEN], row[LATE] = start, done, taken, late
    if moved and not gone:
        touch(day, state, row[NEXT])


@compiled
def undo(day: Day, state: State, mark: int) -> None:
    """Back to when the log was `mark` steps long."""
    node, tally = state.node, state.tally
    for at in range(tally[LOGGED] - 1, mark - 1, -1):
        row = state.log[at]
        kind, what = row[0], row[1]
        if kind == TIMED:
            tally[LATENESS] += row[5] - node[what, LATE]
            node[what, START], node[what, DONE], node[what, TAKEN], node[what, LATE] = row[2], row[3], row[4], row[5]
        elif kind == LINKED:
            _part(day, state, what)
        elif kind == UNLINKED:
            _join(day, state, what, row[2], row[3])
        elif kind == KEYED:
            state.key[what] = row[2]
        elif kind == EXCHANGED:
            _swap_tails(day, state, what, row[2])
        elif kind == GIVEN_UP:
            _unseat(day, state, what)
        else:
            _seat(day, state, what)
            other = state.missing[row[2]]
            last = tally[MISSING] - 1
            state.missing[last], state.missing[row[2]] = other, what
            state.seat[other], state.seat[what] = last, row[2]
    tally[LOGGED] = mark
    _forget(state)


@compiled
def _forget(state: State) -> None:
    tally = state.tally
    for at in range(tally[QUEUED]):
        state.queued[state.queue[at]] = 0
    for at in range(tally[ENDING]):
        state.ends[state.ending[at]] = 0
    tally[QUEUED] = tally[ENDING] = 0
    tally[EASED] = 0


@compiled
def _next(state: State) -> int:
    x = state.chance[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state.chance[0] = x
    return x


@compiled
def dice(state: State, sides: int) -> int:
    """0 to sides - 1, all as likely (xorshift, Marsaglia 2003)."""
    return np.int64(((_next(state) >> np.uint64(32)) * np.uint64(sides)) >> np.uint64(32))


@compiled
def share(state: State) -> float:
    """0 <= x < 1."""
    return np.float64(_next(state) >> np.uint64(11)) * (1.0 / (1 << 53))
