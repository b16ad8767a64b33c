"""The small changes a search tries, millions of times. Compiled.

Each move picks at random, preferring what is near, and makes its steps; it answers True if there is something to be
judged. `room` is the most by which travel and preference may get worse: beyond it nothing could make up for it, and
the move is not even made.
"""

from __future__ import annotations

from app.routing.synchronised_day import (
    ABLE,
    AFTER,
    BEFORE,
    DUE,
    DURATION,
    FORBIDDEN,
    JOB,
    MATE,
    NEVER,
    OPENS,
    SECOND,
    W_PREFERENCE,
    W_TRAVEL,
    A,
    B,
    Day,
)
from app.routing.synchronised_state import (
    CARER,
    DONE,
    KEY,
    LAST_KEY,
    LATEST,
    NEXT,
    PER_UNIT,
    PREV,
    SEAT,
    START,
    State,
    arc,
    compiled,
    dice,
    inlined,
    key_before,
    key_behind,
    nearby,
    share,
)
from app.routing.synchronised_steps import link, rekey, unlink
from app.routing.synchronised_timing import drop, fits


@compiled
def near(day: Day, state: State, task: int) -> int:
    """A node behind which the task might go: next to a near task, or somewhere in the round of one who may; or -1."""
    node = state.node
    way = share(state)
    if way < 0.92:
        side = BEFORE if way < 0.46 else AFTER
        found = int(day.near[side, task, nearby(state, day.near.shape[2])])
        if found < 0 or node[found, CARER] < 0:
            return -1
        return found if side == BEFORE else node[found, PREV]
    carer = int(day.able[task, dice(state, day.task[task, ABLE])])
    head = len(day.task) + carer
    moment = day.task[task, OPENS] + int(share(state) * (day.task[task, DUE] - day.task[task, OPENS]))
    at = head
    while node[at, NEXT] != head and node[node[at, NEXT], START] < moment:
        at = node[at, NEXT]
    return at


@inlined
def may(day: Day, task: int, carer: int) -> bool:
    """Whether the caregiver has the skills, and nobody minds."""
    return bool(day.likes[task, carer] < FORBIDDEN)


@inlined
def partner(day: Day, task: int) -> int:
    """The other task of the same job, or -1."""
    row = day.job[day.task[task, JOB]]
    return int(row[B] if row[A] == task else row[A])


@compiled
def between(day: Day, state: State, job: int, low: int, high: int, wish: int) -> int:
    """A key for the job, above `low` and below `high` and on the right side of its mate; LAST_KEY if there is none.

    As near to the moment `wish` as may be.
    """
    mate = day.job[job, MATE]
    if mate >= 0 and state.work[mate, SEAT] < 0:
        if day.job[job, SECOND] > 0:
            low = max(low, state.work[mate, KEY])
        else:
            high = min(high, state.work[mate, KEY])
    if high - low < 2:
        return LAST_KEY
    step = min((high - low) // 2, PER_UNIT)
    return min(max(wish * PER_UNIT, low + step), high - step)


@inlined
def closed(day: Day, state: State, task: int, carer: int, before: int) -> bool:
    """Whether the task behind `before` would surely break a hard rule."""
    node = state.node
    after = node[before, NEXT]
    start = fits(day, task, node[before, DONE] + arc(day, carer, before, task))
    return start >= NEVER or start + day.task[task, DURATION] + arc(day, carer, task, after) > node[after, LATEST]


@inlined
def leaving(day: Day, state: State, task: int) -> int:
    """Travel that is saved without the task."""
    node = state.node
    carer, before, after = node[task, CARER], node[task, PREV], node[task, NEXT]
    return arc(day, carer, before, task) + arc(day, carer, task, after) - arc(day, carer, before, after)


@inlined
def coming(day: Day, state: State, task: int, carer: int, before: int) -> int:
    """Travel that is added by the task behind `before`."""
    after = state.node[before, NEXT]
    return arc(day, carer, before, task) + arc(day, carer, task, after) - arc(day, carer, before, after)


@inlined
def worth(day: Day, travel: int, liking: int) -> float:
    return float(day.weight[W_TRAVEL] * travel + day.weight[W_PREFERENCE] * liking)


@compiled
def relocate(day: Day, state: State, task: int, room: float) -> bool:
    """A single task goes elsewhere; of a linked pair this half, both where the other half cannot stay."""
    node = state.node
    before = near(day, state, task)
    if before < 0 or before == task or before == node[task, PREV]:
        return False
    carer = node[before, CARER]
    if not may(day, task, carer):
        return False
    other = partner(day, task)
    if other >= 0:
        if node[other, CARER] != carer and share(state) < 0.5:
            return _move_half(day, state, task, other, carer, before, room)
        return _move_both(day, state, task, other, carer, before, room)
    added = coming(day, state, task, carer, before) - leaving(day, state, task)
    if worth(day, added, day.likes[task, carer] - day.likes[task, node[task, CARER]]) > room:
        return False
    if day.hard and carer != node[task, CARER] and closed(day, state, task, carer, before):
        return False
    low = key_behind(day, state, before)
    high = key_before(day, state, node[before, NEXT])
    wish = max(node[before, DONE] + arc(day, carer, before, task), day.task[task, OPENS])
    key = between(day, state, day.task[task, JOB], low, high, wish)
    if key == LAST_KEY:
        return False
    unlink(day, state, task)
    rekey(state, day.task[task, JOB], key)
    link(day, state, task, carer, before)
    return True


@compiled
def _move_half(day: Day, state: State, task: int, other: int, carer: int, before: int, room: float) -> bool:
    """The other half stays where it is, so the key has to fit into both rounds."""
    node = state.node
    low = max(key_behind(day, state, before), key_behind(day, state, node[other, PREV]))
    high = min(key_before(day, state, node[before, NEXT]), key_before(day, state, node[other, NEXT]))
    key = between(day, state, day.task[task, JOB], low, high, node[task, START])
    added = coming(day, state, task, carer, before) - leaving(day, state, task)
    liked = day.likes[task, carer] - day.likes[task, node[task, CARER]]
    if key == LAST_KEY or worth(day, added, liked) > room:
        return False
    unlink(day, state, task)
    rekey(state, day.task[task, JOB], key)
    link(day, state, task, carer, before)
    return True


@compiled
def _move_both(day: Day, state: State, task: int, other: int, carer: int, before: int, room: float) -> bool:
    """Both halves go, the other one to the best place that the key of the first allows."""
    node, job = state.node, day.task[task, JOB]
    second = node[other, CARER]
    if second == carer or share(state) < 0.5:
        second = int(day.able[other, dice(state, day.task[other, ABLE])])
    saved = leaving(day, state, task) + leaving(day, state, other)
    if before == other or second == carer or worth(day, coming(day, state, task, carer, before) - saved, 0) > room:
        return False
    unlink(day, state, task)
    unlink(day, state, other)
    low, high = key_behind(day, state, before), key_before(day, state, node[before, NEXT])
    place = best_place(day, state, other, second, low, high)
    if place >= 0:
        low = max(low, key_behind(day, state, place))
        high = min(high, key_before(day, state, node[place, NEXT]))
        wish = max(node[before, DONE] + arc(day, carer, before, task), day.task[task, OPENS])
        rekey(state, job, between(day, state, job, low, high, wish))
        link(day, state, task, carer, before)
        link(day, state, other, second, place)
        return True
    drop(day, state)
    return False


@compiled
def best_place(day: Day, state: State, task: int, carer: int, low: int, high: int) -> int:
    """Where in the round the task costs least travel, its key between the two; -1 if nowhere. Chance blurs it."""
    node, head = state.node, len(day.task) + carer
    best, least, at = -1, NEVER, head
    while True:
        after = node[at, NEXT]
        if min(high, key_before(day, state, after)) - max(low, key_behind(day, state, at)) >= 2:
            added = coming(day, state, task, carer, at)
            if added < least and (best < 0 or share(state) < 0.9):
                best, least = at, added
        if after == head or key_before(day, state, after) >= high:
            return best
        at = after
