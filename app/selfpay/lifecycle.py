"""A payment's life as a table. Pure.

    prepared ─▶ paid ─▶ refund_noted
       │  └───▶ surplus ──▲
       ▼          ▲
    closed ───────┴─▶ paid   (money that came in after all)

`paid` is the one payment an order needs, `surplus` any further one: the money is here and has to go back. What a
person has to look at is said beside the status (`Review`), because the money came in all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    PREPARED = "prepared"
    PAID = "paid"
    SURPLUS = "surplus"
    CLOSED = "closed"
    REFUND_NOTED = "refund_noted"


class Review(StrEnum):
    """Why a person has to look."""

    ORDER_CANCELLED = "order_cancelled"
    AMOUNT_CHANGED = "amount_changed"
    PAID_TWICE = "paid_twice"
    PAID_AFTER_CLOSING = "paid_after_closing"
    REFUNDED_ELSEWHERE = "refunded_elsewhere"
    NOTICE_DIFFERS = "notice_differs"


class Way(StrEnum):
    """Where it is paid: on a page inside WeChat, or by scanning a code."""

    JSAPI = "jsapi"
    NATIVE = "native"


S = Status

MOVES: dict[Status, frozenset[Status]] = {
    S.PREPARED: frozenset({S.PAID, S.SURPLUS, S.CLOSED}),
    S.PAID: frozenset({S.REFUND_NOTED}),
    S.SURPLUS: frozenset({S.REFUND_NOTED}),
    S.CLOSED: frozenset({S.PAID, S.SURPLUS}),
    S.REFUND_NOTED: frozenset(),
}

RECEIVED = frozenset({S.PAID, S.SURPLUS, S.REFUND_NOTED})
"""The money came in, whatever became of it."""


def may_move(before: Status, after: Status) -> bool:
    return after in MOVES[before]


@dataclass(frozen=True, slots=True)
class Owed:
    """What the order says when the money arrives."""

    amount_fen: int
    cancelled: bool
    paid_already: bool


def received(before: Status, amount_fen: int, owed: Owed, *, refunded: bool) -> tuple[Status, Review | None]:
    """Where a payment goes whose money came in, and why a person should look, if one should.

    The first reason that holds is named: each of them asks the person for the same look at order and payment.
    """
    if owed.paid_already:
        return S.SURPLUS, Review.PAID_TWICE
    reasons = (
        (refunded, Review.REFUNDED_ELSEWHERE),
        (owed.cancelled, Review.ORDER_CANCELLED),
        (owed.amount_fen != amount_fen, Review.AMOUNT_CHANGED),
        (before is S.CLOSED, Review.PAID_AFTER_CLOSING),
    )
    return S.PAID, next((reason for holds, reason in reasons if holds), None)
