"""What a provider hears of. Each fact becomes one thin feed entry in the transaction that made it true."""

from __future__ import annotations

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
    await feed.append(
        tx,
        provider_audience(event.provider_id),
        "offer.made",
        order_id=event.order_id,
        offer_id=event.offer_id,
        seq=event.version,
        occurred_at=event.at,
    )


async def on_offer_accepted(tx: Tx, event: OfferAccepted) -> None:
    await feed.append(
        tx,
        provider_audience(event.provider_id),
        "order.accepted",
        order_id=event.order_id,
        offer_id=event.offer_id,
        seq=event.version,
        occurred_at=event.at,
    )


async def on_offer_closed(tx: Tx, event: OfferClosed) -> None:
    await feed.append(
        tx,
        provider_audience(event.provider_id),
        f"offer.{event.how}",
        order_id=event.order_id,
        offer_id=event.offer_id,
        facts={"reason": event.reason},
        occurred_at=event.at,
    )


async def on_caregiver_assigned(tx: Tx, event: CaregiverAssigned) -> None:
    await feed.append(
        tx,
        provider_audience(event.provider_id),
        "order.assigned",
        order_id=event.order_id,
        seq=event.version,
        occurred_at=event.at,
    )


async def on_order_advanced(tx: Tx, event: OrderAdvanced) -> None:
    if event.provider_id is None or event.after not in TOLD:
        return
    kind = "order.released" if event.after is Status.PLACED else f"order.{event.after.value}"
    await feed.append(
        tx,
        provider_audience(event.provider_id),
        kind,
        order_id=event.order_id,
        offer_id=event.offer_id,
        seq=event.version,
        occurred_at=event.at,
    )


async def on_order_flagged(tx: Tx, event: OrderFlagged) -> None:
    if event.provider_id is not None:
        await feed.append(
            tx,
            provider_audience(event.provider_id),
            "order.flagged" if event.raised else "order.unflagged",
            order_id=event.order_id,
            seq=event.version,
            facts={"flag": event.flag},
            occurred_at=event.at,
        )
