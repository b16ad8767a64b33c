"""Asking WeChat Pay to take a family's part of an order's price: on record first, asked outside of any transaction.

An order has one open payment. Who asks again in the same way gets the same one; who asks in another way ends the one
before it, unless it turns out to be paid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Unavailable
from app.core.ids import new_id
from app.orders import service as orders
from app.orders.lifecycle import Status as OrderStatus
from app.orders.queries import OrderRow
from app.selfpay import merchants, queries, reconciling, signatures
from app.selfpay.api import NotReached, Refused, Unknown, WechatPayApi
from app.selfpay.lifecycle import Way
from app.selfpay.signatures import Merchant

LIVES = timedelta(minutes=30)
"""A prepay id is good for two hours; an order may be cancelled meanwhile, so ours end sooner."""
STILL_GOOD = timedelta(minutes=2)
FIRST_ASKED = timedelta(minutes=2)
TRIES = 2
PAYER, _PAYER_INDEX = "payment.payer", "payment.payer"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How somebody wants to pay; a page inside WeChat belongs to one openid."""

    way: Way
    openid: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An open payment; `prepay` is WeChat's prepay id, or the address to show as a code."""

    row: Any
    prepay: str
    merchant: Merchant


async def prepare(database: Database, api: WechatPayApi, order_id: UUID, wanted: Wanted, notify_url: str) -> Prepared:
    """`notify_url` has a place for the merchant's name. Raises Conflict where there is nothing to pay, or WeChat
    refuses, and Unavailable when it does not answer."""
    for _ in range(TRIES):
        async with database.transaction() as tx:
            payment, order, fits = await _open(tx, order_id, wanted)
        if not fits:
            await _end(database, api, payment["id"])
            continue
        merchant = await merchants.named(database, payment["merchant"])
        if payment["prepay"] is not None:
            return Prepared(payment, payment["prepay"], merchant)
        asked = _asked(merchant, payment, order, wanted, notify_url.format(merchant=merchant.name))
        prepay = await _prepay(api, merchant, wanted.way, asked)
        async with database.transaction() as tx:
            if await queries.keep_prepay(tx, payment["id"], prepay):
                return Prepared(payment, prepay, merchant)
    raise Conflict("payment_changed", "this payment was ended or paid just now: look again")


async def _open(tx: Tx, order_id: UUID, wanted: Wanted) -> tuple[Any, OrderRow, bool]:
    """The order's open payment, a new one if there is none; and whether it is the one that is wanted."""
    order, now = await orders.locked(tx, order_id), clock.now()
    if order.status == OrderStatus.CANCELLED:
        raise Conflict("order_cancelled", "this order is cancelled")
    if order.copay_fen <= 0:
        raise Conflict("nothing_to_pay", "the family pays nothing for this order")
    if await queries.is_paid(tx, order_id):
        raise Conflict("order_paid", "this order is paid")
    index = tx.vault.blind(_PAYER_INDEX, wanted.openid) if wanted.openid is not None else None
    before = await queries.prepared(tx, order_id)
    if before is not None:
        same = (before["way"], before["payer_index"], before["amount_fen"]) == (wanted.way, index, order.copay_fen)
        return before, order, same and before["expires_at"] - now > STILL_GOOD
    payment_id = new_id()
    payer = tx.vault.seal(PAYER, payment_id, wanted.openid) if wanted.openid is not None else None
    values = (
        payment_id, order_id, await merchants.name_for(tx, order.division_code), payment_id.hex, wanted.way,
        order.copay_fen, payer, index, now, now + LIVES, now + FIRST_ASKED,
    )  # fmt: skip
    return await queries.add(tx, values), order, True


async def _end(database: Database, api: WechatPayApi, payment_id: UUID) -> None:
    try:
        await reconciling.ask(database, api, payment_id, end=True)
    except (Refused, NotReached, Unknown):
        raise Unavailable("wechatpay_unreachable", "WeChat Pay does not answer") from None


async def _prepay(api: WechatPayApi, merchant: Merchant, way: Way, asked: dict[str, Any]) -> str:
    try:
        return await api.prepay(merchant, way, asked)
    except Refused as refusal:
        raise Conflict("wechatpay_refused", f"WeChat Pay says {refusal.code}", wechatpay_code=refusal.code) from None
    except (NotReached, Unknown):
        raise Unavailable("wechatpay_unreachable", "WeChat Pay does not answer") from None


def _asked(merchant: Merchant, payment: Any, order: OrderRow, wanted: Wanted, notify_url: str) -> dict[str, Any]:
    """The same for the same payment, so that asking twice is asking once."""
    asked: dict[str, Any] = {
        "appid": merchant.appid,
        "mchid": merchant.mchid,
        "description": f"居家养老服务自付费用 {order.number}",
        "out_trade_no": payment["out_trade_no"],
        "time_expire": payment["expires_at"].astimezone(clock.SHANGHAI).isoformat(timespec="seconds"),
        "notify_url": notify_url,
        "amount": {"total": payment["amount_fen"], "currency": "CNY"},
    }
    if wanted.openid is not None:
        asked["payer"] = {"openid": wanted.openid}
    return asked


def page_parameters(prepared: Prepared) -> dict[str, str] | None:
    """What a page inside WeChat needs; None for a code to scan."""
    if prepared.row["way"] != Way.JSAPI:
        return None
    return signatures.page_parameters(prepared.merchant, prepared.prepay, now=clock.now())
