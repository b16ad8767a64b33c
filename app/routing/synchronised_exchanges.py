"""Moves that change two rounds at once: tasks that swap, strings that go elsewhere, tails that are exchanged. Compiled.

As in `synchronised_moves`: a move answers True if there is something to be judged, and is not even made if it makes
travel and preference worse by more than `room`.
"""

from __future__ import annotations

from app.routing.synchronised_day import (
    AFTER,
    JOB,
    MATE,
    Day,
)
from app.routing.synchronised_moves import between, closed, may, near, partner, worth
from app.routing.synchronised_state import (
    CARER,
    DONE,
    KEY,
    LAST_KEY,
    NEXT,
    PREV,
    START,
    State,
    arc,
    compiled,
    inlined,
    key_before,
    key_behind,
    nearby,
    share,
)
from app.routing.synchronised_steps import exchange_tails, link, rekey, unlink
from app.routing.synchronised_timing import drop


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
    return between(day, state, day.task[task, JOB], low, high, node[other, START])


@compiled
def _take_places(day: Day, state: State, task: int, other: int) -> bool:
    node = state.node
    half, other_half = partner(day, task), partner(day, other)
    pair = half == other
    if half >= 0 and other_half >= 0 and not pair and node[half, CARER] == node[other_half, CARER]:
        return False  # two keys would change in a third round
    if day.job[day.task[task, JOB], MATE] == day.task[other, JOB]:
        return False  # each new key would be found beside the other's old one
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
            key = between(day, state, day.task[at, JOB], low, high, node[before, DONE])
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
