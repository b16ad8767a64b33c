"""A check of a call by its sheet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hotline.sheets import Item, SheetError, checked, judged

SHEET = checked(
    (Item("greeting", "问候", 30), Item("record", "登记", 30), Item("danger", "识别险情", 40, critical=True))
)


def test_points_add_up() -> None:
    verdict = judged(SHEET, {"greeting": 20, "record": 30, "danger": 40})
    assert (verdict.total, verdict.failed) == (90, False)


def test_whoever_misses_what_is_critical_has_failed() -> None:
    verdict = judged(SHEET, {"greeting": 30, "record": 30, "danger": 0})
    assert (verdict.total, verdict.missed) == (0, ("danger",))


@pytest.mark.parametrize(
    "given",
    [{}, {"greeting": 30, "record": 30}, {"greeting": 31, "record": 30, "danger": 40},
     {"greeting": -1, "record": 30, "danger": 40}, {"greeting": 1, "record": 1, "danger": 1, "extra": 1}],
)  # fmt: skip
def test_nothing_but_the_sheet_is_judged(given: dict[str, int]) -> None:
    with pytest.raises(SheetError):
        judged(SHEET, given)


@pytest.mark.parametrize(
    "items",
    [(Item("a", "a", 99),), (Item("a", "a", 50), Item("a", "a", 50)), (Item("a", "a", 100), Item("b", "b", 0)), ()],
)
def test_a_sheet_has_a_hundred_points(items: tuple[Item, ...]) -> None:
    with pytest.raises(SheetError):
        checked(items)


@given(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 40)))
def test_a_total_is_between_nothing_and_the_whole(points: tuple[int, int, int]) -> None:
    verdict = judged(SHEET, dict(zip(("greeting", "record", "danger"), points, strict=True)))
    assert 0 <= verdict.total <= 100
    assert verdict.failed == (points[2] == 0)
