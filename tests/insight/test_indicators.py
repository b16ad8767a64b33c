"""The table, and how figures are made of counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.insight.indicators import BY_CODE, INDICATORS, About, Unit, added, figure, figures
from app.insight.queries import CONDITIONS

pairs = st.integers(0, 1000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))
tallies = st.lists(st.dictionaries(st.sampled_from(sorted(BY_CODE)), pairs), max_size=6)


def test_every_indicator_of_orders_can_be_counted_and_listed() -> None:
    assert {one.code for one in INDICATORS if one.about is About.ORDERS} == CONDITIONS.keys()
    assert len(BY_CODE) == len(INDICATORS)


def test_every_share_says_what_of_what_and_whence() -> None:
    for one in INDICATORS:
        assert one.part
        assert one.source
        assert (one.whole is not None) == (one.unit in {Unit.SHARE, Unit.MINUTES})


@given(tallies)
def test_sums_add_up_whatever_the_parts(parts: list[dict[str, tuple[int, int]]]) -> None:
    total = added(parts)
    for code in BY_CODE:
        assert total.get(code, (0, 0))[0] == sum(one.get(code, (0, 0))[0] for one in parts)
        assert total.get(code, (0, 0))[1] == sum(one.get(code, (0, 0))[1] for one in parts)
    assert added([total]) == total
    for one in figures(total):
        if one.indicator.unit is Unit.SHARE and one.value is not None:
            assert one.low is not None
            assert one.high is not None
            assert one.low <= one.value <= one.high
            assert one.enough == (one.whole >= 5)


def test_too_few_are_not_judged_and_nothing_is_no_share() -> None:
    done = BY_CODE["done"]
    assert not figure(done, {"done": (4, 4)}).enough
    assert figure(done, {"done": (5, 5)}).enough
    nothing = figure(done, {})
    assert (nothing.value, nothing.low, nothing.enough) == (None, None, False)
    assert figure(BY_CODE["accept_minutes"], {"accept_minutes": (900, 3)}).value == 5.0
