"""What visits do when others speak."""

from __future__ import annotations

from app.core.db import Tx
from app.orders.events import OrderAdvanced, OrderFlagged
from app.orders.lifecycle import EXCEPTION, SUSPENDED, Status
from app.visits import service


async def on_order_advanced(tx: Tx, event: OrderAdvanced) -> None:
    """An order that changed hands has another visit: the old caregiver's events no longer count."""
    if event.before is Status.ASSIGNED and event.after in {Status.ASSIGNED, Status.PLACED}:
        await service.refold(tx, event.order_id, event.actor, follow=False)


async def on_order_flagged(tx: Tx, event: OrderFlagged) -> None:
    """Events kept coming while the order was held; now it may follow them."""
    if not event.raised and (event.flag == SUSPENDED or event.flag.startswith(EXCEPTION)):
        await service.refold(tx, event.order_id, event.actor)
