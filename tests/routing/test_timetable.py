"""The times of a round in a given order, against trying everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.problem import Break, Caregiver, Plan, Problem, Task, Window
from app.routing.timetable import orders_of, plan_of, timed
from app.routing.validation import violations
from tests.routing.small_day import LINE, PLAN, PROBLEM

windows = st.lists(st.integers(0, 60), min_size=2, max_size=4, unique=True).map(
    lambda cuts: tuple(Window(*pair) for pair in zip(*[iter(sorted(cuts))] * 2, strict=False))
)
tasks = st.builds(Task, id=st.just("t"), place=st.integers(0, 4), duration=st.integers(0, 15), windows=windows)
rests = st.builds(
    lambda opens, width, takes: Break(opens, opens + width, takes), *(st.integers(0, most) for most in (40, 20, 15))
)


def earliest(caregiver: Caregiver, order: list[Task]) -> int | None:
    """When the caregiver can be back, by walking every way of laying the breaks, minute by minute."""

    def walks(free: int, place: int, ahead: list[Task], left: tuple[Break, ...]) -> Iterator[int]:
        there = ahead[0].place if ahead else caregiver.end
        for taken in range(len(left) + 1):
            now, way, possible = free, int(LINE[place, there]), True
            for rest in left[:taken]:
                while now < rest.opens:
                    now, way = now + 1, max(0, way - 1)
                possible = possible and now <= rest.closes
                now += rest.duration
            now += way
            if not possible:
                continue
            if not ahead:
                if taken == len(left) and now <= caregiver.shift_closes:
                    yield now
                continue
            starts = [max(now, window.opens) for window in ahead[0].windows if now <= window.closes]
            if starts:
                yield from walks(min(starts) + ahead[0].duration, there, ahead[1:], left[taken:])

    breaks = tuple(sorted(caregiver.breaks, key=lambda rest: (rest.opens, rest.closes)))
    return min(walks(caregiver.shift_opens, caregiver.start, order, breaks), default=None)


@settings(max_examples=400, deadline=None)
@given(st.lists(tasks, min_size=1, max_size=4), st.lists(rests, max_size=2), st.integers(40, 120))
def test_a_round_is_timed_if_it_can_be_and_is_valid(order: list[Task], breaks: list[Break], closes: int) -> None:
    caregiver = Caregiver("c", 0, 2, 0, closes, breaks=tuple(breaks))
    order = [replace(task, id=f"t{number}") for number, task in enumerate(order)]
    found = timed(LINE, caregiver, order)
    expected = earliest(caregiver, order)
    assert (found.back if found else None) == expected
    if found:
        assert violations(Problem((caregiver,), tuple(order), (LINE,)), Plan((found,), ())) == ()


def test_nobody_leaves_home_to_wait_at_a_door() -> None:
    caregiver = Caregiver("c", 0, 0, 0, 500)
    found = timed(LINE, caregiver, [Task("t", 3, 10, (Window(200, 300),))])
    assert found
    assert (found.leaves, found.stops[0].arrives, found.stops[0].starts, found.back) == (170, 200, 200, 240)


def test_who_waits_for_a_break_walks_on_meanwhile() -> None:
    caregiver = Caregiver("c", 0, 0, 0, 500, breaks=(Break(20, 20, 30),))
    found = timed(LINE, caregiver, [Task("t", 4, 10, (Window(0, 300),))])
    assert found
    assert (found.leaves, found.breaks, found.stops[0].starts) == (0, (20,), 70)


def test_late_only_where_windows_are_soft() -> None:
    caregiver, task = Caregiver("c", 0, 0, 0, 500), Task("t", 4, 10, (Window(0, 30),))
    assert timed(LINE, caregiver, [task]) is None
    late = timed(LINE, caregiver, [task], soft=True)
    assert late
    assert late.stops[0].starts == 40


def test_a_plan_is_its_orders() -> None:
    day = replace(PROBLEM, links=())
    again = plan_of(day, orders_of(PLAN))
    assert orders_of(again) == orders_of(PLAN)
    assert violations(day, again) == ()
    none = plan_of(day, {"ben": ["cleaning", "lift", "shopping", "second", "gone"]})
    assert (none.rounds, set(none.unserved)) == ((), {task.id for task in PROBLEM.tasks})


def test_all_orders_of_three_breaks_lie_within_their_windows() -> None:
    for opens in product((0, 5, 30), repeat=3):
        breaks = tuple(Break(at, at + 60, 7) for at in opens)
        caregiver = Caregiver("c", 0, 1, 0, 300, breaks=breaks)
        found = timed(np.asarray(LINE), caregiver, [Task("t", 2, 10, (Window(0, 90),))])
        assert found
        day = Problem((caregiver,), (Task("t", 2, 10, (Window(0, 90),)),), (LINE,))
        assert violations(day, Plan((found,), ())) == ()
