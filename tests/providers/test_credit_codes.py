"""GB 32100: known codes, and every single slip is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.credit_codes import ALPHABET, check_character, is_valid, normalised

KNOWN = "91620302MA0000000K"


def test_known_code() -> None:
    assert is_valid(KNOWN)
    assert normalised(" 91620302ma0000000k ") == KNOWN
    assert normalised("９１６２０３０２ＭＡ０００００００Ｋ") == KNOWN


@pytest.mark.parametrize("wrong", ["", KNOWN[:-1], KNOWN + "0", KNOWN[:-1] + "L", "I" + KNOWN[1:], "中" * 18])
def test_wrong_codes(wrong: str) -> None:
    assert not is_valid(wrong)


@given(
    first17=st.text(ALPHABET, min_size=17, max_size=17), position=st.integers(0, 17), other=st.sampled_from(ALPHABET)
)
def test_one_wrong_character_is_noticed(first17: str, position: int, other: str) -> None:
    code = first17 + check_character(first17)
    assert is_valid(code)
    slipped = code[:position] + other + code[position + 1 :]
    assert is_valid(slipped) == (slipped == code)
