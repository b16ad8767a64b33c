"""SQL of payments, notices and merchants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import Tx
from app.selfpay.models import WechatpayMerchant

PAYMENT = "SELECT * FROM payment WHERE id = $1"
LOCK = PAYMENT + " FOR NO KEY UPDATE"
BY_TRADE_NO = "SELECT id, order_id FROM payment WHERE merchant = $1 AND out_trade_no = $2"
PREPARED = "SELECT * FROM payment WHERE order_id = $1 AND status = 'prepared'"
IS_PAID = "SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND status = 'paid')"
IS_USED = "SELECT EXISTS (SELECT FROM payment WHERE transaction_id = $1)"
HAS_PAYMENTS = "SELECT EXISTS (SELECT FROM payment WHERE merchant = $1)"

ADD = """INSERT INTO payment (id, order_id, merchant, out_trade_no, way, amount_fen, status, payer, payer_index,
  prepared_at, expires_at, ask_at, asks)
VALUES ($1, $2, $3, $4, $5, $6, 'prepared', $7, $8, $9, $10, $11, 0) RETURNING *"""
KEEP_PREPAY = "UPDATE payment SET prepay = $2 WHERE id = $1 AND status = 'prepared'"
RECEIVE = """UPDATE payment SET status = $2, transaction_id = $3, paid_at = $4,
  needs_review = coalesce($5, needs_review)
WHERE id = $1"""
CLOSE = "UPDATE payment SET status = 'closed', closed_at = $2 WHERE id = $1 AND status = 'prepared'"
FLAG = """UPDATE payment SET needs_review = $2, reviewed_at = NULL, reviewed_by = NULL, review_reason = NULL
WHERE id = $1 AND status <> 'refund_noted'"""
FLAG_PAID = """UPDATE payment SET needs_review = $2, reviewed_at = NULL, reviewed_by = NULL, review_reason = NULL
WHERE order_id = $1 AND status = 'paid'"""
ASK_SOON = "UPDATE payment SET ask_at = $2 WHERE order_id = $1 AND status = 'prepared'"
REVIEW = """UPDATE payment SET status = $2, reviewed_by = $3, reviewed_at = $4, review_reason = $5 WHERE id = $1
RETURNING *"""

TAKE_DUE = """WITH due AS (
  SELECT id FROM payment WHERE status = 'prepared' AND needs_review IS NULL AND ask_at <= $1
  ORDER BY ask_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE payment p SET asks = p.asks + 1, ask_at = $1 + make_interval(mins => 1 << least(p.asks, 5))
FROM due WHERE p.id = due.id RETURNING p.id"""

KEEP_NOTICE = """INSERT INTO payment_notice (merchant, notice_id, event, raw, resource, received_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true"""
SETTLE_NOTICE = "UPDATE payment_notice SET payment_id = $3, problem = $4 WHERE merchant = $1 AND notice_id = $2"
UNMATCHED = """SELECT n.merchant, n.notice_id, n.event, n.payment_id, n.problem, n.received_at, m.division_code
FROM payment_notice n JOIN wechatpay_merchant m ON m.merchant = n.merchant
WHERE n.problem IS NOT NULL ORDER BY n.received_at DESC LIMIT $1"""

OF_ORDER = "SELECT * FROM payment WHERE order_id = $1 ORDER BY id"
PAID = """SELECT order_id, sum(amount_fen)::bigint AS paid_fen FROM payment
WHERE order_id = ANY($1) AND status = 'paid' GROUP BY order_id"""
TO_REVIEW = """SELECT p.*, o.division_code FROM payment p JOIN care_order o ON o.id = p.order_id
WHERE p.needs_review IS NOT NULL AND p.reviewed_at IS NULL AND ($1::uuid IS NULL OR p.id > $1)
  AND EXISTS (SELECT FROM unnest($2::text[], $3::text[]) r (low, high)
    WHERE o.division_code >= r.low AND o.division_code < r.high)
ORDER BY p.id LIMIT $4"""


async def merchants(tx: Tx) -> Sequence[Any]:
    """Every merchant, in use or not: notices of old payments still come. Keys sealed."""
    return await tx.all(select(WechatpayMerchant.__table__))


async def put_merchant(tx: Tx, merchant: str, values: dict[str, Any]) -> None:
    statement = insert(WechatpayMerchant).values(merchant=merchant, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["merchant"], set_=values))


async def merchant(tx: Tx, name: str) -> Any:
    is_it: ColumnElement[bool] = WechatpayMerchant.merchant == name
    return await tx.first(select(WechatpayMerchant.__table__).where(is_it))


async def has_payments(tx: Tx, name: str) -> bool:
    return bool(await tx.fetchval(HAS_PAYMENTS, name))


async def payment(tx: Tx, payment_id: UUID) -> Any:
    return await tx.fetchrow(PAYMENT, payment_id)


async def lock(tx: Tx, payment_id: UUID) -> Any:
    """Its order has to be locked before, by everybody."""
    return await tx.fetchrow(LOCK, payment_id)


async def by_trade_no(tx: Tx, name: str, out_trade_no: str) -> Any:
    return await tx.fetchrow(BY_TRADE_NO, name, out_trade_no)


async def prepared(tx: Tx, order_id: UUID) -> Any:
    return await tx.fetchrow(PREPARED, order_id)


async def is_paid(tx: Tx, order_id: UUID) -> bool:
    return bool(await tx.fetchval(IS_PAID, order_id))


async def is_used(tx: Tx, transaction_id: str) -> bool:
    return bool(await tx.fetchval(IS_USED, transaction_id))


async def add(tx: Tx, values: Sequence[Any]) -> Any:
    return await tx.fetchrow(ADD, *values)


async def keep_prepay(tx: Tx, payment_id: UUID, prepay: str) -> bool:
    """False when the payment is not open any more."""
    return await tx.run(KEEP_PREPAY, payment_id, prepay) == 1


async def receive(
    tx: Tx, payment_id: UUID, status: str, transaction_id: str, paid_at: datetime, review: str | None
) -> None:
    await tx.run(RECEIVE, payment_id, status, transaction_id, paid_at, review)


async def close(tx: Tx, payment_id: UUID, at: datetime) -> bool:
    return await tx.run(CLOSE, payment_id, at) == 1


async def flag(tx: Tx, payment_id: UUID, review: str) -> None:
    """Show it to a person, once more if need be; who gave money back has decided for good."""
    await tx.run(FLAG, payment_id, review)


async def order_cancelled(tx: Tx, order_id: UUID, review: str, now: datetime) -> None:
    """Show the money that came in to a person, and have the open payment looked after now."""
    await tx.run(FLAG_PAID, order_id, review)
    await tx.run(ASK_SOON, order_id, now)


async def review(tx: Tx, payment_id: UUID, status: str, actor: str, at: datetime, reason: str) -> Any:
    return await tx.fetchrow(REVIEW, payment_id, status, actor, at, reason)


async def take_due(tx: Tx, now: datetime, limit: int) -> list[UUID]:
    """Payments to ask about now; each is due again in one, two, four … up to 32 minutes."""
    return [row["id"] for row in await tx.fetch(TAKE_DUE, now, limit)]


async def keep_notice(
    tx: Tx, name: str, notice_id: str, event: str, raw: bytes, resource: bytes, now: datetime
) -> bool:
    """False when this notice is on record already."""
    return bool(await tx.fetchval(KEEP_NOTICE, name, notice_id, event, raw, resource, now))


async def settle_notice(tx: Tx, name: str, notice_id: str, payment_id: UUID | None, problem: str | None) -> None:
    await tx.run(SETTLE_NOTICE, name, notice_id, payment_id, problem)


async def unmatched(tx: Tx, limit: int) -> Sequence[Any]:
    return await tx.fetch(UNMATCHED, limit)


async def of_order(tx: Tx, order_id: UUID) -> Sequence[Any]:
    return await tx.fetch(OF_ORDER, order_id)


async def paid(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What came in for each order and was not given back; those without a payment are missing."""
    return {row["order_id"]: row["paid_fen"] for row in await tx.fetch(PAID, list(order_ids))}


async def to_review(tx: Tx, ranges: Sequence[tuple[str, str]], after: UUID | None, limit: int) -> Sequence[Any]:
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return await tx.search(TO_REVIEW, after, lows, highs, limit)
