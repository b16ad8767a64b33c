"""Simulated annealing over all the moves. Compiled.

The representation and the choice of annealing follow Ceschia, Di Gaspero, Rosati and Schaerf (2024).
"""

from __future__ import annotations

import numpy as np

from app.routing.synchronised_day import DUE, JOB, MATE, SECOND, W_LATENESS, W_WORST, A, B, Day, Integers
from app.routing.synchronised_exchanges import cross, move_string, swap
from app.routing.synchronised_missing import serve
from app.routing.synchronised_moves import relocate
from app.routing.synchronised_ruin import rebuild, replace
from app.routing.synchronised_state import (
    CARER,
    HOMES,
    KEY,
    LATE,
    LATENESS,
    LEFT_OUT,
    MISSING,
    NEXT,
    PER_UNIT,
    PREV,
    RANK,
    SEAT,
    START,
    WORST,
    State,
    compiled,
    cost,
    dice,
    entrance,
    share,
)
from app.routing.synchronised_timing import judge, judge_settled, keep_settled


@compiled
def remember(state: State, best: State) -> None:
    """Keeps the rounds as they are now in `best`."""
    for at in range(len(state.node)):
        for column in range(8):
            best.node[at, column] = state.node[at, column]
    for at in range(len(state.work)):
        for column in range(8):
            best.work[at, column] = state.work[at, column]
    for at in range(len(state.tally)):
        best.tally[at] = state.tally[at]


def urgency(day: Day) -> Integers:
    """All jobs, the one due first first."""
    return np.argsort(day.task[day.job[:, A], DUE], kind="stable").astype(np.int64)


@entrance
def construct(day: Day, state: State, jobs: Integers) -> None:
    """Those of the jobs that are missing, in this order, each where it costs least."""
    for at in range(len(jobs)):
        if state.work[jobs[at], SEAT] >= 0:
            serve(day, state, jobs[at])
            keep_settled(day, state)


@entrance
def spread_keys(day: Day, state: State) -> None:
    """New keys that keep the order in every round: of the jobs whose turn it may be, the one that starts first."""
    node, turn, tasks = state.node, state.round, len(day.task)
    for carer in range(len(turn)):
        turn[carer, HOMES] = node[tasks + carer, NEXT]  # the list is not in use between two changes
    for job in range(len(day.job)):
        state.work[job, RANK] = 0
    last = -(1 << 59)
    while True:
        chosen, soonest = -1, 1 << 60
        for carer in range(len(turn)):
            task = turn[carer, HOMES]
            if task >= tasks:
                continue
            job = day.task[task, JOB]
            one, two = day.job[job, A], day.job[job, B]
            moment = node[one, START]
            if day.job[job, SECOND] > 0 and not state.work[day.job[job, MATE], RANK]:
                continue
            if two >= 0:
                other = two if task == one else one
                if turn[node[other, CARER], HOMES] != other:
                    continue
                moment = (moment + node[two, START]) // 2
            if moment < soonest:
                chosen, soonest = job, moment
        if chosen < 0:
            return
        last = max(last + PER_UNIT // 64, soonest * PER_UNIT)
        state.work[chosen, KEY], state.work[chosen, RANK] = last, 1
        for half in range(2):
            task = day.job[chosen, half]
            if task >= 0:
                turn[node[task, CARER], HOMES] = node[task, NEXT]


@compiled
def _late_one(day: Day, state: State) -> int:
    """Some task that starts late, or any."""
    tasks = len(day.task)
    first = dice(state, tasks)
    for step in range(tasks):
        task = (first + step) % tasks
        if state.node[task, LATE] > 0:
            before = state.node[task, PREV]
            return before if before < tasks and share(state) < 0.3 else task
    return first


@compiled
def _large_move(day: Day, state: State, before: float, allowed: float, torn: int) -> bool:
    if state.tally[MISSING] > 0 and share(state) < 0.5:
        whole = replace(day, state, state.work[dice(state, state.tally[MISSING]), LEFT_OUT])
    else:
        whole = rebuild(day, state, torn)
    return judge_settled(day, state, before, allowed, whole)


@compiled
def _small_move(day: Day, state: State, before: float, allowed: float) -> bool:
    task = dice(state, len(day.task))
    if state.tally[LATENESS] > 0 and share(state) < 0.06:
        task = _late_one(day, state)
    if state.node[task, CARER] < 0:
        return False
    room = allowed + day.weight[W_LATENESS] * state.tally[LATENESS] + day.weight[W_WORST] * state.tally[WORST]
    way = share(state)
    if way < 0.42:
        made = relocate(day, state, task, room)
    elif way < 0.70:
        made = swap(day, state, task, room)
    elif way < 0.85:
        made = move_string(day, state, task, room)
    else:
        made = cross(day, state, task, room)
    return made and judge(day, state, before, allowed)


@entrance
def anneal(day: Day, state: State, best: State, moves: int, hot: float, cold: float, large: float, torn: int) -> int:
    """So many moves while the temperature falls from `hot` to `cold`; `large` of them are large. How many were kept."""
    kept = 0
    now, least = cost(day, state), cost(day, best)
    heat, fall = hot, (cold / hot) ** (1.0 / max(1, moves))
    for _ in range(moves):
        heat *= fall
        allowed = -heat * np.log(1.0 - share(state))
        if share(state) < large:
            made = _large_move(day, state, now, allowed, torn)
        else:
            made = _small_move(day, state, now, allowed)
        if made:
            kept += 1
            now = cost(day, state)
            if now < least - 1e-7:
                least = now
                remember(state, best)
    return kept
