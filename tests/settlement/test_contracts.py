from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from app.core.errors import Invalid
from app.settlement.contracts import Band, LatePenalty, Terms, check, coefficient_bp, common_division, penalties

TERMS = Terms(
    contract_id=UUID(int=1),
    division_code="620300",
    bands=(Band(4, 10_000), Band(1, 7_000), Band(3, 9_000)),
    unrated_bp=9_500,
    late=(LatePenalty(15, 500), LatePenalty(60, 2_000)),
    complaint_bp=3_000,
    partly_visit_bp=5_000,
    holdback_bp=500,
    confirm_days=7,
)


@pytest.mark.parametrize(
    ("rating", "bp"), [(None, 9_500), (5, 10_000), (4, 10_000), (3, 9_000), (2, 7_000), (1, 7_000)]
)
def test_coefficient_by_band(rating: int | None, bp: int) -> None:
    assert coefficient_bp(TERMS, rating) == bp


def test_below_the_lowest_band_its_figure_holds() -> None:
    assert coefficient_bp(replace(TERMS, bands=(Band(3, 8_000), Band(5, 10_000))), 1) == 8_000


@pytest.mark.parametrize(
    ("late", "complaint", "expected"),
    [
        (0, False, []),
        (15, False, []),
        (16, False, [("late_arrival", 500)]),
        (61, True, [("late_arrival", 2_000), ("complaint_upheld", 3_000)]),
        (0, True, [("complaint_upheld", 3_000)]),
    ],
)
def test_penalties(late: int, complaint: bool, expected: list[tuple[str, int]]) -> None:
    assert [(item.name, item.bp) for item in penalties(TERMS, late, complaint)] == expected


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"bands": ()}, "bands_missing"),
        ({"bands": (Band(3, 1), Band(3, 2))}, "bands_unclear"),
        ({"bands": (Band(0, 1),)}, "bands_unclear"),
        ({"bands": (Band(1, 9_000), Band(5, 8_000))}, "bands_reversed"),
        ({"bands": (Band(1, 10_001),)}, "basis_points_out_of_range"),
        ({"holdback_bp": -1}, "basis_points_out_of_range"),
    ],
)
def test_terms_nobody_can_mean(changed: dict, code: str) -> None:
    check(TERMS)
    with pytest.raises(Invalid) as refused:
        check(replace(TERMS, **changed))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["620300"], "620300"),
        (["620302", "620321"], "620300"),
        (["620302001001", "620302001002"], "620302001"),
        (["620300", "110000"], "000000"),
    ],
)
def test_common_division(codes: list[str], expected: str) -> None:
    assert common_division(codes) == expected
