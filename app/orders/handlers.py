"""What the spine does when lower rooms speak."""

from __future__ import annotations

from app.core.db import Tx
from app.core.http import SYSTEM
from app.elders.events import ElderDeparted
from app.orders import queries_reading, recurring_plans, service
from app.orders.lifecycle import CANCELLABLE


async def on_elder_departed(tx: Tx, event: ElderDeparted) -> None:
    """Nobody shall ring at the door of the dead: every order that has not begun is cancelled, every plan ended."""
    await recurring_plans.end_all_of(tx, event.elder_id, f"elder_{event.status}")
    for order_id in await queries_reading.of_elder(tx, event.elder_id, [status.value for status in CANCELLABLE]):
        await service.cancel(tx, SYSTEM, order_id, f"elder_{event.status}", "centre")
