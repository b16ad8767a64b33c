"""What providers answer, and what silence means: accepted, refused, expired. The order is locked before its offer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import SYSTEM, Caller
from app.dispatch import assignment, cascade, offering, queries
from app.dispatch.events import OfferAccepted
from app.dispatch.modes import Mode
from app.dispatch.offers import TAKEN_BY_OTHER, OfferStatus
from app.dispatch.teams import Team, teams
from app.matching import queries_bookings, search
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow


async def accept(
    tx: Tx, caller: Caller, offer_id: UUID, caregiver_id: UUID | None, second_caregiver_id: UUID | None = None
) -> OrderRow:
    """Accept an offer, naming at once who comes if given; of two, whoever is not named comes as suggested.

    Exactly one acceptance wins; every other gets Conflict with the state that won. Where several may grab, the winner's
    caregivers are booked with the acceptance, and if that cannot be, it is refused and the others may still grab.
    Raises NotFound for another provider's offer.
    """
    order, offer = await _locked(tx, caller, offer_id)
    now = clock.now()
    if offer["status"] != OfferStatus.OFFERED or now > offer["deadline_at"]:
        how = OfferStatus.EXPIRED if offer["status"] == OfferStatus.OFFERED else OfferStatus(offer["status"])
        raise Conflict(
            f"offer_{how.value}",
            "this offer can no longer be accepted",
            order_status=order.status,
            reason=offer["reason_code"],
        )
    if offer["mode"] == Mode.GRAB:
        return await _grab(tx, caller, order, offer, caregiver_id, second_caregiver_id, now)
    suggested = Team(offer["caregiver_id"], offer["second_caregiver_id"])
    team = assignment.named(suggested, caregiver_id, second_caregiver_id)
    if team is None:
        await _take(tx, order, offer, None, now)
        return await _accepted(tx, caller, order, offer, now)
    if team != suggested:
        await queries_bookings.lock_caregivers(tx, [order.id], team.members)
    booked = await _take(tx, order, offer, team, now)
    if missing := set(team.members) - set(booked):
        await assignment.book(tx, order, offer["provider_id"], team, missing, offer["starts_at"])
    return await assignment.assigned(tx, order, team, offer["starts_at"], actor=caller.actor, reason=None, offer=offer)


async def refuse(tx: Tx, caller: Caller, offer_id: UUID, reason_code: str, note: str | None) -> None:
    """Refuse an offer; the order goes on to the next candidate at once, unless others may still grab it."""
    order, offer = await _locked(tx, caller, offer_id)
    if not await cascade.close(tx, offer, OfferStatus.REFUSED, reason_code, note, [OfferStatus.OFFERED]):
        raise Conflict(f"offer_{offer['status']}", "this offer is already answered", order_status=order.status)
    await cascade.after_loss(tx, order, offer, caller.actor, f"refused:{reason_code}")


async def expire(tx: Tx, offer_id: UUID, order_id: UUID) -> bool:
    """Close an offer whose deadline has passed and go on; False when it was answered meanwhile."""
    order = await orders.locked(tx, order_id)
    offer = await queries.offer(tx, offer_id)
    if not await cascade.close(tx, offer, OfferStatus.EXPIRED, "no_answer", None, [OfferStatus.OFFERED]):
        return False
    await cascade.after_loss(tx, order, offer, SYSTEM.actor, "offer_expired")
    return True


async def _locked(tx: Tx, caller: Caller, offer_id: UUID) -> tuple[OrderRow, dict[str, Any]]:
    """The order and its offer, both locked. An offer is its provider's own business."""
    found = await queries.locked_offer(tx, offer_id)
    if found is None or (caller.kind == "provider" and found[1]["provider_id"] != caller.provider_id):
        raise NotFound("offer_not_found")
    return found


async def _grab(
    tx: Tx,
    caller: Caller,
    order: OrderRow,
    offer: dict[str, Any],
    caregiver_id: UUID | None,
    second_caregiver_id: UUID | None,
    now: datetime,
) -> OrderRow:
    """The first to come: book its people, take the offer, withdraw it from the others and tell them."""
    provider_id, starts_at = offer["provider_id"], offer["starts_at"]
    suggested = Team(offer["caregiver_id"], offer["second_caregiver_id"])
    team = assignment.named(suggested, caregiver_id, second_caregiver_id)
    if team is not None:
        await queries_bookings.lock_caregivers(tx, [order.id], team.members)
        await assignment.book(tx, order, provider_id, team, team.members, starts_at)
    held = await _hold_somebody(tx, order, offer) if team is None else None
    await _take(tx, order, offer, None, now, held)
    losers = await queries.take_from_others(tx, order.id, offer["id"], now, TAKEN_BY_OTHER)
    for loser in losers:
        await cascade.tell_closed(tx, loser, OfferStatus.WITHDRAWN, TAKEN_BY_OTHER)
    lost = {"withdrawn": [str(loser["id"]) for loser in losers]}
    if team is None:
        return await _accepted(tx, caller, order, offer, now, lost)
    return await assignment.assigned(
        tx, order, team, starts_at, actor=caller.actor, reason=None, offer=offer, facts=lost
    )


async def _hold_somebody(tx: Tx, order: OrderRow, offer: dict[str, Any]) -> Team:
    """Hold the provider's best team that is free at the offered time. Raises Conflict when it has nobody left."""
    size = (await catalog.item(tx, order.item_code)).caregivers
    found = await search.find_at(tx, order, offer["starts_at"], offer["provider_id"], None)
    choices = teams(found.ranked, size)[: offering.TEAMS_TRIED]
    if size > 1 and choices:
        await queries_bookings.lock_caregivers(tx, [order.id], choices[0].team.members)
    for number, choice in enumerate(choices):
        time = offering.time_of(order, offer["starts_at"], choice)
        if await queries_bookings.book(tx, time, "held", clock.now(), waiting=size == 1 or number == 0):
            return choice.team
    raise Conflict("nobody_left", "none of your caregivers is free at that time any more", funnel=found.funnel)


async def _take(
    tx: Tx, order: OrderRow, offer: dict[str, Any], team: Team | None, now: datetime, held: Team | None = None
) -> Collection[UUID]:
    """Mark the offer as accepted; returns who of the team had been held and is booked now."""
    taken, booked = await queries.take_offer(tx, offer["id"], now, team, held)
    if not taken:
        raise Conflict("offer_taken", "this offer was answered just now", order_status=order.status)
    return booked


async def _accepted(
    tx: Tx, caller: Caller, order: OrderRow, offer: dict[str, Any], now: datetime, facts: dict[str, Any] | None = None
) -> OrderRow:
    """The provider has it and will name its caregivers later."""
    moved = await orders.advance(
        tx, order, Status.ACCEPTED, actor=caller.actor, facts=facts, delivery="fetched",
        provider_id=offer["provider_id"], offer_id=offer["id"],
    )  # fmt: skip
    await tx.publish(
        OfferAccepted(
            offer_id=offer["id"], order_id=order.id, provider_id=offer["provider_id"], version=moved.version, at=now
        )
    )
    return moved
