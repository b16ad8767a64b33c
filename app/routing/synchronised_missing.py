"""Jobs that nobody comes for: where they would fit best, and who may go for them. Compiled."""

from __future__ import annotations

from app.routing.synchronised_day import (
    DUE,
    DURATION,
    LEAST,
    MOST,
    NEVER,
    OPENS,
    W_LATENESS,
    W_PREFERENCE,
    W_TRAVEL,
    A,
    B,
    Day,
)
from app.routing.synchronised_moves import between, coming
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
    START,
    State,
    arc,
    compiled,
    dice,
    give_up,
    key_at,
    link,
    rekey,
    take_up,
    undo,
    unlink,
)
from app.routing.synchronised_timing import bound_changed, fits, settle

HOPELESS = 1e30
BLINK = 50
"""One place in so many is overlooked (Christiaens and Vanden Berghe 2020), so that no two insertions are alike."""


@compiled
def insertion(day: Day, state: State, task: int, before: int, floor: int) -> float:
    """What the task behind `before` would cost, as far as it and its successor show; HOPELESS if it cannot be."""
    node = state.node
    carer, after = node[before, CARER], node[before, NEXT]
    start = fits(day, task, max(floor, node[before, DONE] + arc(day, carer, before, task)))
    if start >= NEVER:
        return HOPELESS
    arrives = start + day.task[task, DURATION] + arc(day, carer, task, after)
    if day.hard and arrives > node[after, LATEST]:
        return HOPELESS
    late = max(0, start - day.task[task, DUE])
    if after < len(day.task):
        late += max(0, max(arrives, node[after, START]) - day.task[after, DUE]) - node[after, LATE]
    added = day.weight[W_TRAVEL] * coming(day, state, task, carer, before) + day.weight[W_LATENESS] * late
    return float(added + day.weight[W_PREFERENCE] * day.likes[task, carer])


@compiled
def best_behind(day: Day, state: State, task: int, apart: int) -> tuple[float, int]:
    """The cheapest place beside a near task, or in an empty round; not in the round of caregiver `apart`."""
    node, tasks = state.node, len(day.task)
    best, least = -1, HOPELESS
    for side in range(2):
        beside = day.before if side == 0 else day.after
        for which in range(beside.shape[1]):
            at = int(beside[task, which])
            if at < 0:
                break
            carer = node[at, CARER]
            if carer < 0 or carer == apart or not day.may[task, carer] or dice(state, BLINK) == 0:
                continue
            before = at if side == 0 else node[at, PREV]
            price = insertion(day, state, task, before, FIRST_KEY)
            if price < least:
                best, least = before, price
    for which in range(day.ables[task]):
        carer = int(day.able[task, which])
        if node[tasks + carer, NEXT] == tasks + carer and carer != apart:
            price = insertion(day, state, task, tasks + carer, FIRST_KEY)
            if price < least:
                best, least = tasks + carer, price
    return least, best


@compiled
def serve(day: Day, state: State, job: int) -> bool:
    """Puts a missing job where it costs least, timed and bounded; False, with nothing changed, if it fits nowhere."""
    if day.job[job, B] >= 0:
        return _serve_pair(day, state, job)
    task = day.job[job, A]
    price, before = best_behind(day, state, task, -1)
    if before < 0 or price >= HOPELESS:
        return False
    return put(day, state, job, before, -1)


@compiled
def put(day: Day, state: State, job: int, before: int, other_before: int) -> bool:
    """A missing job's tasks behind these nodes, if their keys and all hard rules allow it."""
    node, mark, one, two = state.node, state.tally[LOGGED], day.job[job, A], day.job[job, B]
    low, high = key_at(day, state, before, FIRST_KEY), key_at(day, state, node[before, NEXT], LAST_KEY)
    wish = max(day.task[one, OPENS], node[before, DONE] + arc(day, node[before, CARER], before, one))
    if two >= 0:
        low = max(low, key_at(day, state, other_before, FIRST_KEY))
        high = min(high, key_at(day, state, node[other_before, NEXT], LAST_KEY))
    key = between(low, high, wish)
    if key == LAST_KEY:
        return False
    take_up(day, state, job)
    rekey(state, job, key)
    link(day, state, one, node[before, CARER], before)
    if two >= 0:
        link(day, state, two, node[other_before, CARER], other_before)
    if settle(day, state, HOPELESS):
        bound_changed(day, state)
        return True
    undo(day, state, mark)
    bound_changed(day, state)
    return False


@compiled
def _serve_pair(day: Day, state: State, job: int) -> bool:
    """Every place for the first half, with the best place for the second half that its key allows."""
    one, node = day.job[job, A], state.node
    best, other_best, least = -1, -1, HOPELESS
    for which in range(day.ables[one]):
        carer = int(day.able[one, which])
        head = len(day.task) + carer
        at = head
        while True:
            price = insertion(day, state, one, at, FIRST_KEY)
            if price < least and dice(state, BLINK) > 0:
                start = fits(day, one, node[at, DONE] + arc(day, carer, at, one))
                low, high = key_at(day, state, at, FIRST_KEY), key_at(day, state, node[at, NEXT], LAST_KEY)
                extra, place = _second(day, state, job, carer, start, low, high, least - price)
                if place >= 0:
                    best, other_best, least = at, place, price + extra
            at = node[at, NEXT]
            if at == head:
                break
    return best >= 0 and put(day, state, job, best, other_best)


@compiled
def _second(
    day: Day, state: State, job: int, apart: int, start: int, low: int, high: int, limit: float
) -> tuple[float, int]:
    """The best place for the second half, and its price with the waiting of the first."""
    task, node = day.job[job, B], state.node
    best, least = -1, limit
    for which in range(day.ables[task]):
        carer = int(day.able[task, which])
        if carer == apart:
            continue
        head = len(day.task) + carer
        at = head
        while True:
            after = node[at, NEXT]
            above, below = key_at(day, state, at, FIRST_KEY), key_at(day, state, after, LAST_KEY)
            if above >= high:
                break
            if min(high, below) - max(low, above) >= 2:
                price = insertion(day, state, task, at, start + day.job[job, LEAST])
                begins = node[at, DONE] + arc(day, carer, at, task)
                delay = max(0, begins - day.job[job, MOST] - start)
                price += 0.5 * delay * max(day.weight[W_LATENESS], 0.1 * day.weight[W_TRAVEL])
                if price < least:
                    best, least = at, price
            at = after
            if at == head:
                break
    return least, best


@compiled
def leave(day: Day, state: State, job: int) -> None:
    """A job is left out from now on."""
    unlink(day, state, day.job[job, A])
    if day.job[job, B] >= 0:
        unlink(day, state, day.job[job, B])
    give_up(day, state, job)
