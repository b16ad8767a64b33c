"""GB 11643: known numbers, the first generation, and what is only a warning."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.elders.id_numbers import check_digit, parse

TODAY = date(2026, 3, 1)


def test_known_numbers() -> None:
    man = parse("62030219400101001x", TODAY)
    assert (man.number, man.birth_date, man.sex, man.warnings) == (
        "62030219400101001X", date(1940, 1, 1), "male", (),
    )  # fmt: skip
    leap = parse(" 620321 19280229 0023 ", TODAY)
    assert (leap.birth_date, leap.sex, leap.warnings) == (date(1928, 2, 29), "female", ())


def test_first_generation_is_upgraded_and_the_original_kept() -> None:
    old = parse("620302 400101 001", TODAY)
    assert (old.number, old.raw) == ("62030219400101001X", "620302 400101 001")
    assert old.warnings == ("id_number_upgraded",)
    assert (old.birth_date, old.sex) == (date(1940, 1, 1), "male")


@pytest.mark.parametrize(
    ("typed", "warnings"),
    [
        ("620302194001010011", ("id_number_check_digit",)),
        ("62030219401301001X", ("id_number_check_digit", "id_number_birth_date")),
        ("H1234567", ("id_number_shape",)),
        ("６２０３０２１９４００１０１００１Ｘ", ()),
        ("999999194001010010", ("id_number_check_digit",)),  # an unknown division alone is no reason to warn
    ],
)
def test_odd_numbers_warn_and_never_fail(typed: str, warnings: tuple[str, ...]) -> None:
    assert parse(typed, TODAY).warnings == warnings


def test_a_birth_date_to_come_is_noticed() -> None:
    first17 = "62030220260302001"
    assert "id_number_birth_date" in parse(first17 + check_digit(first17), TODAY).warnings


@given(
    division=st.integers(110_000, 829_999),
    born=st.dates(date(1900, 1, 1), TODAY),
    serial=st.integers(0, 999),
    position=st.integers(0, 16),
    other=st.integers(0, 9),
)
def test_round_trip_and_one_wrong_digit(division: int, born: date, serial: int, position: int, other: int) -> None:
    first17 = f"{division}{born:%Y%m%d}{serial:03d}"
    number = first17 + check_digit(first17)
    read = parse(number, TODAY)
    assert (read.number, read.birth_date, read.warnings) == (number, born, ())
    assert read.sex == ("male" if serial % 2 else "female")
    slipped = number[:position] + str(other) + number[position + 1 :]
    assert ("id_number_check_digit" in parse(slipped, TODAY).warnings) == (slipped != number)


@given(st.text(max_size=40))
def test_anything_may_be_typed(typed: str) -> None:
    read = parse(typed, TODAY)
    assert read.birth_date is None or read.birth_date <= TODAY + timedelta(days=0)
