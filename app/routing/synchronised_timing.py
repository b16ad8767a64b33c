"""When everybody is where: the earliest times of rounds that were changed. Compiled.

`settle` times again, in the order of keys, whatever a change moved, and stops where nothing moves any more.
"""

from __future__ import annotations

from app.routing.synchronised_day import (
    BREAKS,
    CLOSES,
    DURATION,
    FROM,
    HARD,
    LASTING,
    LEAST,
    MATE,
    MOST,
    NEVER,
    OPENS,
    SECOND,
    SHIFT_CLOSES,
    SHIFT_OPENS,
    UNTIL,
    W_LATENESS,
    W_WORST,
    WINDOWS,
    A,
    B,
    Day,
)
from app.routing.synchronised_state import (
    CARER,
    CHANGED,
    CHANGES,
    DONE,
    EASED,
    FIRST_KEY,
    HELD_BACK,
    HOLD,
    HOMES,
    HOMING,
    KEY,
    LATE,
    LATENESS,
    LATEST,
    LOGGED,
    PREV,
    QUEUE,
    QUEUED,
    SEEN,
    START,
    TAKEN,
    TO_SEE_HOME,
    TO_TIME,
    TOP,
    TOUCHED,
    WORST,
    State,
    arc,
    compiled,
    cost,
    entrance,
    inlined,
)
from app.routing.synchronised_steps import hold, set_times, touch, undo

TURNS = 30
"""How often, in one change, somebody is held back or let go."""


@inlined
def fits(day: Day, task: int, at: int) -> int:
    """The first moment from `at` on at which the task may start."""
    row = day.task[task]
    if at <= row[CLOSES]:
        return int(max(at, row[OPENS]))
    for one in range(1, row[WINDOWS]):
        if at <= day.span[task, one, UNTIL]:
            return int(max(at, day.span[task, one, FROM]))
    return at if at <= row[HARD] else NEVER


@compiled
def earliest(day: Day, state: State, task: int, floor: int) -> tuple[int, int]:
    """When the task can start, not before `floor`, and the rests taken by then."""
    node = state.node
    before, carer = node[task, PREV], node[task, CARER]
    at, taken = node[before, DONE], node[before, TAKEN]
    way = arc(day, carer, before, task)
    start = fits(day, task, max(at + way, floor))
    count = day.carer[carer, BREAKS]
    while taken < count and start < NEVER:
        closes = day.span[len(day.task) + carer, taken, UNTIL]
        resting, left = rested(day, carer, taken, at, way)
        later = fits(day, task, max(resting + left, floor))
        if later > start and start + day.task[task, DURATION] <= closes:
            break  # it can wait, and the task cannot
        at, way, start, taken = resting, left, later, taken + 1
    return start, taken


@entrance
def rested(day: Day, carer: int, which: int, at: int, way: int) -> tuple[int, int]:
    """The end of a rest begun after the way, or if that is too late before it; and what is left of the way."""
    rest = day.span[len(day.task) + carer, which]
    begins = max(at + way, rest[FROM])
    if begins <= rest[UNTIL]:
        return begins + rest[LASTING], 0
    begins = max(at, rest[FROM])
    return (begins + rest[LASTING] if begins <= rest[UNTIL] else NEVER), way


@entrance
def back(day: Day, state: State, carer: int) -> int:
    """When the caregiver is at the end of the round, the remaining rests taken."""
    head = len(day.task) + carer
    last = state.node[head, PREV]
    if last == head:
        return int(day.carer[carer, SHIFT_OPENS])
    at, way = state.node[last, DONE], arc(day, carer, last, head)
    for which in range(state.node[last, TAKEN], day.carer[carer, BREAKS]):
        at, way = rested(day, carer, which, at, way)
    return int(at + way)


@compiled
def _time(day: Day, state: State, job: int) -> bool:
    """The least starts of a job's tasks that keep its link."""
    row = day.job[job]
    if row[MATE] >= 0:
        return _time_mate(day, state, job)
    floor = other_floor = FIRST_KEY
    while True:
        start, taken = earliest(day, state, row[A], floor)
        if start >= NEVER:
            return False
        if row[B] >= 0:
            other, other_taken = earliest(day, state, row[B], other_floor)
            if other >= NEVER:
                return False
            if start < other - row[MOST]:
                floor = other - row[MOST]
                continue
            if other < start + row[LEAST]:
                other_floor = start + row[LEAST]
                continue
            set_times(day, state, row[B], other, other_taken)
        set_times(day, state, row[A], start, taken)
        return True


@compiled
def _time_mate(day: Day, state: State, job: int) -> bool:
    """One of two jobs that are linked, though each has its own place in the order.

    The later one comes after the earlier one has been timed. If that leaves too much between them, the earlier one is
    held back, and timed again; if it was held back longer than need be, it is let go. Either way moments move in one
    direction only, until nothing moves; after so many turns what is still wrong is given up.
    """
    row, node = day.job[job], state.node
    task, other = row[A], day.job[row[MATE], A]
    together = node[other, CARER] >= 0
    floor = state.work[job, HOLD]
    if together and row[SECOND] > 0:
        floor = node[other, START] + row[LEAST]
    start, taken = earliest(day, state, task, floor)
    if start >= NEVER:
        return False
    moved = start != node[task, START]
    set_times(day, state, task, start, taken)
    if not together:
        return True
    if row[SECOND] == 0:
        if moved:
            touch(day, state, other)
        return True
    wish, held = start - row[MOST], state.work[row[MATE], HOLD]
    if node[other, START] < wish or (held == node[other, START] and wish < held):
        state.tally[HELD_BACK] += 1
        if state.tally[HELD_BACK] > TURNS:
            return bool(node[other, START] >= wish)
        hold(state, row[MATE], wish)
        touch(day, state, other)
    return True


@inlined
def _pop(state: State) -> int:
    """The job of the lowest key in the queue."""
    work, count = state.work, state.tally[TO_TIME]
    best = 0
    for at in range(1, count):
        if work[work[at, QUEUE], KEY] < work[work[best, QUEUE], KEY]:
            best = at
    job = work[best, QUEUE]
    work[best, QUEUE] = work[count - 1, QUEUE]
    state.tally[TO_TIME] = count - 1
    work[job, QUEUED] = 0
    return int(job)


@compiled
def settle(day: Day, state: State, room: float) -> bool:
    """Times again what was touched. False if that breaks a hard rule, or if lateness alone exceeds `room`."""
    tally = state.tally
    w_late, w_worst = day.weight[W_LATENESS], day.weight[W_WORST]
    tally[SEEN] = tally[TOP] = tally[HELD_BACK] = 0
    while tally[TO_TIME] > 0:
        job = _pop(state)
        if state.node[day.job[job, A], CARER] < 0:
            continue
        if not _time(day, state, job):
            return False
        if not day.mates and w_late * tally[SEEN] + w_worst * tally[TOP] > room:
            return False  # (mates may be timed more than once; then SEEN is too much)
    while tally[TO_SEE_HOME] > 0:
        tally[TO_SEE_HOME] -= 1
        carer = state.round[tally[TO_SEE_HOME], HOMES]
        state.round[carer, HOMING] = 0
        if back(day, state, carer) > day.carer[carer, SHIFT_CLOSES]:
            return False
    return True


@compiled
def last_chance(day: Day, task: int, at: int) -> int:
    """The last moment not after `at` at which the task may start."""
    row = day.task[task]
    if at >= row[HARD]:
        return int(row[HARD])
    for one in range(row[WINDOWS] - 1, 0, -1):
        if at >= day.span[task, one, FROM]:
            return at if row[HARD] >= NEVER else min(at, day.span[task, one, UNTIL])
    return at if row[HARD] >= NEVER else min(at, row[CLOSES])


@compiled
def bound(day: Day, state: State, carer: int) -> None:
    """LATEST of a round: who starts later breaks a hard rule further on. (Links and rests may forbid more.)"""
    node, head = state.node, len(day.task) + carer
    node[head, LATEST] = day.carer[carer, SHIFT_CLOSES]
    after, at = head, node[head, PREV]
    while at != head:
        limit = node[after, LATEST] - arc(day, carer, at, after) - day.task[at, DURATION]
        node[at, LATEST] = last_chance(day, at, limit)
        after, at = at, node[at, PREV]


@compiled
def keep(day: Day, state: State) -> None:
    """The change is made: there is nothing to undo any more."""
    tally = state.tally
    for at in range(tally[CHANGED]):
        carer = state.round[at, CHANGES]
        state.round[carer, TOUCHED] = 0
        if day.hard:
            bound(day, state, carer)
    tally[CHANGED] = tally[LOGGED] = tally[EASED] = 0


@compiled
def drop(day: Day, state: State) -> None:
    """The change was not to be."""
    undo(day, state, 0)
    for at in range(state.tally[CHANGED]):
        state.round[state.round[at, CHANGES], TOUCHED] = 0
    state.tally[CHANGED] = 0


@compiled
def bound_changed(day: Day, state: State) -> None:
    """In the midst of a change of many parts: the bounds of all rounds it has touched."""
    if day.hard:
        for at in range(state.tally[CHANGED]):
            bound(day, state, state.round[at, CHANGES])


@compiled
def weigh(day: Day, state: State) -> int:
    """The worst lateness after `settle`; looked for everywhere only if the worst got better."""
    tally = state.tally
    if not tally[EASED]:
        return int(max(tally[WORST], tally[TOP]))
    worst = 0
    for task in range(len(day.task)):
        worst = max(worst, state.node[task, LATE])
    return worst


@compiled
def keep_settled(day: Day, state: State) -> None:
    """The same for a change of many parts, each settled by itself."""
    state.tally[EASED] = 1
    state.tally[WORST] = weigh(day, state)
    keep(day, state)


@compiled
def judge(day: Day, state: State, before: float, allowed: float) -> bool:
    """Keeps a change that costs at most `allowed` more than `before`, and drops any other."""
    tally = state.tally
    worst = tally[WORST]
    room = allowed - (cost(day, state) - before)
    # The lateness there was may go away; only what is counted anew by settle is certain.
    room += day.weight[W_LATENESS] * tally[LATENESS] + day.weight[W_WORST] * worst
    if room >= 0 and settle(day, state, room):
        tally[WORST] = weigh(day, state)
        if cost(day, state) - before <= allowed:
            keep(day, state)
            return True
        tally[WORST] = worst
    drop(day, state)
    return False


@compiled
def judge_settled(day: Day, state: State, before: float, allowed: float, whole: bool) -> bool:
    """The same for a change of many parts, each settled and bounded by itself; dropped if it is not whole."""
    tally = state.tally
    worst = tally[WORST]
    if whole:
        tally[EASED] = 1
        tally[WORST] = weigh(day, state)
        if cost(day, state) - before <= allowed:
            keep(day, state)
            return True
        tally[WORST] = worst
    undo(day, state, 0)
    keep(day, state)
    return False
