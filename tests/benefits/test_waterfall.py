"""The waterfall: parts always add up, quotas are never passed, splitting an order gains nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.benefits import waterfall
from app.benefits.waterfall import Source, divide

amounts = st.integers(0, 10**9)
shares = st.integers(1, 10_000)
sources = st.builds(
    Source,
    share_bp=shares,
    left_fen=st.integers(-100, 10**8),
    refusal=st.sampled_from([None, None, None, waterfall.NO_ASSESSMENT, waterfall.NOT_COVERED]),
)


@pytest.mark.parametrize(
    ("amount", "source", "paid", "reason"),
    [
        (10_000, Source(8000, 20_000), 8000, waterfall.FULL),
        (10_001, Source(8000, 20_000), 8001, waterfall.FULL),  # 8000.8 rounds up
        (10_002, Source(5000, 20_000), 5001, waterfall.FULL),
        (3, Source(5000, 20_000), 2, waterfall.FULL),  # half a fen up
        (10_000, Source(8000, 8000), 8000, waterfall.FULL),
        (10_000, Source(8000, 7999), 7999, waterfall.QUOTA_LOW),
        (10_000, Source(8000, 0), 0, waterfall.QUOTA_GONE),
        (10_000, Source(8000, -5), 0, waterfall.QUOTA_GONE),
        (10_000, Source(8000, 20_000, waterfall.NO_ASSESSMENT), 0, waterfall.NO_ASSESSMENT),
        (0, Source(8000, 0), 0, waterfall.FULL),
        (10_000, Source(10_000, 20_000), 10_000, waterfall.FULL),
    ],
)
def test_one_payer(amount: int, source: Source, paid: int, reason: str) -> None:
    (share,), rest = divide(amount, [source])
    assert (share.amount_fen, share.reason, rest) == (paid, reason, amount - paid)


def test_the_second_payer_gets_what_the_first_left() -> None:
    parts, rest = divide(10_000, [Source(8000, 6000), Source(5000, 20_000), Source(9000, 20_000)])
    assert [part.amount_fen for part in parts] == [6000, 4000, 0]
    assert rest == 0


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        divide(-1, [])


@given(amount=amounts, payers=st.lists(sources, max_size=5))
@settings(max_examples=400)
def test_parts_add_up_and_keep_within_bounds(amount: int, payers: list[Source]) -> None:
    parts, rest = divide(amount, payers)
    assert sum(part.amount_fen for part in parts) + rest == amount
    assert rest >= 0
    for part, source in zip(parts, payers, strict=True):
        assert 0 <= part.amount_fen <= max(source.left_fen, 0)
        assert 2 * 10_000 * part.amount_fen <= 2 * amount * source.share_bp + 10_000  # never above its share
        assert source.refusal is None or part == waterfall.Share(0, source.refusal)


@given(first=amounts, second=amounts, share_bp=shares, left=st.integers(0, 10**9))
@settings(max_examples=400)
def test_an_order_in_two_costs_each_payer_the_same_give_or_take_a_fen(
    first: int, second: int, share_bp: int, left: int
) -> None:
    (whole,), whole_rest = divide(first + second, [Source(share_bp, left)])
    (one,), one_rest = divide(first, [Source(share_bp, left)])
    (two,), two_rest = divide(second, [Source(share_bp, left - one.amount_fen)])
    assert abs(one.amount_fen + two.amount_fen - whole.amount_fen) <= 1
    assert abs(one_rest + two_rest - whole_rest) <= 1


@given(amount=amounts, share_bp=shares, left=st.integers(0, 10**8), more=st.integers(0, 10**8))
def test_more_quota_never_costs_the_family_more(amount: int, share_bp: int, left: int, more: int) -> None:
    _, before = divide(amount, [Source(share_bp, left)])
    _, after = divide(amount, [Source(share_bp, left + more)])
    assert after <= before


@given(amount=amounts, more=amounts, share_bp=shares, left=st.integers(0, 10**9))
@settings(deadline=timedelta(seconds=1))
def test_a_dearer_order_never_costs_anybody_less(amount: int, more: int, share_bp: int, left: int) -> None:
    (cheap,), cheap_rest = divide(amount, [Source(share_bp, left)])
    (dear,), dear_rest = divide(amount + more, [Source(share_bp, left)])
    assert dear.amount_fen >= cheap.amount_fen
    assert dear_rest >= cheap_rest
