"""What a provider hears of. Each fact becomes one thin feed entry in the transaction that made it true."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.core.db import Tx
from app.dispatch.events import CaregiverAssigned, OfferAccepted, OfferClosed, OfferMade
from app.jobs import feed
from app.orders.events import OrderAdvanced, OrderFlagged
from app.orders.lifecycle import Status

TOLD = frozenset({Status.IN_SERVICE, Status.COMPLETED, Status.CLOSED, Status.CANCELLED, Status.PLACED})
"""Moves a provider hears of as such; being offered, accepted and assigned have entries of their own."""


def provider_audience(provider_id: UUID | None) -> str:
    return f"provider:{provider_id}"


async def on_offer_made(tx: Tx, event: OfferMade) -> None:
    await _tell(tx, event.provider_id, "offer.made", event, offer_id=event.offer_id, seq=event.version)


async def on_offer_accepted(tx: Tx, event: OfferAccepted) -> None:
    await _tell(tx, event.provider_id, "order.accepted", event, offer_id=event.offer_id, seq=event.version)


async def on_offer_closed(tx: Tx, event: OfferClosed) -> None:
    reason = {"reason": event.reason}
    await _tell(tx, event.provider_id, f"offer.{event.how}", event, offer_id=event.offer_id, facts=reason)


async def on_caregiver_assigned(tx: Tx, event: CaregiverAssigned) -> None:
    await _tell(tx, event.provider_id, "order.assigned", event, seq=event.version)


async def on_order_advanced(tx: Tx, event: OrderAdvanced) -> None:
    if event.provider_id is None or event.after not in TOLD:
        return
    kind = "order.released" if event.after is Status.PLACED else f"order.{event.after.value}"
    await _tell(tx, event.provider_id, kind, event, offer_id=event.offer_id, seq=event.version)


async def on_order_flagged(tx: Tx, event: OrderFlagged) -> None:
    if event.provider_id is not None:
        kind = "order.flagged" if event.raised else "order.unflagged"
        await _tell(tx, event.provider_id, kind, event, seq=event.version, facts={"flag": event.flag})


class _AboutAnOrder(Protocol):
    @property
    def order_id(self) -> UUID: ...
    @property
    def at(self) -> datetime: ...


async def _tell(tx: Tx, provider_id: UUID, kind: str, event: _AboutAnOrder, **more: Any) -> None:
    """One entry for one provider, dated by the event."""
    audience = provider_audience(provider_id)
    await feed.append(tx, audience, kind, order_id=event.order_id, occurred_at=event.at, **more)
