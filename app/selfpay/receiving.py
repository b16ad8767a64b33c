"""Money that came in: by a notice, or by WeChat's answer to our question. Both end in `apply`, once a transaction.

Everybody locks the order first and its payment then, so that two payments of one order are seen one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.orders import service as orders
from app.orders.lifecycle import Status as OrderStatus
from app.selfpay import lifecycle, queries
from app.selfpay.lifecycle import Owed, Review, Status
from app.selfpay.notices import CURRENCY, SUCCESS, Envelope, Transaction
from app.selfpay.signatures import Merchant, Proof

MOVED = frozenset({"SUCCESS", "REFUND"})
"""States of a transaction whose money has moved; `REFUND` says that some of it has gone back since."""
RAW, RESOURCE = "payment_notice.raw", "payment_notice.resource"


@dataclass(frozen=True, slots=True)
class Notice:
    """A verified notice: how it proved itself, as it came, and opened."""

    proof: Proof
    body: bytes
    envelope: Envelope
    resource: bytes


async def take(tx: Tx, merchant: Merchant, notice: Notice, said: Transaction | None) -> None:
    """Put a notice on record, and its money where it belongs; a notice that is on record changes nothing.

    `said` is None for events that are no payments. What does not fit us is kept with its problem, for a person.
    """
    opened = notice.envelope
    row = f"{merchant.name}:{opened.id}"
    lines = (notice.proof.serial, notice.proof.timestamp, notice.proof.nonce, notice.proof.signature)
    raw = "\n".join((*lines, notice.body.decode("latin-1")))
    fresh = await queries.keep_notice(
        tx, merchant.name, opened.id, opened.event, tx.vault.seal(RAW, row, raw),
        tx.vault.seal(RESOURCE, row, notice.resource.decode("latin-1")), clock.now(),
    )  # fmt: skip
    if not fresh:
        return
    if said is None or opened.event != SUCCESS or said.state not in MOVED:
        await queries.settle_notice(tx, merchant.name, opened.id, None, "event_unexpected")
        return
    payment_id, problem = await apply(tx, merchant, said)
    await queries.settle_notice(tx, merchant.name, opened.id, payment_id, problem)


def check_merchant(merchant: Merchant, said: Transaction) -> None:
    """Raises Invalid for what was said about somebody else's account."""
    if (said.mchid, said.appid) != (merchant.mchid, merchant.appid):
        raise Invalid("merchant_differs", "this is about another merchant or another app")


async def apply(tx: Tx, merchant: Merchant, said: Transaction) -> tuple[UUID | None, str | None]:
    """The payment that a moved transaction belongs to, and why it changed nothing if it should have."""
    found = await queries.by_trade_no(tx, merchant.name, said.out_trade_no)
    if found is None:
        return None, "payment_unknown"
    order = await orders.locked(tx, found["order_id"])
    payment = await queries.lock(tx, found["id"])
    if payment["transaction_id"] is not None and payment["transaction_id"] == said.transaction_id:
        return payment["id"], None
    problem = await _misfit(tx, payment, said)
    if problem is not None:
        await queries.flag(tx, payment["id"], Review.NOTICE_DIFFERS)
        return payment["id"], problem
    owed = Owed(order.copay_fen, order.status == OrderStatus.CANCELLED, await queries.is_paid(tx, order.id))
    before = Status(payment["status"])
    after, review = lifecycle.received(before, payment["amount_fen"], owed, refunded=said.state == "REFUND")
    if not lifecycle.may_move(before, after):  # a money state has its transaction, which `_misfit` has compared
        raise AssertionError(f"{before} to {after}")
    assert said.transaction_id is not None  # noqa: S101 (so has `_misfit`)
    paid_at = said.paid_at or clock.now()
    await queries.receive(tx, payment["id"], after, said.transaction_id, paid_at, review)
    return payment["id"], None


async def _misfit(tx: Tx, payment: Any, said: Transaction) -> str | None:
    """What of a transaction is not as we have it on record."""
    if said.transaction_id is None:
        return "transaction_missing"
    if payment["transaction_id"] is not None:
        return "transaction_differs"
    if said.currency != CURRENCY or said.amount_fen != payment["amount_fen"]:
        return "amount_differs"
    if await queries.is_used(tx, said.transaction_id):
        return "transaction_used"
    return None
