from __future__ import annotations

from itertools import product

import pytest

from app.core.errors import Conflict
from app.settlement.lifecycle import CLOSED, MOVES, TERMINAL, Act, Status, after, next_acts

ALLOWED = {
    "draft": {"refresh": "draft", "empty": "void", "issue": "issued"},
    "issued": {"confirm": "confirmed", "dispute": "disputed", "review": "reviewed"},
    "confirmed": {"review": "reviewed"},
    "disputed": {"dispute": "disputed", "review": "reviewed"},
    "reviewed": {"approve": "approved"},
    "approved": {"pay": "paid"},
    "paid": {},
    "void": {},
}


@pytest.mark.parametrize(("status", "act"), list(product(Status, Act)))
def test_every_pair_of_status_and_act(status: Status, act: Act) -> None:
    expected = ALLOWED[status].get(act)
    if expected is None:
        with pytest.raises(Conflict) as refused:
            after(status, act)
        assert refused.value.code == "statement_state"
        assert refused.value.facts["status"] == status
    else:
        assert after(status, act) == expected


def test_payment_needs_review_and_approval_on_every_way() -> None:
    def ways(status: Status, seen: tuple[Act, ...]) -> list[tuple[Act, ...]]:
        if status in TERMINAL:
            return [seen] if status is Status.PAID else []
        found = []
        for act in next_acts(status):
            to = MOVES[status, act]
            if to is not status:
                found += ways(to, (*seen, act))
        return found

    all_ways = ways(Status.DRAFT, ())
    assert all_ways
    assert all(way[-3:] == (Act.REVIEW, Act.APPROVE, Act.PAY) for way in all_ways)


def test_a_closed_statement_never_becomes_a_draft_again() -> None:
    assert all(MOVES[status, act] in CLOSED for status, act in MOVES if status in CLOSED)
