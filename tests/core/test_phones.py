"""How people write numbers, and the one key each becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import phones
from app.core.errors import Invalid
from app.core.phones import parse_phone

MOBILE = "+8613893512345"
WRITTEN = [
    ("13893512345", MOBILE, None),
    ("138-9351-2345", MOBILE, None),
    ("138 9351 2345", MOBILE, None),
    ("+86 138 9351 2345", MOBILE, None),
    ("+86-138-9351-2345", MOBILE, None),
    ("0086-138-9351-2345", MOBILE, None),
    ("8613893512345", MOBILE, None),
    ("013893512345", MOBILE, None),  # as fixed-line exchanges show a mobile from elsewhere
    ("１３８９３５１２３４５", MOBILE, None),
    ("＋８６１３８９３５１２３４５", MOBILE, None),
    ("13893512345-801", MOBILE, "801"),
    ("0935-8212345", "+869358212345", None),
    ("0935-821-2345", "+869358212345", None),
    ("(0935) 821 2345", "+869358212345", None),
    ("（０９３５）８２１２３４５", "+869358212345", None),
    ("+86-0935-8212345", "+869358212345", None),
    ("8212345", "+869358212345", None),  # the city's own area code
    ("821-2345", "+869358212345", None),
    ("8212345-12", "+869358212345", "12"),
    ("(0935)8212345转12", "+869358212345", "12"),
    ("0935 8212345 ext. 12", "+869358212345", "12"),
    ("0935-8212345#3", "+869358212345", "3"),
    ("010-6234-5678", "+861062345678", None),
    ("010-62345678-801", "+861062345678", "801"),
    ("+86 10-6234-5678", "+861062345678", None),
    ("+86 10 62345678-801", "+861062345678", "801"),
    ("400-800-1234", "+864008001234", None),
    ("12349", "+8612349", None),
    ("110", "+86110", None),
    ("+852 2345 6789", "+85223456789", None),
    ("+49 30 123456", "+4930123456", None),
]


@pytest.mark.parametrize(("written", "e164", "extension"), WRITTEN)
def test_what_people_write(written: str, e164: str, extension: str | None) -> None:
    phone = parse_phone(f" {written} ")
    assert (phone.e164, phone.extension, phone.raw) == (e164, extension, written)


@pytest.mark.parametrize(("_written", "e164", "_extension"), WRITTEN)
def test_the_key_is_its_own_key(_written: str, e164: str, _extension: str | None) -> None:
    assert parse_phone(e164).e164 == e164


def test_another_city_another_area_code() -> None:
    assert phones.hotline() == "093512349"
    phones.live_in("027")
    try:
        assert parse_phone("62345678").e164 == "+862762345678"
        assert phones.hotline() == "02712349"
    finally:
        phones.live_in("0935")


@pytest.mark.parametrize("wrong", ["", "12", "abc", "1" * 16])
def test_what_is_no_number(wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_phone(wrong)
    assert (refused.value.code, refused.value.field) == ("phone_malformed", "phone")


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_key_or_invalid(written: str) -> None:
    try:
        phone = parse_phone(written)
    except Invalid:
        return
    assert phone.e164.startswith("+")
    assert phone.e164[1:].isascii()
    assert phone.e164[1:].isdigit()
