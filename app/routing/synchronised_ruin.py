"""Larger changes: part of the rounds is torn out and put back, with jobs that were left out. Compiled.

Slack induction by string removals (Christiaens and Vanden Berghe 2020): strings of neighbouring tasks leave rounds
that pass near one place; then each job goes where it costs least, the order left to chance.
"""

from __future__ import annotations

from app.routing.synchronised_day import BEFORE, DUE, DURATION, JOB, MATE, MISSED, OPENS, A, B, Day
from app.routing.synchronised_missing import HOPELESS, leave, put, serve
from app.routing.synchronised_moves import may
from app.routing.synchronised_state import (
    CARER,
    IN_HAND,
    LEFT_OUT,
    MISSING,
    NEXT,
    PREV,
    RANK,
    SEAT,
    State,
    compiled,
    dice,
    nearby,
    share,
)
from app.routing.synchronised_timing import bound_changed, settle

STRING = 10
"""The longest string torn out of one round."""
OLD = 8
"""At most so many of the jobs left out earlier are tried in one go."""


@compiled
def rebuild(day: Day, state: State, torn: int) -> bool:
    """Tears out up to twice `torn` jobs near one place and puts them back, or others. False if it went wrong."""
    was_missing = state.tally[MISSING]
    centre = dice(state, len(day.task))
    if was_missing > 0 and share(state) < 0.3:
        centre = day.job[state.work[dice(state, was_missing), LEFT_OUT], A]
    _tear(day, state, centre, 1 + dice(state, 2 * torn - 1))
    if not settle(day, state, HOPELESS):
        return False
    bound_changed(day, state)
    count = _take_in_hand(day, state, was_missing)
    _put_in_order(day, state, count)
    for at in range(count):
        if state.work[state.work[at, IN_HAND], SEAT] >= 0:  # and has not come with its mate
            serve(day, state, state.work[at, IN_HAND])
    return True


@compiled
def _tear(day: Day, state: State, centre: int, torn: int) -> None:
    """Strings of tasks from the rounds of those near the centre, until so many jobs are out."""
    node, tasks, gone = state.node, len(day.task), 0
    longest = 1 + dice(state, STRING)
    for which in range(-1, 2 * day.near.shape[2]):
        at = centre
        if which >= 0:
            at = int(day.near[which % 2, centre, which // 2])
        if gone >= torn:
            return
        if at < 0 or node[at, CARER] < 0 or share(state) < 0.25:
            continue
        length = 1 + dice(state, min(longest, torn - gone))
        for _ in range(dice(state, length)):
            if node[at, PREV] < tasks:
                at = node[at, PREV]
        while length > 0 and at < tasks:
            following = node[at, NEXT]
            leave(day, state, day.task[at, JOB])
            if following < tasks and node[following, CARER] < 0:
                following = node[following, NEXT]  # that was its mate
            gone, length, at = gone + 1, length - 1, following


@compiled
def _take_in_hand(day: Day, state: State, was_missing: int) -> int:
    """The jobs just torn out, and some of those left out before. Their number."""
    work, count = state.work, 0
    for at in range(was_missing, state.tally[MISSING]):
        work[count, IN_HAND] = work[at, LEFT_OUT]
        count += 1
    if was_missing > 0:
        first = dice(state, was_missing)
        for at in range(min(was_missing, OLD)):
            work[count, IN_HAND] = work[(first + at) % was_missing, LEFT_OUT]
            count += 1
    return count


@compiled
def _put_in_order(day: Day, state: State, count: int) -> None:
    """By chance, by weight, by the end or the beginning or the width of the window, or by weight for its length."""
    work, how = state.work, int(6 * share(state))
    for at in range(count):
        job = work[at, IN_HAND]
        row = day.task[day.job[job, A]]
        rank = int(share(state) * (1 << 20))
        if how == 1:
            rank -= day.job[job, MISSED] << 20
        elif how == 2:
            rank = row[DUE]
        elif how == 3:
            rank = -row[OPENS]
        elif how == 4:
            rank = row[DUE] - row[OPENS]
        elif how == 5:
            rank = -(day.job[job, MISSED] << 20) // max(1, row[DURATION])
        if day.job[job, B] >= 0 and how != 0:
            rank -= 1 << 40
        place = at
        while place > 0 and work[place - 1, RANK] > rank:
            work[place, RANK], work[place, IN_HAND] = work[place - 1, RANK], work[place - 1, IN_HAND]
            place -= 1
        work[place, RANK], work[place, IN_HAND] = rank, job


@compiled
def replace(day: Day, state: State, job: int) -> bool:
    """A missing job, if single in the place of one near to it, which goes to where it fits best or is left out."""
    node, task = state.node, day.job[job, A]
    if day.job[job, B] >= 0 or day.job[job, MATE] >= 0:
        return serve(day, state, job)
    found = int(day.near[BEFORE, task, nearby(state, day.near.shape[2])])
    if found >= 0 and node[found, CARER] >= 0 and share(state) < 0.5:
        found = node[found, NEXT]
    if found < 0 or found >= len(day.task) or node[found, CARER] < 0 or not may(day, task, node[found, CARER]):
        return False
    out, before = day.task[found, JOB], node[found, PREV]
    leave(day, state, out)
    if before < len(day.task) and node[before, CARER] < 0:
        before = node[before, PREV]  # that was its mate
    if not settle(day, state, HOPELESS):
        return False
    bound_changed(day, state)
    if not put(day, state, job, before, before):
        return False
    serve(day, state, out)
    return True
