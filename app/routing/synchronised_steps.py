"""Steps of a change: link, unlink, give up, a new key, a new time. Compiled.

Each is logged, to be undone if the change is not wanted, and notes whose times may no longer be right.
"""

from __future__ import annotations

from app.routing.synchronised_day import DUE, DURATION, JOB, MISSED, A, B, Day
from app.routing.synchronised_state import (
    CARER,
    CHANGED,
    CHANGES,
    DONE,
    EASED,
    EXCHANGED,
    FIRST_KEY,
    GIVEN_UP,
    HELD,
    HOLD,
    HOMES,
    HOMING,
    KEY,
    KEYED,
    LATE,
    LATENESS,
    LEFT_OUT,
    LINKED,
    LOGGED,
    MISSING,
    MISSING_WEIGHT,
    NEXT,
    PREFERENCE,
    PREV,
    QUEUE,
    QUEUED,
    SEAT,
    SEEN,
    START,
    TAKEN,
    TAKEN_UP,
    TIMED,
    TO_SEE_HOME,
    TO_TIME,
    TOP,
    TOUCHED,
    TRAVEL,
    UNLINKED,
    WORST,
    State,
    arc,
    compiled,
    inlined,
)


@inlined
def _entry(state: State) -> int:
    """A new row of the log."""
    state.tally[LOGGED] += 1
    return int(state.tally[LOGGED]) - 1


@inlined
def touch(day: Day, state: State, node: int) -> None:
    """This node has to be timed again."""
    tally, tasks = state.tally, len(day.task)
    if node >= tasks:
        if not state.round[node - tasks, HOMING]:
            state.round[node - tasks, HOMING] = 1
            state.round[tally[TO_SEE_HOME], HOMES] = node - tasks
            tally[TO_SEE_HOME] += 1
        return
    job = day.task[node, JOB]
    if not state.work[job, QUEUED]:
        state.work[job, QUEUED] = 1
        state.work[tally[TO_TIME], QUEUE] = job
        tally[TO_TIME] += 1


@inlined
def _note(state: State, carer: int) -> None:
    if not state.round[carer, TOUCHED]:
        state.round[carer, TOUCHED] = 1
        state.round[state.tally[CHANGED], CHANGES] = carer
        state.tally[CHANGED] += 1


@inlined
def _join(day: Day, state: State, task: int, carer: int, before: int) -> None:
    node, tally = state.node, state.tally
    after = node[before, NEXT]
    node[task, CARER], node[task, PREV], node[task, NEXT] = carer, before, after
    node[before, NEXT] = node[after, PREV] = task
    tally[TRAVEL] += arc(day, carer, before, task) + arc(day, carer, task, after) - arc(day, carer, before, after)
    tally[PREFERENCE] += day.likes[task, carer]


@inlined
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
    row = state.log[_entry(state)]
    row[0], row[1] = LINKED, task
    touch(day, state, task)
    touch(day, state, state.node[task, NEXT])
    _note(state, carer)


@compiled
def unlink(day: Day, state: State, task: int) -> None:
    """Takes a task out of its round; the job is linked again, or given up, before the change ends."""
    carer, before, after = state.node[task, CARER], state.node[task, PREV], state.node[task, NEXT]
    hold(state, day.task[task, JOB], FIRST_KEY)
    _part(day, state, task)
    row = state.log[_entry(state)]
    row[0], row[1], row[2], row[3] = UNLINKED, task, carer, before
    touch(day, state, after)
    _note(state, carer)


@inlined
def rekey(state: State, job: int, key: int) -> None:
    row = state.log[_entry(state)]
    row[0], row[1], row[2] = KEYED, job, state.work[job, KEY]
    state.work[job, KEY] = key


@inlined
def hold(state: State, job: int, until: int) -> None:
    """The job does not start before this moment, though it could."""
    if state.work[job, HOLD] != until:
        row = state.log[_entry(state)]
        row[0], row[1], row[2] = HELD, job, state.work[job, HOLD]
        state.work[job, HOLD] = until


@compiled
def exchange_tails(day: Day, state: State, x: int, y: int) -> None:
    """Two caregivers go on with each other's round after the nodes x and y."""
    _swap_tails(day, state, x, y)
    row = state.log[_entry(state)]
    row[0], row[1], row[2] = EXCHANGED, x, y
    one, two, tasks = state.node[x, CARER], state.node[y, CARER], len(day.task)
    _note(state, one)
    _note(state, two)
    touch(day, state, state.node[x, NEXT])
    touch(day, state, state.node[y, NEXT])
    touch(day, state, tasks + one)
    touch(day, state, tasks + two)


@compiled
def _swap_tails(day: Day, state: State, x: int, y: int) -> None:
    node, tasks = state.node, len(day.task)
    one, two = node[x, CARER], node[y, CARER]
    first_x, last_x, first_y, last_y = node[x, NEXT], node[tasks + one, PREV], node[y, NEXT], node[tasks + two, PREV]
    _forget_tail(day, state, x)
    _forget_tail(day, state, y)
    _graft(day, state, x, first_y, last_y)
    _graft(day, state, y, first_x, last_x)


@compiled
def _forget_tail(day: Day, state: State, at: int) -> None:
    """Takes what follows the node out of the sums."""
    node, tally, carer = state.node, state.tally, state.node[at, CARER]
    while True:
        after = node[at, NEXT]
        tally[TRAVEL] -= arc(day, carer, at, after)
        if after >= len(day.task):
            return
        tally[PREFERENCE] -= day.likes[after, carer]
        at = after


@compiled
def _graft(day: Day, state: State, at: int, first: int, last: int) -> None:
    """The chain from `first` to `last` (nothing, if `first` is a head) now follows the node, and counts in the sums."""
    node, tally, tasks, carer = state.node, state.tally, len(day.task), state.node[at, CARER]
    head, before = tasks + carer, at
    if first < tasks:
        node[at, NEXT], node[first, PREV] = first, at
        before = last
    node[before, NEXT], node[head, PREV] = head, before
    while True:
        after = node[at, NEXT]
        tally[TRAVEL] += arc(day, carer, at, after)
        if after >= tasks:
            return
        node[after, CARER] = carer
        tally[PREFERENCE] += day.likes[after, carer]
        at = after


@inlined
def _seat(day: Day, state: State, job: int) -> None:
    tally = state.tally
    state.work[tally[MISSING], LEFT_OUT], state.work[job, SEAT] = job, tally[MISSING]
    tally[MISSING] += 1
    tally[MISSING_WEIGHT] += day.job[job, MISSED]


@inlined
def _unseat(day: Day, state: State, job: int) -> None:
    tally, at = state.tally, state.work[job, SEAT]
    tally[MISSING] -= 1
    moved = state.work[tally[MISSING], LEFT_OUT]
    state.work[at, LEFT_OUT], state.work[moved, SEAT] = moved, at
    state.work[job, SEAT] = -1
    tally[MISSING_WEIGHT] -= day.job[job, MISSED]


@compiled
def take_up(day: Day, state: State, job: int) -> None:
    """A job that was left out is going to be linked."""
    row = state.log[_entry(state)]
    row[0], row[1], row[2] = TAKEN_UP, job, state.work[job, SEAT]
    _unseat(day, state, job)


@compiled
def give_up(day: Day, state: State, job: int) -> None:
    """A job, already unlinked, is left out."""
    _never_late(state, day.job[job, A])
    if day.job[job, B] >= 0:
        _never_late(state, day.job[job, B])
    row = state.log[_entry(state)]
    row[0], row[1] = GIVEN_UP, job
    _seat(day, state, job)


@inlined
def _never_late(state: State, task: int) -> None:
    row = state.node[task]
    if row[LATE] > 0:
        if row[LATE] == state.tally[WORST]:
            state.tally[EASED] = 1
        _log_times(state, task)
        state.tally[LATENESS] -= row[LATE]
        row[LATE] = 0


@inlined
def _log_times(state: State, task: int) -> None:
    row, old = state.log[_entry(state)], state.node[task]
    row[0], row[1], row[2], row[3], row[4], row[5] = TIMED, task, old[START], old[DONE], old[TAKEN], old[LATE]


@compiled
def set_times(day: Day, state: State, task: int, start: int, taken: int) -> None:
    """When a task starts; if it then ends at another time, what follows is touched."""
    tally, row = state.tally, state.node[task]
    late = max(0, start - day.task[task, DUE])
    done = start + day.task[task, DURATION]
    tally[SEEN] += late
    tally[TOP] = max(tally[TOP], late)
    if start == row[START] and taken == row[TAKEN] and done == row[DONE] and late == row[LATE]:
        return
    if late < row[LATE] and row[LATE] == tally[WORST]:
        tally[EASED] = 1
    _log_times(state, task)
    tally[LATENESS] += late - row[LATE]
    moved = done != row[DONE] or taken != row[TAKEN]
    row[START], row[DONE], row[TAKEN], row[LATE] = start, done, taken, late
    if moved:
        touch(day, state, row[NEXT])


@compiled
def undo(day: Day, state: State, mark: int) -> None:
    """Back to when the log was `mark` steps long."""
    node, work, tally = state.node, state.work, state.tally
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
            work[what, KEY] = row[2]
        elif kind == EXCHANGED:
            _swap_tails(day, state, what, row[2])
        elif kind == HELD:
            work[what, HOLD] = row[2]
        elif kind == GIVEN_UP:
            _unseat(day, state, what)
        else:
            _seat(day, state, what)
            last = tally[MISSING] - 1
            moved = work[row[2], LEFT_OUT]
            work[last, LEFT_OUT], work[row[2], LEFT_OUT] = moved, what
            work[moved, SEAT], work[what, SEAT] = last, row[2]
    tally[LOGGED] = mark
    for at in range(tally[TO_TIME]):
        work[work[at, QUEUE], QUEUED] = 0
    for at in range(tally[TO_SEE_HOME]):
        state.round[state.round[at, HOMES], HOMING] = 0
    tally[TO_TIME] = tally[TO_SEE_HOME] = tally[EASED] = 0
