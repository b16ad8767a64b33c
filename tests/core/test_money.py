"""Splits lose nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import share, split, yuan

wholes = st.integers(0, 10**12)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any)


@given(wholes, weights)
def test_parts_add_up(whole: int, shares: list[int]) -> None:
    parts = split(whole, shares)
    assert sum(parts) == whole
    assert len(parts) == len(shares)


@given(wholes, weights)
def test_no_part_is_a_fen_off(whole: int, shares: list[int]) -> None:
    total = sum(shares)
    for part, weight in zip(split(whole, shares), shares, strict=True):
        assert whole * weight // total <= part <= -(-whole * weight // total)


@given(wholes, weights, st.integers(1, 1000))
def test_only_proportions_count(whole: int, shares: list[int], factor: int) -> None:
    assert split(whole, shares) == split(whole, [weight * factor for weight in shares])


def test_ties_go_to_the_earlier_part() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(1, [1, 1]) == [1, 0]
    assert split(0, [3, 1]) == [0, 0]
    assert split(5, [0, 7]) == [0, 5]


def test_naive_rounding_loses_fen() -> None:
    """The control: rounding each part by itself does not add up in about a quarter of three-way splits."""
    chance, lost, fen = random.Random(12349), 0, 0
    for _ in range(20_000):
        whole, shares = chance.randint(1, 50_000), [chance.randint(1, 100) for _ in range(3)]
        naive = sum(round(whole * weight / sum(shares)) for weight in shares)
        lost += naive != whole
        fen += abs(sum(split(whole, shares)) - whole)
    assert lost > 3_000
    assert fen == 0


@pytest.mark.parametrize(("whole", "shares"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])])
def test_senseless_splits_are_refused(whole: int, shares: list[int]) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        split(whole, shares)


@given(st.integers(-(10**12), 10**12), st.integers(0, 20_000))
def test_a_share_is_the_nearest_fen(whole: int, points: int) -> None:
    assert abs(share(whole, points) * 10_000 - whole * points) <= 5_000
    assert share(-whole, points) == -share(whole, points)


def test_half_a_fen_goes_up() -> None:
    assert [share(1, 5_000), share(3, 5_000), share(-1, 5_000), share(1, 4_999)] == [1, 2, -1, 0]


def test_amounts_for_people() -> None:
    assert [yuan(fen) for fen in (0, 5, 1234, -5, -100, 10**9)] == [
        "0.00", "0.05", "12.34", "-0.05", "-1.00", "10000000.00",
    ]  # fmt: skip
