"""The audit finds nothing in a right day, and finds each planted breach under its own rule."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from app.settlement import calculation
from app.settlement.inputs import RULE, LineInputs, QuotedPart
from scripts.simulate.audit import RULES, audit
from scripts.simulate.facts import Facts
from scripts.simulate.notebook import FeedSighting, Notebook

NOW = datetime(2026, 7, 5, 2, 0, tzinfo=UTC)
PROVIDER, CAREGIVER, OTHER = "p-1", "c-1", "c-2"


def order(number: int, **changes: Any) -> dict[str, Any]:
    """A closed order as the door answers it."""
    return {
        "id": f"o-{number}", "number": f"26063000000{number}", "status": "closed", "outcome": "done", "flags": [],
        "care_request_id": f"r-{number}", "window": {"from": "2026-06-30T01:00:00+00:00", "to": None}, "minutes": 60,
        "provider": {"id": PROVIDER, "name": "甲"}, "caregiver": {"id": CAREGIVER, "name": "乙"}, "price_fen": 5000,
        "copay_fen": 1000, "rating": 5, "deadlines": [], "urgency": "normal",
        "payers": [
            {"payer": "government", "scheme": "g", "amount_fen": 4000},
            {"payer": "family", "scheme": None, "amount_fen": 1000},
        ],
        **changes,
    }  # fmt: skip


def history(*states: str, reason: str | None = None) -> list[dict[str, Any]]:
    before: list[str | None] = [None, *states[:-1]]
    return [
        {"seq": n, "before": b, "after": a, "reason": reason if n == len(states) else None}
        for n, (b, a) in enumerate(zip(before, states, strict=True), start=1)
    ]


PATH = ("placed", "dispatched", "accepted", "assigned", "in_service", "completed", "closed")


def visit(number: int, begin: str, end: str, caregiver: str = CAREGIVER) -> dict[str, Any]:
    return {
        "order_id": f"o-{number}", "order_number": f"26063000000{number}", "caregiver_id": caregiver,
        "status": "ended", "verification": "verified",
        "begin": {"at": f"2026-06-30T{begin}:00+00:00"}, "end": {"at": f"2026-06-30T{end}:00+00:00"},
    }  # fmt: skip


def line(number: int) -> tuple[LineInputs, dict[str, Any]]:
    inputs = LineInputs(
        rule=RULE, order_id=f"o-{number}", number=f"26063000000{number}", item_code="clean_home",
        service_day="2026-06-30", outcome="done", verification="verified", actual_minutes=61, planned_minutes=60,
        rounding_minutes=30, min_minutes=30, billable_minutes=60, price_version_id="v", price_fen=5000, per_minutes=60,
        quoted_fen=5000, payers=(QuotedPart("government", "g", 4000), QuotedPart("family", None, 1000)),
        contract_id="k", rating=5, coefficient_bp=10_000, late_minutes=0, penalties=(), partly_visit_bp=5000,
        holdback_bp=500,
    )  # fmt: skip
    amounts = calculation.amounts_json(calculation.line(inputs))
    kept = {"kind": "service", "order_id": inputs.order_id, "position": number, "inputs": inputs.as_json()}
    return inputs, kept | amounts


def statement() -> dict[str, Any]:
    inputs, kept = line(1)
    content = calculation.content(PROVIDER, "2026-06", [(inputs, calculation.line(inputs))])
    return {
        "id": "s-1", "number": "JS202606-0001", "provider_id": PROVIDER, "period": "2026-06", "status": "paid",
        "paid_fen": kept["due_fen"], "due_fen": kept["due_fen"], "lines": 1, "items": [kept],
        "content_hash": calculation.digest(content).hex(),
    }  # fmt: skip


def offer(starts: str, caregiver: str = CAREGIVER) -> dict[str, Any]:
    return {"starts_at": f"2026-06-30T{starts}:00+00:00", "caregiver_id": caregiver}


@pytest.fixture
def right() -> Facts:
    """Two orders: one served and paid, one cancelled by the family."""
    book = Notebook()
    for number in (1, 2):
        wish = book.wish("hotline", "service", f"e-{number}", "clean_home", "normal")
        wish.acknowledged, wish.order_id, wish.request_id = True, f"o-{number}", f"r-{number}"
    book.accepted = {"o-1": offer("01:00"), "o-2": offer("02:30")}
    seen = [FeedSighting(str(n), n, "order.assigned", "o-1") for n in (1, 2, 3)]
    book.feeds = {PROVIDER: list(seen)}
    due = statement()["due_fen"]
    return Facts(
        now=NOW,
        book=book,
        orders=[order(1), order(2, status="cancelled", outcome=None, caregiver=None)],
        histories={"o-1": history(*PATH), "o-2": history("placed", "cancelled", reason="elder_out")},
        requests=[{"id": f"r-{n}", "note": book.wishes[n - 1].mark} for n in (1, 2)],
        visits=[visit(1, "01:02", "02:03")],
        followups=[{"order_id": "o-1", "status": "closed", "outcome": "reached"}],
        statements=[statement()],
        recomputations={"s-1": {"same": True}},
        accounts=[
            {"code": "payer:government:g", "kind": "payer", "debit_fen": due, "credit_fen": 0, "balance_fen": due},
            {"code": f"provider:{PROVIDER}", "kind": "provider", "debit_fen": due, "credit_fen": due, "balance_fen": 0},
            {"code": "bank", "kind": "bank", "debit_fen": 0, "credit_fen": due, "balance_fen": -due},
        ],
        feeds={PROVIDER: [*seen, FeedSighting("4", 4, "statement.issued", None)]},
    )


def test_a_right_day_has_no_breaches(right: Facts) -> None:
    assert {rule: broken for rule, broken in audit(right).items() if broken} == {}


def _lose_an_order(f: Facts) -> None:
    f.orders.pop(0)


def _lose_a_request(f: Facts) -> None:
    f.requests.pop(0)


def _repeat_an_order(f: Facts) -> None:
    f.orders.append(deepcopy(f.orders[0]))


def _two_orders_of_one_request(f: Facts) -> None:
    f.orders.append(order(3, care_request_id="r-1"))
    f.histories["o-3"] = history(*PATH)


def _two_requests_of_one_wish(f: Facts) -> None:
    f.requests.append({"id": "r-3", "note": f.book.wishes[0].mark})


def _cancel_without_reason(f: Facts) -> None:
    f.histories["o-2"][-1]["reason"] = None


def _leave_an_order_waiting(f: Facts) -> None:
    f.orders[0]["status"] = "assigned"
    f.histories["o-1"] = history(*PATH[:4])


def _forget_the_follow_up(f: Facts) -> None:
    f.orders[0]["status"] = "completed"
    f.histories["o-1"] = history(*PATH[:6])


def _skip_a_state(f: Facts) -> None:
    f.histories["o-1"] = history("placed", "dispatched", "in_service", "completed", "closed")


def _break_the_chain(f: Facts) -> None:
    f.histories["o-1"][3]["before"] = "dispatched"


def _end_elsewhere(f: Facts) -> None:
    f.histories["o-1"].pop()


def _plan_a_caregiver_twice(f: Facts) -> None:
    f.orders.append(order(3))
    f.histories["o-3"] = history(*PATH)
    f.book.accepted["o-3"] = offer("01:30")


def _send_a_caregiver_twice(f: Facts) -> None:
    f.visits.append(visit(3, "02:00", "03:00"))


def _lose_a_fen(f: Facts) -> None:
    f.orders[0]["payers"][0]["amount_fen"] -= 1


def _blur_the_copay(f: Facts) -> None:
    f.orders[0]["copay_fen"] += 1


def _unbalance_the_ledger(f: Facts) -> None:
    f.accounts[0]["debit_fen"] += 1
    f.accounts[0]["balance_fen"] += 1


def _pay_more_than_stated(f: Facts) -> None:
    f.statements[0]["paid_fen"] -= 1


def _settle_twice(f: Facts) -> None:
    again = deepcopy(f.statements[0]) | {"id": "s-2", "paid_fen": 0}
    f.statements.append(again)
    f.recomputations["s-2"] = {"same": True}


def _settle_an_unproven_visit(f: Facts) -> None:
    f.visits[0]["verification"] = "review"


def _leave_unsettled_without_reason(f: Facts) -> None:
    f.unsettled.append({"number": "x", "reasons": []})


def _change_an_amount(f: Facts) -> None:
    f.statements[0]["items"][0]["due_fen"] += 1


def _change_an_input(f: Facts) -> None:
    f.statements[0]["items"][0]["inputs"]["billable_minutes"] = 90


def _recompute_otherwise(f: Facts) -> None:
    f.recomputations["s-1"] = {"same": False}


def _skip_a_feed_entry(f: Facts) -> None:
    f.book.feeds[PROVIDER].pop(1)


def _forget_a_feed_entry(f: Facts) -> None:
    f.feeds[PROVIDER].pop(1)


def _repeat_a_feed_entry(f: Facts) -> None:
    f.feeds[PROVIDER].append(f.feeds[PROVIDER][-1])


def _meet_an_unexpected_answer(f: Facts) -> None:
    f.book.failures.append("500 from POST /v1/orders")


ONCE, EXPLAINED, PATHS, PLACES, PAYERS, LEDGER, SETTLED, RECOMPUTED, FEEDS, EXPECTED = RULES

PLANTED: list[tuple[Callable[[Facts], None], str]] = [
    (_lose_an_order, ONCE), (_lose_a_request, ONCE), (_repeat_an_order, ONCE), (_two_orders_of_one_request, ONCE),
    (_two_requests_of_one_wish, ONCE), (_cancel_without_reason, EXPLAINED), (_leave_an_order_waiting, EXPLAINED),
    (_forget_the_follow_up, EXPLAINED), (_skip_a_state, PATHS), (_break_the_chain, PATHS), (_end_elsewhere, PATHS),
    (_plan_a_caregiver_twice, PLACES), (_send_a_caregiver_twice, PLACES), (_lose_a_fen, PAYERS),
    (_blur_the_copay, PAYERS), (_unbalance_the_ledger, LEDGER), (_pay_more_than_stated, LEDGER),
    (_settle_twice, SETTLED), (_settle_an_unproven_visit, SETTLED), (_leave_unsettled_without_reason, SETTLED),
    (_change_an_amount, RECOMPUTED), (_change_an_input, RECOMPUTED), (_recompute_otherwise, RECOMPUTED),
    (_skip_a_feed_entry, FEEDS), (_forget_a_feed_entry, FEEDS), (_repeat_a_feed_entry, FEEDS),
    (_meet_an_unexpected_answer, EXPECTED),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "rule"), PLANTED, ids=[plant.__name__.strip("_") for plant, _ in PLANTED])
def test_a_planted_breach_is_found(right: Facts, plant: Callable[[Facts], None], rule: str) -> None:
    plant(right)
    assert audit(right)[rule]


def test_every_rule_has_a_planted_breach() -> None:
    assert {rule for _, rule in PLANTED} == set(RULES)


def test_an_order_for_tomorrow_and_a_held_one_are_explained(right: Facts) -> None:
    tomorrow = {"from": "2026-07-06T01:00:00+00:00", "to": None}
    right.orders += [
        order(3, status="assigned", window=tomorrow, care_request_id="r-3"),
        order(4, status="dispatched", flags=["suspended"], care_request_id="r-4"),
    ]
    right.histories |= {"o-3": history(*PATH[:4]), "o-4": history("placed", "dispatched")}
    assert not audit(right)[EXPLAINED]
