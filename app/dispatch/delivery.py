"""How far an offer has come to its provider's system: queued, sent, fetched, or expired on the way.

queued ─▶ sent      it left in a page of the feed
  │         ├────▶ fetched   the reader came back for what follows that page, or answered the offer
  └─────────┴────▶ expired   the offer ended before anybody had it

A page that was lost on its way leaves the offer at `sent`, so the desk sees that a provider has not got it. The order
shows the furthest of its open offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.dispatch import queries_modes as queries
from app.orders import notes
from app.orders.lifecycle import Delivery


async def sent(tx: Tx, fed: Sequence[tuple[UUID, int, int]]) -> None:
    """Open offers leave in a page: id, and the position of the entry that tells of it (transaction, entry)."""
    if fed:
        moved = await queries.mark_sent(tx, fed, clock.now())
        if moved:
            await notes.keep_delivery(tx, moved, Delivery.SENT, [Delivery.QUEUED])


async def fetched(tx: Tx, provider_id: UUID, txid: int, entry: int) -> None:
    """The provider asked for what comes after this position: it has everything up to there."""
    moved = await queries.mark_fetched(tx, provider_id, txid, entry, clock.now())
    if moved:
        await notes.keep_delivery(tx, moved, Delivery.FETCHED, [Delivery.QUEUED, Delivery.SENT])
