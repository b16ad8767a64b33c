"""The life of a payment, and what the database itself refuses."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from app.core import clock
from app.core.ids import new_id
from app.core.sqlstate import constraint_of
from app.selfpay.lifecycle import MOVES, RECEIVED, Owed, Review, Status, may_move, received
from tests.selfpay import peer
from tests.selfpay.conftest import Bench

OWED = Owed(amount_fen=500, cancelled=False, paid_already=False)


@pytest.mark.parametrize(
    ("before", "amount", "owed", "refunded", "after"),
    [
        (Status.PREPARED, 500, OWED, False, (Status.PAID, None)),
        (Status.CLOSED, 500, OWED, False, (Status.PAID, Review.PAID_AFTER_CLOSING)),
        (Status.PREPARED, 400, OWED, False, (Status.PAID, Review.AMOUNT_CHANGED)),
        (Status.PREPARED, 500, OWED, True, (Status.PAID, Review.REFUNDED_ELSEWHERE)),
        (Status.PREPARED, 500, Owed(500, True, False), False, (Status.PAID, Review.ORDER_CANCELLED)),
        (Status.PREPARED, 500, Owed(500, True, True), True, (Status.SURPLUS, Review.PAID_TWICE)),
        (Status.CLOSED, 500, Owed(500, False, True), False, (Status.SURPLUS, Review.PAID_TWICE)),
    ],
)
def test_where_money_goes(before: Status, amount: int, owed: Owed, refunded: bool, after: Any) -> None:
    assert received(before, amount, owed, refunded=refunded) == after
    assert may_move(before, after[0])


def test_money_never_becomes_no_money() -> None:
    assert set(MOVES) == set(Status)
    assert all(MOVES[status] <= RECEIVED for status in RECEIVED)


CONTROL: dict[str, Any] = {"status": "prepared", "way": "native", "amount_fen": 500}
NOW = clock.now()
MONEY = {"transaction_id": "4200000000000000000000000001", "paid_at": NOW}
LOOKED = {"reviewed_by": "staff:1", "reviewed_at": NOW, "review_reason": "已退款"}
REFUSED = [
    ("ck_payment_amount", {"amount_fen": 0}),
    ("ck_payment_status", {"status": "lost"}),
    ("ck_payment_way", {"way": "cash"}),
    ("ck_payment_payer", {"way": "jsapi"}),
    ("ck_payment_payer_whole", {"way": "jsapi", "payer": b"x"}),
    ("ck_payment_money", {"status": "paid"}),
    ("ck_payment_money", MONEY),
    ("ck_payment_paid_at", {"paid_at": NOW}),
    ("ck_payment_closed_at", {"status": "closed"}),
    ("ck_payment_reviewed", {"reviewed_by": "staff:1"}),
    ("ck_payment_refund_by_somebody", {"status": "refund_noted", **MONEY}),
]


async def put(bench: Bench, **values: Any) -> None:
    whole = {
        "id": new_id(), "order_id": bench.order_id, "merchant": peer.NAME, "out_trade_no": uuid4().hex,
        "prepared_at": NOW, "expires_at": NOW, "ask_at": NOW, "asks": 0, **CONTROL, **values,
    }  # fmt: skip
    names = ", ".join(whole)
    places = ", ".join(f"${number}" for number in range(1, len(whole) + 1))
    async with bench.database.transaction() as tx:
        await tx.run(f"INSERT INTO payment ({names}) VALUES ({places})", *whole.values())


async def refusal(bench: Bench, **values: Any) -> str | None:
    try:
        await put(bench, **values)
    except Exception as failure:
        return constraint_of(failure)
    return None


async def test_the_database_refuses_what_cannot_be(bench: Bench) -> None:
    for constraint, values in REFUSED:
        assert await refusal(bench, **values) == constraint, values
    assert await bench.payments() == []
    paid = {"status": "paid", **MONEY}
    refunded = {"status": "refund_noted", **MONEY, **LOOKED, "transaction_id": "42009"}
    assert await refusal(bench, out_trade_no="1", **paid) is None, "the control"
    assert await refusal(bench, **refunded) is None
    assert await refusal(bench) is None
    assert await refusal(bench, **paid | {"transaction_id": "42001"}) == "uq_payment_paid"
    assert await refusal(bench) == "uq_payment_prepared"
    surplus = {"status": "surplus", **MONEY}
    assert await refusal(bench, **surplus) == "uq_payment_transaction_id"
    closed = {"status": "closed", "closed_at": NOW}
    assert await refusal(bench, out_trade_no="1", **closed) == "uq_payment_out_trade_no"
    assert await refusal(bench, **surplus | {"transaction_id": "42002"}) is None
