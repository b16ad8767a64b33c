"""Larger changes: part of the rounds is torn out and put back, with jobs that were left out. Compiled.

Slack induction by string removals (Christiaens and Vanden Berghe 2020): strings of neighbouring tasks leave rounds
that pass near one place; then each job goes where it costs least, the order left to chance.
"""

from __future__ import annotations

from app.routing.synchronised_day import DUE, DURATION, JOB, MISSED, OPENS, A, B, Day
from app.routing.synchronised_missing import HOPELESS, leave, put, serve
from app.routing.synchronised_state import CARER, MISSING, NEXT, PREV, State, compiled, dice, share
from app.routing.synchronised_timing import bound_changed, settle

STRING = 10
"""The longest string torn out of one round."""
OLD = 8
"""At most so many of the jobs left out earlier are tried in one go."""


@compiled
def rebuild(day: Day, state: State, torn: int) -> bool:
    """Tears out about `torn` jobs near one place and puts them back, or others. False if it went wrong on the way."""
    was_missing = state.tally[MISSING]
    centre = dice(state, len(day.task))
    _tear(day, state, centre, 1 + dice(state, 2 * torn - 1))
    if not settle(day, state, HOPELESS):
        return False
    bound_changed(day, state)
    count = _waiting(day, state, was_missing)
    _put_in_order(day, state, count, dice(state, 6))
    for at in range(count):
        serve(day, state, state.work[at])
    return True


@compiled
def _tear(day: Day, state: State, centre: int, torn: int) -> None:
    node, tasks, gone = state.node, len(day.task), 0
    longest = 1 + dice(state, STRING)
    for which in range(-1, 2 * day.before.shape[1]):
        at = centre
        if which >= 0:
            beside = day.before if which % 2 == 0 else day.after
            at = int(beside[centre, which // 2])
        if gone >= torn:
            return
        if at < 0 or node[at, CARER] < 0 or dice(state, 4) == 0:
            continue
        length = 1 + dice(state, min(longest, torn - gone))
        for _ in range(dice(state, length)):
            if node[at, PREV] < tasks:
                at = node[at, PREV]
        while length > 0 and at < tasks:
            following = node[at, NEXT]
            if following < tasks and day.task[following, JOB] == day.task[at, JOB]:
                following = node[following, NEXT]
            leave(day, state, day.task[at, JOB])
            gone, length, at = gone + 1, length - 1, following


@compiled
def _waiting(day: Day, state: State, was_missing: int) -> int:
    """The jobs just torn out, and some of those left out before, in `work`. Their number."""
    count = 0
    for at in range(was_missing, state.tally[MISSING]):
        state.work[count] = state.missing[at]
        count += 1
    if was_missing > 0:
        first = dice(state, was_missing)
        for at in range(min(was_missing, OLD)):
            state.work[count] = state.missing[(first + at) % was_missing]
            count += 1
    return count


@compiled
def _put_in_order(day: Day, state: State, count: int, how: int) -> None:
    """By chance, by weight, by the end or the beginning or the width of the window, or by weight for its length."""
    for at in range(count):
        job = state.work[at]
        row = day.task[day.job[job, A]]
        rank = dice(state, 1 << 20)
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
        while place > 0 and state.rank[place - 1] > rank:
            state.rank[place], state.work[place] = state.rank[place - 1], state.work[place - 1]
            place -= 1
        state.rank[place], state.work[place] = rank, job


@compiled
def replace(day: Day, state: State, task: int) -> bool:
    """A missing task in the place of one near to it, which goes to where it fits best, or is left out."""
    node, job = state.node, day.task[task, JOB]
    if day.job[job, B] >= 0:
        return serve(day, state, job)
    luck = share(state)
    found = int(day.before[task, int(luck * luck * day.before.shape[1])])
    if found >= 0 and node[found, CARER] >= 0 and dice(state, 2) == 0:
        found = node[found, NEXT]
    if found < 0 or found >= len(day.task) or node[found, CARER] < 0 or not day.may[task, node[found, CARER]]:
        return False
    out, before = day.task[found, JOB], node[found, PREV]
    leave(day, state, out)
    if not settle(day, state, HOPELESS):
        return False
    bound_changed(day, state)
    if not put(day, state, job, before, -1):
        return False
    serve(day, state, out)
    return True
