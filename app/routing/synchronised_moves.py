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
    NEVER,
    OPENS,
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
from app.routing.synchronised_steps import exchange_tails, link, rekey, unlink
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


@inlined
def between(low: int, high: int, wish: int) -> int:
    """A key above `low` and below `high`, as near to the moment `wish` as may be; LAST_KEY if there is none."""
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
    key = between(low, high, wish)
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
    key = between(low, high, node[task, START])
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
        rekey(state, job, between(low, high, wish))
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


@compiled
def swap(day: Day, state: State, task: int, room: float) -> bool:
    """Two tasks of different rounds take each other's place, one of them coming beside a task near to it."""
    node = state.node
    before = near(day, state, task)
    if before < 0:
        return False
    other = node[before, NEXT]
    if other >= len(day.task) or node[other, CARER] == node[task, CARER]:
        return False
    mine, theirs = node[task, CARER], node[other, CARER]
    if not (may(day, task, theirs) and may(day, other, mine)):
        return False
    if _stands_by(day, state, task, other) or _stands_by(day, state, other, task):
        return False
    added = _instead(day, state, task, other) + _instead(day, state, other, task)
    liked = day.likes[task, theirs] + day.likes[other, mine] - day.likes[task, mine] - day.likes[other, theirs]
    if worth(day, added, liked) > room:
        return False
    return _take_places(day, state, task, other)


@inlined
def _stands_by(day: Day, state: State, task: int, other: int) -> bool:
    """Whether the task's other half is in the round to which the task would come (and does not itself leave it)."""
    half = partner(day, task)
    return half >= 0 and half != other and state.node[half, CARER] == state.node[other, CARER]


@inlined
def _instead(day: Day, state: State, task: int, other: int) -> int:
    """Travel added by the task in the place of the other."""
    node = state.node
    carer, before, after = node[other, CARER], node[other, PREV], node[other, NEXT]
    added = arc(day, carer, before, task) + arc(day, carer, task, after)
    return added - arc(day, carer, before, other) - arc(day, carer, other, after)


@compiled
def _key_instead(day: Day, state: State, task: int, other: int) -> int:
    """A key for the task in the place of the other, good for its half too."""
    node = state.node
    low = key_behind(day, state, node[other, PREV])
    high = key_before(day, state, node[other, NEXT])
    half = partner(day, task)
    if half >= 0 and half != other:
        low = max(low, key_behind(day, state, node[half, PREV]))
        high = min(high, key_before(day, state, node[half, NEXT]))
    return between(low, high, node[other, START])


@compiled
def _take_places(day: Day, state: State, task: int, other: int) -> bool:
    node = state.node
    half, other_half = partner(day, task), partner(day, other)
    pair = half == other
    if half >= 0 and other_half >= 0 and not pair and node[half, CARER] == node[other_half, CARER]:
        return False  # two keys would change in a third round
    key, other_key = state.work[day.task[task, JOB], KEY], state.work[day.task[other, JOB], KEY]
    if not pair:
        key, other_key = _key_instead(day, state, task, other), _key_instead(day, state, other, task)
        if key == LAST_KEY or other_key == LAST_KEY:
            return False
    mine, theirs, here, there = node[task, CARER], node[other, CARER], node[task, PREV], node[other, PREV]
    unlink(day, state, task)
    unlink(day, state, other)
    if not pair:
        rekey(state, day.task[task, JOB], key)
        rekey(state, day.task[other, JOB], other_key)
    link(day, state, task, theirs, there)
    link(day, state, other, mine, here)
    return True


@compiled
def move_string(day: Day, state: State, first: int, room: float) -> bool:
    """Two or three tasks that follow each other go elsewhere together."""
    node, tasks, last = state.node, len(day.task), first
    for _ in range(1 if share(state) < 0.5 else 2):
        if node[last, NEXT] < tasks:
            last = node[last, NEXT]
    before = near(day, state, first)
    if before < 0 or first == last or before == node[first, PREV]:
        return False
    carer, low = node[before, CARER], key_behind(day, state, before)
    high = key_before(day, state, node[before, NEXT])
    mine = node[first, CARER]
    if carer == mine and node[first, START] <= node[before, START] <= node[last, START] and before < tasks:
        return False
    added = arc(day, carer, before, first) + arc(day, carer, last, node[before, NEXT])
    added += arc(day, mine, node[first, PREV], node[last, NEXT]) - arc(day, carer, before, node[before, NEXT])
    added -= arc(day, mine, node[first, PREV], first) + arc(day, mine, last, node[last, NEXT])
    if worth(day, added, 0) > room or (day.hard and carer != mine and closed(day, state, first, carer, before)):
        return False
    same = low < key_behind(day, state, first) and key_behind(day, state, last) < high
    return _moved_string(day, state, first, last, before, same)


@compiled
def _moved_string(day: Day, state: State, first: int, last: int, before: int, same: bool) -> bool:
    """One after the other; with the same keys, or with new ones if none of them is linked."""
    node, carer, at = state.node, state.node[before, CARER], first
    while True:
        following = node[at, NEXT]
        half = partner(day, at)
        if not may(day, at, carer) or (half >= 0 and (not same or node[half, CARER] == carer)):
            drop(day, state)
            return False
        unlink(day, state, at)
        if not same:
            low, high = key_behind(day, state, before), key_before(day, state, node[before, NEXT])
            key = between(low, high, node[before, DONE])
            if key == LAST_KEY:
                link(day, state, at, carer, before)
                drop(day, state)
                return False
            rekey(state, day.task[at, JOB], key)
        link(day, state, at, carer, before)
        if at == last:
            return True
        before, at = at, following


@compiled
def cross(day: Day, state: State, task: int, room: float) -> bool:
    """Two caregivers exchange the rest of their rounds: what follows the task, and a near one with what follows it."""
    node, tasks = state.node, len(day.task)
    found = int(day.near[AFTER, task, nearby(state, day.near.shape[2])])
    if found < 0 or node[found, CARER] < 0 or node[found, CARER] == node[task, CARER]:
        return False
    before, after = node[found, PREV], node[task, NEXT]
    if key_behind(day, state, task) >= key_before(day, state, found):
        return False
    if key_behind(day, state, before) >= key_before(day, state, after):
        return False
    mine, theirs = node[task, CARER], node[found, CARER]
    added = arc(day, mine, task, found) + arc(day, theirs, before, after if after < tasks else tasks + theirs)
    added -= arc(day, mine, task, after) + arc(day, theirs, before, found)
    if worth(day, added, 0) > room:
        return False
    if not (_may_follow(day, state, found, mine, task) and _may_follow(day, state, after, theirs, before)):
        return False
    exchange_tails(day, state, task, before)
    return True


@compiled
def _may_follow(day: Day, state: State, first: int, carer: int, behind: int) -> bool:
    """Whether the caregiver may do `first` and all that follows it, behind the node `behind`.

    The other half of none of them may stay before `behind`, in what remains of the caregiver's round.
    """
    node, at = state.node, first
    limit = key_behind(day, state, behind)
    while at < len(day.task):
        if not may(day, at, carer):
            return False
        half = partner(day, at)
        if half >= 0 and node[half, CARER] == carer and state.work[day.task[half, JOB], KEY] <= limit:
            return False
        at = node[at, NEXT]
    return True
