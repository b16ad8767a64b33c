"""What no notice told us we ask: how a payment stands that has been open for a while.

WeChat repeats a notice for a day and promises nothing. So a sweep picks open payments that are due, each becomes a job
of its own, and the job asks outside of any transaction. Money goes the way of a notice's money; what has run out, or
whose order is cancelled, is ended at WeChat before it is closed here, so that no money comes in for it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core import clock, log
from app.core.db import Database, Tx
from app.jobs.queue import enqueue
from app.orders import service as orders
from app.orders.lifecycle import Status as OrderStatus
from app.selfpay import merchants, queries, receiving
from app.selfpay.api import NotReached, Refused, Unknown, WechatPayApi
from app.selfpay.lifecycle import Status

ASK = "selfpay.ask"
AT_ONCE = 50
"""So many payments one sweep picks."""
ENDED = frozenset({"CLOSED", "REVOKED"})
_log = log.get("selfpay")


async def sweep(tx: Tx) -> int:
    """Let the workers ask about the open payments that are due; returns how many."""
    due = await queries.take_due(tx, clock.now(), AT_ONCE)
    for payment_id in due:
        await enqueue(tx, ASK, {"payment_id": payment_id}, only_once=f"{ASK}:{payment_id}")
    return len(due)


class Reconciler:
    """The long task over one line to WeChat Pay."""

    def __init__(self, api: WechatPayApi) -> None:
        self._api = api

    async def ask(self, database: Database, payload: dict[str, Any]) -> None:
        """Ask about `payload["payment_id"]`. What fails is asked again by a later sweep."""
        payment_id = UUID(payload["payment_id"])
        try:
            await ask(database, self._api, payment_id)
        except (Refused, NotReached, Unknown) as failure:
            _log.warning("payment_not_told", payment=str(payment_id), kind=type(failure).__name__, reason=str(failure))


async def ask(database: Database, api: WechatPayApi, payment_id: UUID, *, end: bool = False) -> None:
    """Bring an open payment up to date; `end` it if no money has come in. May be done twice, even at the same time.

    Raises Refused, NotReached or Unknown, with nothing changed.
    """
    async with database.transaction() as tx:
        payment = await queries.payment(tx, payment_id)
        if payment is None or payment["status"] != Status.PREPARED:
            return
        order = await orders.get(tx, payment["order_id"])
        over = end or payment["expires_at"] <= clock.now() or order.status == OrderStatus.CANCELLED
    merchant = await merchants.named(database, payment["merchant"])
    said = await api.query(merchant, payment["out_trade_no"])
    if said is not None and said.state in receiving.MOVED:
        async with database.transaction() as tx:
            await receiving.apply(tx, merchant, said)
        return
    ended = said is not None and said.state in ENDED
    if over and not ended and said is not None:
        await api.close_payment(merchant, payment["out_trade_no"])
    if over or ended:
        async with database.transaction() as tx:
            await orders.locked(tx, payment["order_id"])
            await queries.close(tx, payment_id, clock.now())
