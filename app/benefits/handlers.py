"""What benefits hear."""

from __future__ import annotations

from app.benefits import queries
from app.core import clock
from app.core.db import Tx
from app.elders.events import ElderDeparted


async def on_elder_departed(tx: Tx, event: ElderDeparted) -> None:
    """Nobody buys services for the dead, and another city buys for those who moved there."""
    await queries.end_all(tx, event.elder_id, clock.service_day(event.at))
