"""Ruin and recreate, compiled: slack induction by string removals (Christiaens and Vanden Berghe, 2020).

A step takes strings of neighbouring stops out of a few rounds and puts every absent task back where it costs least.
`free` and `latest` make one insertion a matter of constants: when a caregiver is done with a stop at the earliest, and
until when they may be for the rest of the round to hold, each by the number of breaks already taken.

Small functions take plain arrays: a tuple of arrays costs more to hand over than most of them do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy import random  # the compiled generator, seeded by `seeded`; numba knows no other

from app.routing.machine_code import njit

Integers = npt.NDArray[np.int64]
Smaller = npt.NDArray[np.int32]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEVER = 1 << 50
STRING = 10
"""Stops a string has at most; the mean of all that a step takes out."""
BLINK = 0.01
"""How often a place is overlooked, so that the cheapest is not always taken."""

PLACE, DURATION = range(2)
START, END, OPENS, CLOSES, PROFILE, RESTS = range(6)
TAKES, UNTIL, BEFORE = range(3)


class Day(NamedTuple):
    """What does not change. Times in the problem's units, costs by its objective."""

    task: Integers  # (tasks, 2): PLACE, DURATION
    window: Integers  # (tasks, most windows, 2), in order, then NEVER
    absent: Reals  # (tasks,): cost of leaving it out
    able: Smaller  # (tasks, caregivers): who may, then -1
    likes: Reals  # (tasks, caregivers): cost of the preference
    near: Smaller  # (tasks, some): its neighbours, the nearest first
    carer: Integers  # (caregivers, 6): START ... RESTS
    leg: Integers  # (caregivers, breaks + 1, breaks + 1, 3): TAKES, UNTIL, BEFORE, see `insertion.legs_of`
    travel: Smaller  # (profiles, places, places)
    per_way: float


class Rounds(NamedTuple):
    """What does. In `free` and `latest` position 0 is the start of a round, 1 its first stop."""

    order: Smaller  # (caregivers, longest): tasks
    length: Integers  # (caregivers,)
    by: Integers  # (tasks,): caregiver or -1
    free: Integers  # (caregivers, longest + 1, breaks + 1)
    latest: Integers  # the same shape


@njit(cache=True)
def _begins(window: Integers, task: int, arrives: int) -> int:
    for which in range(window.shape[1]):
        if arrives <= window[task, which, 1]:
            return int(max(arrives, window[task, which, 0]))
    return NEVER


@njit(cache=True)
def _last_begin(window: Integers, task: int, by: int) -> int:
    """The latest start not after `by`; -1 if there is none."""
    for which in range(window.shape[1] - 1, -1, -1):
        if window[task, which, 0] <= by:
            return int(min(by, window[task, which, 1]))
    return -1


@njit(cache=True)
def time_round(day: Day, rounds: Rounds, who: int) -> bool:
    """Fills `free` and `latest` of one round; whether the round holds."""
    task, window, leg, carer = day.task, day.window, day.leg, day.carer
    order, free, latest = rounds.order, rounds.free, rounds.latest
    length, rests, profile, travel = rounds.length[who], carer[who, RESTS], carer[who, PROFILE], day.travel
    for position in range(length + 1):
        for taken in range(rests + 1):
            free[who, position, taken], latest[who, position, taken] = NEVER, -1
    free[who, 0, 0] = carer[who, OPENS]
    place = carer[who, START]
    for position in range(1, length + 1):
        one = order[who, position - 1]
        way, place = travel[profile, place, task[one, PLACE]], task[one, PLACE]
        for taken in range(rests + 1):
            since = free[who, position - 1, taken]
            for after in range(taken, rests + 1):
                if since <= leg[who, taken, after, BEFORE]:
                    arrives = max(since + way + leg[who, taken, after, TAKES], leg[who, taken, after, UNTIL])
                    done = _begins(window, one, arrives) + task[one, DURATION]
                    free[who, position, after] = min(free[who, position, after], done)
    following = carer[who, END]
    for position in range(length, -1, -1):
        place = carer[who, START] if position == 0 else task[order[who, position - 1], PLACE]
        way, following = travel[profile, place, following], place
        for taken in range(rests + 1):
            for after in range(taken, rests + 1):
                if position == length:
                    by = carer[who, CLOSES] if after == rests else -1
                else:
                    one = order[who, position]
                    by = _last_begin(window, one, latest[who, position + 1, after] - task[one, DURATION])
                if by >= leg[who, taken, after, UNTIL]:
                    until = min(leg[who, taken, after, BEFORE], by - way - leg[who, taken, after, TAKES])
                    latest[who, position, taken] = max(latest[who, position, taken], until)
    return bool(free[who, 0, 0] <= latest[who, 0, 0])


@njit(cache=True)
def _holds(
    task: Integers, window: Integers, leg: Integers, order: Smaller, free: Integers, latest: Integers,
    who: int, position: int, one: int, way: int, on: int, following: int, closes: int, rests: int,
) -> bool:  # fmt: skip
    """Whether the round holds with task `one` after `position`: `way` to it, `on` from it to `following` or home."""
    for taken in range(rests + 1):
        since = free[who, position, taken]
        for then in range(taken, rests + 1):
            if since > leg[who, taken, then, BEFORE] or since >= NEVER:
                continue
            arrives = max(since + way + leg[who, taken, then, TAKES], leg[who, taken, then, UNTIL])
            done = _begins(window, one, arrives) + task[one, DURATION]
            for after in range(then, rests + 1):
                if done > leg[who, then, after, BEFORE] or done >= NEVER:
                    continue
                arrives = max(done + on + leg[who, then, after, TAKES], leg[who, then, after, UNTIL])
                if following < 0:
                    if after == rests and arrives <= closes:
                        return True
                elif (
                    _begins(window, following, arrives) + task[following, DURATION] <= latest[who, position + 1, after]
                ):
                    return True
    return False


@njit(cache=True)
def cheapest(day: Day, rounds: Rounds, one: int, among: Flags, limit: float, blink: float) -> tuple[int, int, float]:
    """(caregiver, position, cost) of the cheapest place for a task in the rounds `among`, or (-1, -1, limit)."""
    task, window, leg, carer, travel, able = day.task, day.window, day.leg, day.carer, day.travel, day.able
    order, length, free, latest = rounds.order, rounds.length, rounds.free, rounds.latest
    best, best_who, best_position = limit, -1, -1
    here, last_close = task[one, PLACE], 0
    for which in range(window.shape[1]):
        if window[one, which, 0] < NEVER:
            last_close = window[one, which, 1]
    for which in range(able.shape[1]):
        who = able[one, which]
        if who < 0:
            break
        if not among[who] or length[who] >= order.shape[1]:
            continue
        profile, rests, liked = carer[who, PROFILE], carer[who, RESTS], day.likes[one, who]
        place = carer[who, START]
        for position in range(length[who] + 1):
            soonest = free[who, position, 0]
            for taken in range(1, rests + 1):
                soonest = min(soonest, free[who, position, taken])
            if soonest > last_close:
                break
            following = order[who, position] if position < length[who] else -1
            there = task[following, PLACE] if following >= 0 else carer[who, END]
            way, on = travel[profile, place, here], travel[profile, here, there]
            cost = day.per_way * (way + on - travel[profile, place, there]) + liked
            place = there
            if cost >= best or (blink > 0 and random.random() < blink):
                continue
            if _holds(task, window, leg, order, free, latest,
                      who, position, one, way, on, following, carer[who, CLOSES], rests):  # fmt: skip
                best, best_who, best_position = cost, who, position
    return best_who, best_position, best


@njit(cache=True)
def insert(day: Day, rounds: Rounds, who: int, position: int, one: int) -> None:
    for at in range(rounds.length[who], position, -1):
        rounds.order[who, at] = rounds.order[who, at - 1]
    rounds.order[who, position] = one
    rounds.length[who] += 1
    rounds.by[one] = who
    time_round(day, rounds, who)


@njit(cache=True)
def round_cost(day: Day, rounds: Rounds, who: int) -> float:
    carer, task, travel, order, length = day.carer, day.task, day.travel, rounds.order, rounds.length[who]
    if length == 0:
        return 0.0
    profile, place, way, liked = carer[who, PROFILE], carer[who, START], 0, 0.0
    for at in range(length):
        one = order[who, at]
        way += travel[profile, place, task[one, PLACE]]
        place = task[one, PLACE]
        liked += day.likes[one, who]
    return float(day.per_way * (way + travel[profile, place, carer[who, END]]) + liked)


@njit(cache=True)
def total(day: Day, rounds: Rounds) -> float:
    cost = 0.0
    for who in range(len(rounds.length)):
        cost += round_cost(day, rounds, who)
    for one in range(len(rounds.by)):
        if rounds.by[one] < 0:
            cost += day.absent[one]
    return cost


@njit(cache=True)
def _take_string(day: Day, rounds: Rounds, who: int, one: int, most: int) -> None:
    """Takes a string of stops around a task out of a round; half the time one that keeps a few in its middle."""
    order, length = rounds.order, rounds.length[who]
    at = 0
    while order[who, at] != one:
        at += 1
    size, kept = random.randint(1, min(length, most) + 1), 0
    if size > 1 and random.random() < 0.5:
        while size + kept < length and random.random() < 0.5:
            kept += 1
    span = size + kept
    first = random.randint(max(0, at - span + 1), min(at, length - span) + 1)
    keep_from = first + random.randint(1, size) if kept else first + span
    to = first
    for position in range(first, length):
        if position < first + span and not keep_from <= position < keep_from + kept:
            rounds.by[order[who, position]] = -1
        else:
            order[who, to] = order[who, position]
            to += 1
    rounds.length[who] = to
    time_round(day, rounds, who)


@njit(cache=True)
def _copy_round(one: Rounds, other: Rounds, who: int, rests: int) -> None:
    length = one.length[who]
    other.length[who] = length
    for at in range(length):
        other.order[who, at] = one.order[who, at]
    for position in range(length + 1):
        for taken in range(rests + 1):
            other.free[who, position, taken] = one.free[who, position, taken]
            other.latest[who, position, taken] = one.latest[who, position, taken]


@njit(cache=True)
def _sort_absent(day: Day, absent: Smaller, count: int) -> None:
    """By one of four keys: at random, the dearest to leave out, the longest, the one with least time to begin."""
    how = random.randint(0, 4)
    key = np.empty(count)
    for at in range(count):
        one = absent[at]
        key[at] = random.random()
        if how == 1:
            key[at] -= day.absent[one]
        elif how == 2:
            key[at] -= day.task[one, DURATION]
        elif how == 3:
            for which in range(day.window.shape[1]):
                if day.window[one, which, 0] < NEVER:
                    key[at] += day.window[one, which, 1] - day.window[one, which, 0]
    absent[:count] = absent[:count][np.argsort(key)]


@njit(cache=True)
def _ruin(day: Day, rounds: Rounds, old: Rounds, touched: Flags) -> None:
    """Strings out of neighbouring rounds around a task drawn at random; what they were is in `old`."""
    served = (rounds.by >= 0).sum()
    busy = max(1, (rounds.length > 0).sum())
    most = max(1, min(STRING, served // busy))
    strings = random.randint(1, max(2, 4 * STRING // (1 + most)))
    centre = random.randint(0, len(rounds.by))
    for at in range(-1, day.near.shape[1]):
        one = centre if at < 0 else day.near[centre, at]
        who = rounds.by[one]
        if who >= 0 and not touched[who]:
            touched[who] = True
            _copy_round(rounds, old, who, day.carer[who, RESTS])
            _take_string(day, rounds, who, one, most)
            strings -= 1
            if strings == 0:
                return


@njit(cache=True)
def seeded(seed: int) -> None:
    random.seed(seed)


@njit(cache=True)
def recreate(day: Day, rounds: Rounds, old: Rounds, touched: Flags, waiting: Smaller, count: int, was: Flags) -> None:
    """Every waiting task to its cheapest place, if that is cheaper than leaving it out. One that was absent before
    (`was`) had no room in the rounds nobody touched, and need not ask there again.
    """
    everybody = np.ones(len(touched), np.bool_)
    _sort_absent(day, waiting, count)
    for at in range(count):
        one = waiting[at]
        among = touched if was[one] else everybody
        who, position, _ = cheapest(day, rounds, one, among, day.absent[one], BLINK)
        if who >= 0:
            if not touched[who]:
                touched[who] = True
                _copy_round(rounds, old, who, day.carer[who, RESTS])
            insert(day, rounds, who, position, one)


@njit(cache=True)
def search(
    day: Day, rounds: Rounds, old: Rounds, best: Rounds, now: float, least: float, steps: int, warmth: float
) -> tuple[float, float]:
    """`steps` ruins and recreations at one temperature; the cost it is at, and the least so far, kept in `best`."""
    touched = np.zeros(len(rounds.length), np.bool_)
    waiting = np.empty(len(rounds.by), np.int32)
    for _ in range(steps):
        touched[:] = False
        was = rounds.by < 0
        _ruin(day, rounds, old, touched)
        count, change = 0, 0.0
        for one in range(len(rounds.by)):
            if rounds.by[one] < 0:
                waiting[count] = one
                count += 1
                change -= day.absent[one] if was[one] else 0.0
        recreate(day, rounds, old, touched, waiting, count, was)
        for at in range(count):
            change += day.absent[waiting[at]] if rounds.by[waiting[at]] < 0 else 0.0
        for who in range(len(touched)):
            if touched[who]:
                change += round_cost(day, rounds, who) - round_cost(day, old, who)
        if change < -warmth * np.log(random.random()):
            now += change
            if now < least - 1e-6:
                least = now
                best.length[:] = rounds.length
                best.order[:] = rounds.order
            continue
        for at in range(count):
            rounds.by[waiting[at]] = -1
        for who in range(len(touched)):
            if touched[who]:
                _copy_round(old, rounds, who, day.carer[who, RESTS])
                for at in range(rounds.length[who]):
                    rounds.by[rounds.order[who, at]] = who
    return now, least
