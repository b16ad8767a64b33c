"""From inputs to fen: a table of cases worked out by hand, and properties over all inputs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.json import canonical, loads
from app.settlement import calculation
from app.settlement.inputs import (
    AdjustedPart,
    AdjustmentInputs,
    LineInputs,
    PenaltyItem,
    QuotedPart,
    read,
)

PURCHASE = QuotedPart("government", "home_care", 6000)
COPAY = QuotedPart("family", None, 2000)

HOUR = LineInputs(
    rule="1",
    order_id="00000000-0000-7000-8000-000000000001",
    number="20260901-0001",
    item_code="bath",
    service_day="2026-09-01",
    outcome="done",
    verification="verified",
    actual_minutes=60,
    planned_minutes=60,
    rounding_minutes=15,
    min_minutes=30,
    billable_minutes=60,
    price_version_id="22222222-2222-7222-8222-222222222222",
    price_fen=8000,
    per_minutes=60,
    quoted_fen=8000,
    payers=(PURCHASE, COPAY),
    contract_id="33333333-3333-7333-8333-333333333333",
    rating=5,
    coefficient_bp=10_000,
    late_minutes=0,
    penalties=(),
    partly_visit_bp=5_000,
    holdback_bp=0,
)

# name, changed inputs, gross, quality, penalty, payable, copay, holdback, due: worked out on paper
CASES = [
    ("whole hour", {}, 8000, 0, 0, 8000, 2000, 0, 6000),
    ("45 of 60 minutes", {"billable_minutes": 45}, 6000, 0, 0, 6000, 1500, 0, 4500),
    ("nothing billable", {"billable_minutes": 0}, 0, 0, 0, 0, 0, 0, 0),
    ("rated 3: agency pays 90 %", {"coefficient_bp": 9_000}, 8000, 600, 0, 7400, 2000, 0, 5400),
    ("late: 10 % of the agency's gross", {"penalties": (PenaltyItem("late_arrival", 1_000),)},
     8000, 0, 600, 7400, 2000, 0, 5400),
    ("penalty never below zero", {"coefficient_bp": 1_000, "penalties": (PenaltyItem("complaint_upheld", 10_000),)},
     8000, 5400, 600, 2000, 2000, 0, 0),
    ("5 % held back", {"holdback_bp": 500}, 8000, 0, 0, 8000, 2000, 300, 5700),
    ("all family: rating and penalty touch nothing",
     {"payers": (replace(COPAY, amount_fen=8000),), "coefficient_bp": 0,
      "penalties": (PenaltyItem("late_arrival", 1),)},
     8000, 0, 0, 8000, 8000, 0, 0),
    ("per visit, half done", {"per_minutes": None, "outcome": "partly"}, 4000, 0, 0, 4000, 1000, 0, 3000),
    ("per minute, partly: the minutes say it already", {"outcome": "partly", "billable_minutes": 30},
     4000, 0, 0, 4000, 1000, 0, 3000),
    ("rework is free", {"quoted_fen": 0, "payers": ()}, 0, 0, 0, 0, 0, 0, 0),
    ("a dearer price today does not pass the quote", {"price_fen": 9000}, 8000, 0, 0, 8000, 2000, 0, 6000),
    ("the odd fen goes to the larger remainder", {"billable_minutes": 1}, 133, 0, 0, 133, 33, 0, 100),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "expected"), [(c[1], c[2:]) for c in CASES], ids=[c[0] for c in CASES])
def test_line_as_worked_out_by_hand(changed: dict, expected: tuple[int, ...]) -> None:
    amount = calculation.line(replace(HOUR, **changed))
    found = (
        amount.gross_fen, amount.quality_fen, amount.penalty_fen, amount.payable_fen,
        amount.copay_fen, amount.holdback_fen, amount.due_fen,
    )  # fmt: skip
    assert found == expected


fen = st.integers(0, 500_000)
bp = st.integers(0, 10_000)


@st.composite
def inputs(draw: st.DrawFn) -> LineInputs:
    agencies = draw(st.lists(fen, max_size=3))
    payers = [QuotedPart("government", f"s{i}", amount) for i, amount in enumerate(agencies)]
    payers.append(QuotedPart("family", None, draw(fen)))
    planned = draw(st.integers(1, 480))
    return replace(
        HOUR,
        number=f"N{draw(st.integers(1, 10**9))}",
        payers=tuple(payers),
        quoted_fen=sum(part.amount_fen for part in payers),
        planned_minutes=planned,
        billable_minutes=draw(st.integers(0, planned)),
        per_minutes=draw(st.sampled_from([None, 30, 60])),
        price_fen=draw(fen),
        outcome=draw(st.sampled_from(["done", "partly"])),
        coefficient_bp=draw(bp),
        penalties=tuple(PenaltyItem("p", figure) for figure in draw(st.lists(bp, max_size=2))),
        holdback_bp=draw(bp),
        partly_visit_bp=draw(bp),
    )


@given(inputs())
def test_nothing_is_lost_between_the_payers(given_inputs: LineInputs) -> None:
    amount = calculation.line(given_inputs)
    assert sum(part.gross_fen for part in amount.parts) == amount.gross_fen
    assert sum(part.payable_fen for part in amount.parts) == amount.payable_fen
    assert sum(part.holdback_fen for part in amount.parts) == amount.holdback_fen
    assert amount.payable_fen == amount.gross_fen - amount.quality_fen - amount.penalty_fen
    assert amount.due_fen == amount.payable_fen - amount.copay_fen - amount.holdback_fen
    assert min(amount.due_fen, amount.quality_fen, amount.penalty_fen, amount.holdback_fen) >= 0


@given(inputs())
def test_no_payer_pays_more_than_was_quoted(given_inputs: LineInputs) -> None:
    amount = calculation.line(given_inputs)
    for quoted, part in zip(given_inputs.payers, amount.parts, strict=True):
        assert 0 <= part.holdback_fen <= part.payable_fen <= part.gross_fen <= quoted.amount_fen


@given(inputs(), bp)
def test_the_family_pays_for_minutes_whatever_the_rating(given_inputs: LineInputs, coefficient: int) -> None:
    other = replace(given_inputs, coefficient_bp=coefficient, penalties=())
    assert calculation.line(other).copay_fen == calculation.line(given_inputs).copay_fen


@given(inputs(), st.lists(bp, min_size=2, max_size=5))
def test_a_better_rating_never_pays_less(given_inputs: LineInputs, figures: list[int]) -> None:
    due = [calculation.line(replace(given_inputs, coefficient_bp=f)).due_fen for f in sorted(figures)]
    assert all(low <= high for low, high in pairwise(due))


@given(inputs())
def test_two_half_orders_cost_what_one_costs(given_inputs: LineInputs) -> None:
    """Splitting an order moves at most a fen per payer and half."""
    whole = replace(given_inputs, coefficient_bp=10_000, penalties=(), holdback_bp=0, per_minutes=60,
                    billable_minutes=given_inputs.billable_minutes // 2 * 2)  # fmt: skip
    half = replace(whole, billable_minutes=whole.billable_minutes // 2)
    one, two = calculation.line(whole), calculation.line(half)
    if one.gross_fen < whole.quoted_fen:
        for part, double in zip(one.parts, two.parts, strict=True):
            assert abs(part.gross_fen - 2 * double.gross_fen) <= 3


@given(inputs())
def test_frozen_inputs_read_back_give_the_same_bytes(given_inputs: LineInputs) -> None:
    stored = loads(canonical(given_inputs.as_json()))
    again = read("service", stored)
    assert again == given_inputs
    before = calculation.content("p", "2026-09", [(given_inputs, calculation.line(given_inputs))])
    assert calculation.content("p", "2026-09", [(again, calculation.line(again))]) == before  # type: ignore[arg-type]


@given(st.lists(inputs(), max_size=5, unique_by=lambda i: i.number), st.randoms())
def test_the_bytes_do_not_depend_on_the_order_of_work(lines: list[LineInputs], random: object) -> None:
    done = [(entry, calculation.line(entry)) for entry in lines]
    shuffled = list(done)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert calculation.content("p", "2026-09", shuffled) == calculation.content("p", "2026-09", done)


def test_another_input_gives_another_hash() -> None:
    def hash_of(entry: LineInputs) -> bytes:
        return calculation.digest(calculation.content("p", "2026-09", [(entry, calculation.line(entry))]))

    assert hash_of(HOUR) != hash_of(replace(HOUR, late_minutes=1))


@given(inputs(), bp, bp)
def test_a_later_rating_adjusts_to_exactly_the_new_amount(given_inputs: LineInputs, second: int, third: int) -> None:
    """Line + adjustment of the second rating + adjustment of the third = a line rated the third way."""
    paid = [calculation.line(given_inputs)]
    for coefficient in (second, third):
        new = calculation.line(replace(given_inputs, coefficient_bp=coefficient))
        parts = calculation.difference(new, paid)
        adjusted = tuple(AdjustedPart(p.payer, p.scheme, p.payable_fen, p.holdback_fen) for p in parts)
        assert all(part.payer != "family" for part in parts)
        paid.append(
            calculation.adjustment(AdjustmentInputs("1", "a", given_inputs.order_id, "rating", "r", "later", adjusted))
        )
        assert sum(entry.payable_fen for entry in paid) == new.payable_fen
        assert sum(entry.due_fen for entry in paid) == new.due_fen


def test_an_unchanged_rating_needs_no_adjustment() -> None:
    assert calculation.difference(calculation.line(HOUR), [calculation.line(HOUR)]) == ()


@given(st.lists(inputs(), max_size=6))
def test_totals_are_the_sums_the_database_checks(lines: list[LineInputs]) -> None:
    total = calculation.totals([("service", calculation.line(entry)) for entry in lines])
    assert total.payable_fen == total.gross_fen - total.quality_fen - total.penalty_fen + total.adjustment_fen
    assert total.due_fen == total.payable_fen - total.copay_fen - total.holdback_fen
    assert total.lines == len(lines)
