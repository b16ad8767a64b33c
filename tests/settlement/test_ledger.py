"""Postings: what a line moves. Every movement has two accounts, so sums over all accounts are zero."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.settlement import calculation
from app.settlement.calculation import PartAmounts
from app.settlement.inputs import LineInputs
from app.settlement.ledger import Posting, holdback_account, payer_account, postings, provider_account
from tests.settlement.test_calculation import HOUR, inputs


def balances(moved: list[Posting]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for posting in moved:
        found[posting.debit] += posting.amount_fen
        found[posting.credit] -= posting.amount_fen
    return dict(found)


def test_an_hour() -> None:
    amount = calculation.line(replace(HOUR, holdback_bp=500))
    assert postings("p", "service", amount.parts) == [
        Posting("payer:government:home_care", "provider:p", 5700, "service"),
        Posting("payer:government:home_care", "holdback:p", 300, "service"),
        Posting("payer:family", "provider:p", 2000, "copay"),
        Posting("provider:p", "payer:family", 2000, "copay"),
    ]


def test_a_negative_part_goes_the_other_way() -> None:
    part = PartAmounts("government", "s", 0, -100, -5)
    assert postings("p", "adjustment", [part]) == [
        Posting("provider:p", "payer:government:s", 95, "adjustment"),
        Posting("holdback:p", "payer:government:s", 5, "adjustment"),
    ]


def test_carried_amounts_move_nothing_and_released_holdbacks_leave_their_account() -> None:
    assert postings("p", "adjustment", [PartAmounts("carried", None, 0, -70, 0)]) == []
    assert postings("p", "adjustment", [PartAmounts("holdback", None, 0, 70, 0)]) == [
        Posting("holdback:p", "provider:p", 70, "adjustment")
    ]


@given(inputs())
def test_the_ledger_owes_the_provider_what_the_line_says(entry: LineInputs) -> None:
    amount = calculation.line(entry)
    moved = postings("p", "service", amount.parts)
    found = balances(moved)
    assert sum(found.values()) == 0
    assert all(posting.amount_fen > 0 and posting.debit != posting.credit for posting in moved)
    assert -found.get(provider_account("p"), 0) == amount.due_fen
    assert -found.get(holdback_account("p"), 0) == amount.holdback_fen
    assert found.get(payer_account("family", None), 0) == 0


fen = st.integers(-10_000, 10_000)


@given(st.lists(st.builds(PartAmounts, st.just("government"), st.sampled_from(["a", "b"]), st.just(0), fen, fen)))
def test_parts_of_one_payer_become_one_movement_per_direction(parts: list[PartAmounts]) -> None:
    moved = postings("p", "adjustment", parts)
    accounts = [(posting.debit, posting.credit, posting.reason) for posting in moved]
    assert len(set(accounts)) == len(accounts)
    found = balances(moved)
    assert sum(found.values()) == 0
    assert -found.get(provider_account("p"), 0) == sum(part.payable_fen - part.holdback_fen for part in parts)
