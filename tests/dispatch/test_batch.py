"""Orders that compete: when to wait, and who goes to whom."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dispatch.batch import Choice, Claim, Switch, assign, batches, pressure, waits, waves

Wishes = dict[str, dict[str, float]]
SWITCH = Switch(opens=1.0, closes=0.5, seconds=5, longest_wait=300)


def claims(wishes: Wishes, starts: int = 0, ends: int = 3600) -> list[Claim[str, str]]:
    return [
        Claim(order, starts, ends, {person: Choice(score, 0) for person, score in choices.items()})
        for order, choices in wishes.items()
    ]


def greedy(wishes: Wishes) -> dict[str, str]:
    """One order after another, each takes the best who is left."""
    chosen: dict[str, str] = {}
    for order, choices in wishes.items():
        left = {p: s for p, s in choices.items() if p not in chosen.values()}
        if left:
            chosen[order] = max(left, key=lambda p: left[p])
    return chosen


def worth(wishes: Wishes, chosen: dict[str, str]) -> tuple[int, float]:
    return len(chosen), round(sum(wishes[order][person] for order, person in chosen.items()), 6)


def test_the_nurse_is_kept_for_the_order_only_she_can_do() -> None:
    wishes = {"clean": {"nurse": 90.0, "cleaner": 80.0}, "inject": {"nurse": 50.0}}
    assert greedy(wishes) == {"clean": "nurse"}
    assert assign(claims(wishes)) == {"clean": "cleaner", "inject": "nurse"}


def test_whom_nobody_can_serve_is_missing() -> None:
    assert assign(claims({"a": {}, "b": {"x": 1.0}, "c": {"x": 2.0}})) == {"c": "x"}
    assert assign([]) == {}


def test_the_weightier_order_is_served_first() -> None:
    heavy = Claim("heavy", 0, 10, {"x": Choice(1.0, 0)}, weight=2.0)
    light = Claim("light", 0, 10, {"x": Choice(99.0, 0)})
    assert assign([light, heavy]) == {"heavy": "x"}


def test_one_caregiver_serves_two_orders_only_if_the_way_between_fits() -> None:
    def two(travel: int) -> dict[str, str]:
        return assign([
            Claim("early", 0, 3600, {"x": Choice(50.0, 600)}),
            Claim("late", 4200, 7800, {"x": Choice(50.0, travel)}),
        ])  # fmt: skip

    assert two(travel=600) == {"early": "x", "late": "x"}
    assert two(travel=601) == {"early": "x"}


small = st.dictionaries(
    st.sampled_from("abcd"), st.dictionaries(st.sampled_from("wxyz"), st.floats(0, 100), max_size=4), max_size=4
)


@given(small)
def test_nothing_beats_the_assignment_and_greedy_never_does_better(wishes: Wishes) -> None:
    best = worth(wishes, assign(claims(wishes)))
    orders = list(wishes)
    for people in permutations([*"wxyz", *orders], len(orders)):
        tried = {o: p for o, p in zip(orders, people, strict=True) if p in wishes[o]}
        count, score = worth(wishes, tried)
        assert (count, score) <= (best[0], best[1] + 1e-6)
    assert worth(wishes, greedy(wishes))[0] <= best[0]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20), st.integers(0, 5)), max_size=12))
def test_nobody_is_in_two_places_at_once(times: list[tuple[int, int, int]]) -> None:
    asked = [
        Claim(i, begin, begin + length, {p: Choice(1.0, travel) for p in "xy"})
        for i, (begin, length, travel) in enumerate(times)
    ]
    chosen = assign(asked)
    for person in "xy":
        busy = sorted((c.starts - c.choices[person].travel, c.ends) for c in asked if chosen.get(c.order) == person)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(busy))
    for wave in waves(asked):
        assert max(c.starts for c in wave) < min(c.ends for c in wave)


def test_pressure_switches_on_late_and_off_later() -> None:
    assert pressure(4, 8.0) == 0.5
    assert pressure(4, 0.0) == 4.0
    states, on = [], False
    for now in (0.4, 0.9, 1.0, 0.7, 0.5, 0.49, 0.9, 1.1):
        on = batches(on, now, SWITCH)
        states.append(on)
    assert states == [False, False, True, True, True, False, False, True]


@pytest.mark.parametrize(
    ("batching", "urgency", "waited", "until_start", "left"),
    [
        (True, "normal", 0, 7200, True),
        (True, "appointment", 299, 86400, True),
        (True, "normal", 300, 7200, False),
        (True, "normal", 0, 3599, False),
        (True, "urgent", 0, 7200, False),
        (True, "emergency", 0, 7200, False),
        (False, "normal", 0, 7200, False),
    ],
)
def test_who_waits(batching: bool, urgency: str, waited: float, until_start: float, left: bool) -> None:
    assert waits(batching, urgency, waited, until_start, SWITCH) is left
