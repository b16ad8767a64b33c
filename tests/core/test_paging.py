"""Cursors: opaque, and whatever else comes as one is bad input, never a failure."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.core.ids import new_id, new_secret
from app.core.paging import after_id, decode_cursor, encode_cursor, page_of
from app.core.text import View


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="|")), min_size=1))
def test_there_and_back(parts: list[str]) -> None:
    assert decode_cursor(encode_cursor(*parts)) == parts


@given(st.text(max_size=200))
def test_anything_else_is_bad_input(cursor: str) -> None:
    try:
        decode_cursor(cursor)
        found = after_id(cursor)
    except Invalid:
        return
    assert isinstance(found, UUID)


def test_pages() -> None:
    class Row(View):
        n: int

    ids = [new_id() for _ in range(3)]
    rows = [Row(n=n) for n in range(3)]
    page = page_of(rows, ids, 2)
    assert page["items"] == rows[:2]
    assert after_id(page["next_cursor"]) == ids[1]
    assert page_of(rows, ids, 3)["next_cursor"] is None
    assert page_of([], [], 3) == {"items": [], "next_cursor": None}
    assert after_id(None) is None


def test_ids_are_version_7_and_rise_with_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {"specified in RFC 4122"}
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)


def test_secrets() -> None:
    assert len(new_secret()) == 43
    assert new_secret() != new_secret()


@pytest.mark.parametrize("cursor", ["!", "abc", "bm90LWEtdXVpZA", "=", "é"])
def test_cursors_nobody_gave(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        after_id(cursor)
    assert refused.value.code == "cursor_malformed"
