"""Shrunk ratings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.ratings import PRIOR_SCORE, shrunk


def test_few_ratings_say_little_and_many_say_much() -> None:
    assert shrunk(0, 0) == PRIOR_SCORE
    assert 4.1 < shrunk(1, 1) < PRIOR_SCORE
    assert PRIOR_SCORE < shrunk(5, 1) < 4.6
    assert shrunk(5 * 1000, 1000) > 4.99
    assert shrunk(5 * 100, 100) > shrunk(5, 1)


@pytest.mark.parametrize(("total", "count"), [(1, 0), (0, 1), (6, 1), (-1, -1)])
def test_impossible_sums_are_refused(total: int, count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 5"):
        shrunk(total, count)


@given(scores=st.lists(st.integers(1, 5), max_size=50), score=st.integers(1, 5))
def test_bounds_and_direction(scores: list[int], score: int) -> None:
    before, after = shrunk(sum(scores), len(scores)), shrunk(sum(scores) + score, len(scores) + 1)
    assert 1 <= after <= 5
    assert (after >= before) == (score >= before) or after == pytest.approx(before)
