"""What payments hear of orders."""

from __future__ import annotations

from app.core.db import Tx
from app.orders.events import OrderAdvanced
from app.orders.lifecycle import Status
from app.selfpay import queries
from app.selfpay.lifecycle import Review


async def on_order_advanced(tx: Tx, fact: OrderAdvanced) -> None:
    """A cancelled order needs no money: what came in is shown to a person, what is open is ended soon."""
    if fact.after is Status.CANCELLED:
        await queries.order_cancelled(tx, fact.order_id, Review.ORDER_CANCELLED, fact.at)
