"""A page of the feed: entries behind the fence, each with the order as it stands now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.errors import Invalid
from app.core.json import loads
from app.core.paging import decode_cursor, encode_cursor
from app.dispatch import delivery
from app.exchange import queries
from app.exchange.handlers import provider_audience
from app.exchange.schemas import FeedEvent, OfferView
from app.jobs import feed
from app.jobs.feed import Position
from app.orders import views
from app.orders.schemas import OrderView


def position_of(cursor: str | None) -> Position:
    """Where a reader stands; the beginning of what is kept without a cursor. Raises Invalid."""
    if not cursor:
        return Position()
    try:
        txid, entry = (int(part) for part in decode_cursor(cursor))
    except ValueError as broken:
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor") from broken
    if not (0 <= txid < 2**63 and 0 <= entry < 2**63):
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor")
    return Position(txid, entry)


def cursor_of(position: Position) -> str:
    return encode_cursor(position.txid, position.id)


async def page(tx: Tx, provider_id: UUID, after: Position, limit: int) -> tuple[list[FeedEvent], Position]:
    """Up to `limit` events after `after`, and where the reader stands then. Marks the open offers in it as sent."""
    entries = await feed.read(tx, provider_audience(provider_id), after, limit)
    if not entries:
        return [], after
    orders = await own_orders(tx, provider_id, list(dict.fromkeys(e["order_id"] for e in entries if e["order_id"])))
    offers = await queries.offers(tx, list({e["offer_id"] for e in entries if e["offer_id"]}))
    await delivery.sent(tx, _leaving(entries, offers))
    events = [_event(entry, orders, offers) for entry in entries]
    return events, Position(entries[-1]["txid"], entries[-1]["id"])


async def own_orders(tx: Tx, provider_id: UUID, order_ids: list[UUID]) -> dict[UUID, OrderView]:
    """The orders that are this provider's now: plain once accepted, masked while merely offered or to be grabbed."""
    own = {order.id: order for order in await views.snapshot(tx, order_ids, in_hand_of=provider_id)}
    if foreign := [order_id for order_id in order_ids if order_id not in own]:
        to_grab = await queries.to_grab(tx, provider_id, foreign)
        own |= {order.id: order for order in await views.snapshot(tx, to_grab)}
    return own


async def has_read(tx: Tx, provider_id: UUID, until: Position) -> None:
    """The provider asks for what comes after `until`: it has got everything before."""
    await delivery.fetched(tx, provider_id, until.txid, until.id)


def _leaving(entries: list[Any], offers: dict[UUID, Any]) -> list[tuple[UUID, int, int]]:
    """The open offers that this page brings for the first time, each with its entry's position."""
    return [
        (entry["offer_id"], entry["txid"], entry["id"])
        for entry in entries
        if (offer := offers.get(entry["offer_id"])) and (offer["status"], offer["delivery"]) == ("offered", "queued")
    ]


def _event(entry: Any, orders: dict[UUID, OrderView], offers: dict[UUID, Any]) -> FeedEvent:
    offer = offers.get(entry["offer_id"])
    return FeedEvent.model_construct(
        id=str(entry["id"]),
        seq=entry["seq"],
        type=entry["type"],
        occurred_at=entry["occurred_at"],
        order_id=entry["order_id"],
        order=orders.get(entry["order_id"]),
        offer=OfferView.model_construct(**{name: offer[name] for name in OfferView.model_fields}) if offer else None,
        facts=loads(entry["facts"]) if entry["facts"] else None,
    )
