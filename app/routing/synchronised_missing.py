"""Jobs that nobody comes for: where they would fit best. Compiled.

What is put here is timed and bounded at once, so that the next one sees the rounds as they are.
"""

from __future__ import annotations

from app.routing.synchronised_day import (
    ABLE,
    DUE,
    DURATION,
    JOB,
    LEAST,
    MATE,
    MOST,
    NEVER,
    OPENS,
    SECOND,
    W_LATENESS,
    W_PREFERENCE,
    W_TRAVEL,
    A,
    B,
    Day,
)
from app.routing.synchronised_moves import between, coming, may
from app.routing.synchronised_state import (
    CARER,
    DONE,
    FIRST_KEY,
    LAST_KEY,
    LATE,
    LATEST,
    LOGGED,
    NEXT,
    PREV,
    SEAT,
    START,
    State,
    arc,
    compiled,
    entrance,
    key_before,
    key_behind,
    share,
)
from app.routing.synchronised_steps import give_up, link, rekey, take_up, undo, unlink
from app.routing.synchronised_timing import bound_changed, fits, keep_settled, settle

HOPELESS = 1e30
BLINK = 0.02
"""How often a place is overlooked (Christiaens and Vanden Berghe 2020), so that no two insertions are alike."""


@compiled
def insertion(day: Day, state: State, task: int, before: int, floor: int) -> float:
    """What the task behind `before` would cost, as far as it and its successor show; HOPELESS if it cannot be."""
    node = state.node
    carer, after = node[before, CARER], node[before, NEXT]
    start = fits(day, task, max(floor, node[before, DONE] + arc(day, carer, before, task)))
    arrives = start + day.task[task, DURATION] + arc(day, carer, task, after)
    if start >= NEVER or (day.hard and arrives > node[after, LATEST]):
        return HOPELESS
    late = max(0, start - day.task[task, DUE])
    if after < len(day.task):
        late += max(0, max(arrives, node[after, START]) - day.task[after, DUE]) - node[after, LATE]
    added = day.weight[W_TRAVEL] * coming(day, state, task, carer, before) + day.weight[W_LATENESS] * late
    return float(added + day.weight[W_PREFERENCE] * day.likes[task, carer])


@compiled
def best_behind(day: Day, state: State, task: int) -> int:
    """The node behind which the task costs least: beside a near task, or in an empty round; -1 if nowhere."""
    node, tasks = state.node, len(day.task)
    best, least, floor = -1, HOPELESS, FIRST_KEY
    mate = day.job[day.task[task, JOB], MATE]
    if mate >= 0 and state.work[mate, SEAT] < 0:
        floor = node[day.job[mate, A], START] + day.job[mate, LEAST]
    for which in range(2 * day.near.shape[2]):
        at = int(day.near[which % 2, task, which // 2])
        if at < 0 or node[at, CARER] < 0 or not may(day, task, node[at, CARER]) or share(state) < BLINK:
            continue
        before = at if which % 2 == 0 else node[at, PREV]
        price = insertion(day, state, task, before, floor)
        if price < least:
            best, least = before, price
    for which in range(day.task[task, ABLE]):
        head = tasks + int(day.able[task, which])
        if node[head, NEXT] == head:
            price = insertion(day, state, task, head, floor)
            if price < least:
                best, least = head, price
    return best


@compiled
def serve(day: Day, state: State, job: int) -> bool:
    """Puts a missing job, with its mate, where it costs least; False, with nothing changed, if it fits nowhere."""
    if day.job[job, B] >= 0:
        return _serve_pair(day, state, job)
    mark, mate = state.tally[LOGGED], day.job[job, MATE]
    if day.job[job, SECOND] > 0:
        job, mate = mate, job
    if not _serve_single(day, state, job):
        return False
    if mate >= 0 and not _serve_single(day, state, mate):
        undo(day, state, mark)
        bound_changed(day, state)
        return False
    return True


@compiled
def _serve_single(day: Day, state: State, job: int) -> bool:
    before = best_behind(day, state, day.job[job, A])
    return before >= 0 and put(day, state, job, before, before)


@compiled
def put(day: Day, state: State, job: int, before: int, other_before: int) -> bool:
    """A missing job's tasks behind these nodes, if their keys and all hard rules allow it."""
    node, mark, one, two = state.node, state.tally[LOGGED], day.job[job, A], day.job[job, B]
    low, high = key_behind(day, state, before), key_before(day, state, node[before, NEXT])
    wish = max(day.task[one, OPENS], node[before, DONE] + arc(day, node[before, CARER], before, one))
    if two >= 0:
        low = max(low, key_behind(day, state, other_before))
        high = min(high, key_before(day, state, node[other_before, NEXT]))
    key = between(day, state, job, low, high, wish)
    if key == LAST_KEY:
        return False
    take_up(day, state, job)
    rekey(state, job, key)
    link(day, state, one, node[before, CARER], before)
    if two >= 0:
        link(day, state, two, node[other_before, CARER], other_before)
    whole = settle(day, state, HOPELESS)
    if not whole:
        undo(day, state, mark)
    bound_changed(day, state)
    return whole


@compiled
def _serve_pair(day: Day, state: State, job: int) -> bool:
    """Every place for the first half, with the best place for the second half that its key allows."""
    task, node = day.job[job, A], state.node
    best, other_best, least = -1, -1, HOPELESS
    for which in range(day.task[task, ABLE]):
        carer = int(day.able[task, which])
        at = head = len(day.task) + carer
        while True:
            price = insertion(day, state, task, at, node[at, DONE])
            if price < least and share(state) >= BLINK:
                start = fits(day, task, node[at, DONE] + arc(day, carer, at, task))
                extra, place = _second(day, state, job, at, start, least - price)
                if place >= 0:
                    best, other_best, least = at, place, price + extra
            at = node[at, NEXT]
            if at == head:
                break
    return best >= 0 and put(day, state, job, best, other_best)


@compiled
def _second(day: Day, state: State, job: int, first: int, start: int, limit: float) -> tuple[float, int]:
    """The best place for the second half if the first goes behind `first`; its price, and what the first waits."""
    task, node = day.job[job, B], state.node
    low, high = key_behind(day, state, first), key_before(day, state, node[first, NEXT])
    dear = 0.5 * max(day.weight[W_LATENESS], 0.1 * day.weight[W_TRAVEL])
    best, least = -1, limit
    for which in range(day.task[task, ABLE]):
        carer = int(day.able[task, which])
        at = head = len(day.task) + carer
        while carer != node[first, CARER] and key_behind(day, state, at) < high:
            after = node[at, NEXT]
            if min(high, key_before(day, state, after)) - max(low, key_behind(day, state, at)) >= 2:
                waits = node[at, DONE] + arc(day, carer, at, task) - day.job[job, MOST] - start
                price = insertion(day, state, task, at, start + day.job[job, LEAST]) + dear * max(0, waits)
                if price < least:
                    best, least = at, price
            at = after
            if at == head:
                break
    return least, best


@compiled
def leave(day: Day, state: State, job: int) -> None:
    """A job, with its mate, is left out from now on."""
    unlink(day, state, day.job[job, A])
    if day.job[job, B] >= 0:
        unlink(day, state, day.job[job, B])
    give_up(day, state, job)
    mate = day.job[job, MATE]
    if mate >= 0 and state.work[mate, SEAT] < 0:
        unlink(day, state, day.job[mate, A])
        give_up(day, state, mate)


@entrance
def place(day: Day, state: State, job: int, before: int, other_before: int) -> None:
    """Puts a missing job behind these nodes, if that may be: a change of its own."""
    put(day, state, job, before, other_before)
    keep_settled(day, state)


@entrance
def displace(day: Day, state: State, job: int) -> None:
    """Leaves a job out: a change of its own."""
    leave(day, state, job)
    settle(day, state, HOPELESS)
    keep_settled(day, state)
