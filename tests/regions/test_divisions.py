"""Division codes are text with a tree inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.regions.divisions import covers, covers_any, lineage, prefix_of, scope_ranges

CODES = st.builds(
    lambda groups, length: "".join(groups)[:length],
    st.tuples(
        *(st.sampled_from(["00", "01", "62", "99"]) for _ in range(3)),
        *(st.sampled_from(["000", "001", "100", "999"]) for _ in range(2)),
    ),
    st.sampled_from([6, 9, 12]),
)


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        ("000000", ""),
        ("620000", "62"),
        ("620300", "6203"),
        ("620302", "620302"),
        ("620302001", "620302001"),
        ("620302001000", "620302001"),
        ("620300000000", "6203"),
        ("469001", "469001"),
    ],
)
def test_a_prefix_drops_the_groups_that_mean_the_whole(code: str, prefix: str) -> None:
    assert prefix_of(code) == prefix


@pytest.mark.parametrize("code", ["", "62", "62030", "6203020010", "62030x", "６２０３０２", "-20300"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not a division code"):
        prefix_of(code)


def test_lineage_goes_from_the_community_to_the_country() -> None:
    assert lineage("620302001001") == ["620302001001", "620302001", "620302", "620300", "620000", "000000"]
    assert lineage("620300") == ["620300", "620000", "000000"]
    assert lineage("000000") == ["000000"]


@given(CODES)
def test_everything_in_a_lineage_covers_the_code(code: str) -> None:
    assert all(covers(ancestor, code) for ancestor in lineage(code))


@given(CODES, CODES, CODES)
def test_covering_is_a_partial_order(one: str, two: str, three: str) -> None:
    assert covers(one, one)
    if covers(one, two) and covers(two, three):
        assert covers(one, three)
    if covers(one, two) and covers(two, one):
        assert prefix_of(one) == prefix_of(two)


@given(st.lists(CODES, max_size=5), CODES)
def test_ranges_hold_exactly_what_the_scopes_cover(scopes: list[str], code: str) -> None:
    ranges = scope_ranges(scopes)
    hits = [low <= code < high for low, high in ranges]
    assert any(hits) == covers_any(scopes, code)
    assert sum(hits) <= 1
    assert ranges == sorted(ranges)


def test_no_scope_sees_nothing() -> None:
    assert scope_ranges([]) == []
    assert not covers_any([], "620302")
