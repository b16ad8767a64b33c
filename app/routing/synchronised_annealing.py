"""Simulated annealing over all the moves. Compiled.

The representation and the choice of annealing follow Ceschia, Di Gaspero, Rosati and Schaerf (2024).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from app.routing.synchronised_day import DUE, JOB, A, B, Day, Integers, Reals
from app.routing.synchronised_missing import serve
from app.routing.synchronised_moves import cross, move_string, relocate, swap
from app.routing.synchronised_ruin import rebuild, replace
from app.routing.synchronised_state import (
    CARER,
    EASED,
    LATE,
    LATENESS,
    MISSING,
    NEXT,
    PER_UNIT,
    PREV,
    START,
    WORST,
    State,
    compiled,
    cost,
    dice,
    share,
)
from app.routing.synchronised_timing import judge, judge_settled, keep, weigh


class Best(NamedTuple):
    """The best rounds found: the same columns as in State, kept aside."""

    node: Integers
    key: Integers
    tally: Integers
    missing: Integers
    seat: Integers
    cost: Reals  # (1,)


def best_of(state: State) -> Best:
    """Room to keep the best in; nothing is kept yet."""
    return Best(
        state.node.copy(),
        state.key.copy(),
        state.tally.copy(),
        state.missing.copy(),
        state.seat.copy(),
        np.array([np.inf]),
    )


@compiled
def remember(day: Day, state: State, best: Best) -> None:
    """Keeps the rounds as they are now."""
    best.node[:] = state.node
    best.key[:] = state.key
    best.tally[:] = state.tally
    best.missing[:] = state.missing
    best.seat[:] = state.seat
    best.cost[0] = cost(day, state)


@compiled
def recall(state: State, best: Best) -> None:
    """Goes on from the best."""
    state.node[:] = best.node
    state.key[:] = best.key
    state.tally[:] = best.tally
    state.missing[:] = best.missing
    state.seat[:] = best.seat


@compiled
def construct(day: Day, state: State) -> None:
    """Every missing job where it costs least, the most urgent first, pairs before the rest of their time."""
    count = state.tally[MISSING]
    order = np.argsort(day.task[day.job[state.missing[:count], A], DUE])
    jobs = state.missing[:count][order]
    for job in jobs:
        serve(day, state, job)
        state.tally[EASED] = 1
        state.tally[WORST] = weigh(day, state)
        keep(day, state)


@compiled
def spread_keys(day: Day, state: State) -> None:
    """New keys that keep the order in every round: of the jobs whose turn it may be, the one that starts first."""
    node, tasks = state.node, len(day.task)
    carers = len(day.carer)
    turn = state.ending  # not in use between two changes
    for carer in range(carers):
        turn[carer] = node[tasks + carer, NEXT]
    last = -(1 << 59)
    while True:
        chosen, soonest = -1, 1 << 60
        for carer in range(carers):
            task = turn[carer]
            if task >= tasks:
                continue
            job = day.task[task, JOB]
            one, two = day.job[job, A], day.job[job, B]
            moment = node[one, START]
            if two >= 0:
                other = two if task == one else one
                if turn[node[other, CARER]] != other:
                    continue
                moment = (moment + node[two, START]) // 2
            if moment < soonest:
                chosen, soonest = job, moment
        if chosen < 0:
            return
        last = max(last + PER_UNIT // 64, soonest * PER_UNIT)
        state.key[chosen] = last
        for half in (A, B):
            task = day.job[chosen, half]
            if task >= 0:
                turn[node[task, CARER]] = node[task, NEXT]


@compiled
def _late_one(day: Day, state: State) -> int:
    """Some task that starts late, or any."""
    tasks = len(day.task)
    first = dice(state, tasks)
    for step in range(tasks):
        task = (first + step) % tasks
        if state.node[task, LATE] > 0:
            before = state.node[task, PREV]
            return before if before < tasks and dice(state, 3) == 0 else task
    return first


@compiled
def _large_move(day: Day, state: State, before: float, allowed: float, torn: int) -> bool:
    if state.tally[MISSING] > 0 and dice(state, 2) == 0:
        job = state.missing[dice(state, state.tally[MISSING])]
        whole = replace(day, state, day.job[job, A])
    else:
        whole = rebuild(day, state, torn)
    return judge_settled(day, state, before, allowed, whole)


@compiled
def _small_move(day: Day, state: State, before: float, allowed: float) -> bool:
    task = dice(state, len(day.task))
    if state.tally[LATENESS] > 0 and dice(state, 16) == 0:
        task = _late_one(day, state)
    if state.node[task, CARER] < 0:
        return False
    room = allowed + day.weight[1] * state.tally[LATENESS] + day.weight[2] * state.tally[WORST]
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


@compiled
def anneal(day: Day, state: State, best: Best, moves: int, hot: float, cold: float, large: float, torn: int) -> int:
    """So many moves while the temperature falls from `hot` to `cold`; `large` of them are large. How many were kept."""
    kept = 0
    now = cost(day, state)
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
            if now < best.cost[0] - 1e-7:
                remember(day, state, best)
    return kept
