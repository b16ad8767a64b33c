"""Booking by others than the desk: families by themselves, township stations on behalf of their elders.

Both pass the desk's own ways: the same checks, the same quote, the same `orders.place`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from app.accounts import audit, policy, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from app.intake import confirmation, desk, families, queries, queries_booking, quotes
from app.intake.queries import RequestRow
from app.intake.requests import Channel, Kind
from app.intake.schemas import AgreedQuote, FamilyRequestBody, span
from app.intake.schemas_views import QuoteView
from app.intake.service import NewRequest, Requester
from app.regions.divisions import lineage


async def by_family(tx: Tx, caller: Caller, body: FamilyRequestBody) -> tuple[RequestRow, QuoteView | None]:
    """A relative's request and, for an item, what it will cost; an order at once where the city allows that and the
    relative has agreed to the price.

    Raises NotFound for somebody else's elder, Invalid as `quotes.quote`, Conflict when it costs something else by now.
    """
    bound = await families.bound_elder(tx, caller, body.elder_id)
    if body.kind is not Kind.SERVICE or body.item_code is None:
        return await desk.take_from_family(tx, caller, body), None
    starts_at = span(body.wanted)[0] or clock.now()
    quote = await quotes.quote(tx, caller, body.elder_id, body.item_code, starts_at, body.minutes)
    _check(body.agreed, quote.price_fen, quote.copay_fen)
    if body.agreed is None or not await queries_booking.direct(tx, lineage(bound.division_code), clock.today()):
        return await desk.take_from_family(tx, caller, body), quote
    order = await confirmation.place_order(tx, caller, desk.asked_by_family(bound, body))
    _check(body.agreed, order.price_fen, order.copay_fen)  # a quota may have gone to somebody else in between
    if order.care_request_id is None:
        raise NotFound("care_request_not_found")
    return await queries.get(tx, order.care_request_id), quote


def at_station(caller: Caller, asked: NewRequest) -> NewRequest:
    """What somebody at a township station asks for: by its channel, and in that person's name unless they say who
    stands before them. The desk's own orders stay as they are."""
    if policy.STATION not in caller.roles or caller.roles & frozenset(policy.DESK):
        return asked
    asks = asked.requester
    if asks.name is None and asks.phone is None:
        asks = Requester(caller.name, None, "community")
    return replace(asked, channel=Channel.STATION, requester=asks)


async def set_rule(tx: Tx, caller: Caller, division: str, valid_from: date, direct: bool, reason: str) -> None:
    """Raises NotFound for a division out of scope, Conflict when it has a rule from that day on."""
    if not scope.sees(caller, division):
        raise NotFound("division_not_found", "there is no such division for you")
    if not await queries_booking.set_rule(tx, division, valid_from, direct, reason, caller.actor, clock.now()):
        raise Conflict("booking_rule_set", "there is a rule from that day on")
    await audit.record(tx, caller, "booking.set_rule", "division", division, ["direct"], reason)


def _check(agreed: AgreedQuote | None, price_fen: int, copay_fen: int) -> None:
    if agreed is not None and (agreed.price_fen, agreed.copay_fen) != (price_fen, copay_fen):
        raise Conflict(
            "quote_changed", "it costs something else by now: look again", price_fen=price_fen, copay_fen=copay_fen
        )
