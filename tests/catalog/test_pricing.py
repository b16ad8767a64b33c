"""Prices and billable minutes: tables of cases, and what holds for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.pricing import amount_fen, billable_minutes


@pytest.mark.parametrize(
    ("price", "per_minutes", "minutes", "expected"),
    [
        (12_000, None, 45, 12_000),  # per visit: minutes do not matter
        (3500, 60, 60, 3500),
        (3500, 60, 90, 5250),
        (3500, 60, 0, 0),
        (100, 3, 1, 33),  # a third of a fen down
        (101, 2, 1, 51),  # half a fen up
        (1, 60, 29, 0),
        (1, 60, 30, 1),
    ],
)
def test_amounts(price: int, per_minutes: int | None, minutes: int, expected: int) -> None:
    assert amount_fen(price, per_minutes, minutes) == expected


@pytest.mark.parametrize(
    ("actual", "planned", "rounding", "minimum", "expected"),
    [
        (60, 60, 15, 30, 60),
        (58, 60, 15, 30, 60),  # two minutes short of an hour is an hour
        (52, 60, 15, 30, 45),
        (75, 60, 15, 30, 60),  # nobody ordered more
        (29, 60, 15, 30, 0),  # too short to be a service
        (31, 60, 30, 31, 31),  # rounding never goes below the minimum
        (50, 50, 30, 30, 50),  # nor above what was planned
        (0, 60, 15, 0, 0),
        (5, 60, 1, 0, 5),
    ],
)
def test_billable_minutes(actual: int, planned: int, rounding: int, minimum: int, expected: int) -> None:
    assert billable_minutes(actual, planned, rounding, minimum) == expected


@given(
    actual=st.integers(0, 2000),
    more=st.integers(0, 500),
    planned=st.integers(1, 960),
    rounding=st.integers(1, 60),
    minimum=st.integers(0, 120),
)
def test_billable_minutes_stay_in_bounds_and_grow(
    actual: int, more: int, planned: int, rounding: int, minimum: int
) -> None:
    minimum = min(minimum, planned)
    billed = billable_minutes(actual, planned, rounding, minimum)
    assert billed == 0 or minimum <= billed <= planned
    assert billed <= billable_minutes(actual + more, planned, rounding, minimum)
    assert abs(billed - min(actual, planned)) <= rounding or actual < minimum or billed == minimum


@given(price=st.integers(0, 10**7), per=st.integers(1, 480), first=st.integers(0, 960), second=st.integers(0, 960))
def test_two_visits_cost_what_one_costs_give_or_take_a_fen(price: int, per: int, first: int, second: int) -> None:
    together = amount_fen(price, per, first + second)
    assert abs(amount_fen(price, per, first) + amount_fen(price, per, second) - together) <= 1
