"""Offers: made, accepted, refused, expired, withdrawn. Every path locks the order first, then its offer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import SYSTEM, Caller
from app.core.ids import new_id
from app.dispatch import assignment, queries, search
from app.dispatch.events import NobodyFound, OfferAccepted, OfferClosed, OfferMade
from app.dispatch.matching import Ranked
from app.dispatch.offers import MAX_ATTEMPTS, OfferStatus, occupied
from app.orders import service as orders
from app.orders.deadlines import choose
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow, deadline_rules
from app.regions.divisions import lineage

ACCEPT_MINUTES = 15
"""When no deadline rule is in force."""


async def dispatch(tx: Tx, order_id: UUID, *, actor: str = SYSTEM.actor) -> UUID | None:
    """Offer a placed order to the best provider left; None when a person has to look. Keeps the decision."""
    return await dispatch_locked(tx, await orders.locked(tx, order_id), actor=actor)


async def dispatch_locked(tx: Tx, order: OrderRow, *, actor: str = SYSTEM.actor) -> UUID | None:
    """`dispatch` for an order this transaction has locked, or has just made."""
    if order.status != Status.PLACED or order.flags:
        return None
    past = await queries.past_offers(tx, order.id) if order.version > 1 else []
    excluded = sorted({row["provider_id"] for row in past}, key=str)
    if len(past) >= MAX_ATTEMPTS:
        await _give_to_person(tx, order, search.nobody(order, excluded), actor, "attempts_used_up")
        return None
    made, found = await _offer_in_time(tx, order, excluded, "auto", len(past) + 1, actor, None)
    if made is None:
        await _give_to_person(tx, order, found, actor, None)
    return made


async def offer_by_hand(
    tx: Tx, caller: Caller, order_id: UUID, provider_id: UUID, caregiver_id: UUID | None, reason: str
) -> UUID:
    """Offer to the provider (and caregiver) a person chose. The work rules still hold; the score does not.

    Raises Conflict with the funnel when nobody of that provider passes the rules, or the time is taken.
    """
    order = await orders.locked(tx, order_id)
    if order.status != Status.PLACED:
        order = await take_back(tx, order, caller.actor, reason)
    past = await queries.past_offers(tx, order_id)
    made, found = await _offer_in_time(
        tx, order, [], "manual", len(past) + 1, caller.actor, reason, provider_id, caregiver_id
    )
    if made is None:
        raise Conflict("nobody_fits", "nobody there passes the work rules at that time", funnel=found.funnel)
    return made


async def accept(tx: Tx, caller: Caller, offer_id: UUID, caregiver_id: UUID | None) -> OrderRow:
    """Accept an offer, naming the caregiver at once if given.

    Exactly one acceptance wins; every other gets Conflict with the state that won. Raises NotFound for another
    provider's offer.
    """
    order, offer = await _locked(tx, caller, offer_id)
    now = clock.now()
    if offer["status"] != OfferStatus.OFFERED or now > offer["deadline_at"]:
        how = OfferStatus.EXPIRED if offer["status"] == OfferStatus.OFFERED else OfferStatus(offer["status"])
        raise Conflict(f"offer_{how.value}", "this offer can no longer be accepted", order_status=order.status)
    if caregiver_id is not None and caregiver_id != offer["caregiver_id"]:
        await queries.lock_caregivers(tx, order.id, caregiver_id)
    taken, booked = await queries.take_offer(tx, offer_id, now, caregiver_id)
    if not taken:
        raise Conflict("offer_taken", "this offer was answered just now", order_status=order.status)
    if caregiver_id is not None and booked:
        return await assignment.assign(
            tx, order, caregiver_id, offer["starts_at"], actor=caller.actor, reason=None, with_acceptance=True
        )
    order = await orders.advance(tx, order, Status.ACCEPTED, actor=caller.actor, delivery="fetched")
    if caregiver_id is None:
        await tx.publish(
            OfferAccepted(
                offer_id=offer_id,
                order_id=order.id,
                provider_id=offer["provider_id"],
                version=order.version,
                at=now,
            )
        )
        return order
    return await assignment.assign(tx, order, caregiver_id, offer["starts_at"], actor=caller.actor, reason=None)


async def refuse(tx: Tx, caller: Caller, offer_id: UUID, reason_code: str, note: str | None) -> None:
    """Refuse an offer; the order goes on to the next candidate at once."""
    order, offer = await _locked(tx, caller, offer_id)
    if not await _close(tx, offer, OfferStatus.REFUSED, reason_code, note, [OfferStatus.OFFERED]):
        raise Conflict(f"offer_{offer['status']}", "this offer is already answered", order_status=order.status)
    await orders.release(tx, order, actor=caller.actor, reason=f"refused:{reason_code}")
    await dispatch(tx, order.id)


async def expire(tx: Tx, offer_id: UUID, order_id: UUID) -> bool:
    """Close an offer whose deadline has passed and go on; False when it was answered meanwhile."""
    order = await orders.locked(tx, order_id)
    offer = await queries.offer(tx, offer_id)
    if not await _close(tx, offer, OfferStatus.EXPIRED, "no_answer", None, [OfferStatus.OFFERED]):
        return False
    await orders.release(tx, order, actor=SYSTEM.actor, reason="offer_expired")
    await dispatch(tx, order_id)
    return True


async def redispatch(tx: Tx, caller: Caller, order_id: UUID, reason: str) -> None:
    """Take the order back from whoever has it and look for somebody else."""
    order = await orders.locked(tx, order_id)
    if order.status != Status.PLACED:
        await take_back(tx, order, caller.actor, reason)
    await dispatch(tx, order_id, actor=caller.actor)


async def take_back(tx: Tx, order: OrderRow, actor: str, reason: str) -> OrderRow:
    """Withdraw the live offer of a locked order, free its booking, release it to `placed`."""
    offer = await queries.open_offer(tx, order.id)
    if offer is not None:
        await _close(tx, offer, OfferStatus.WITHDRAWN, reason[:80], None, [OfferStatus.OFFERED, OfferStatus.ACCEPTED])
    await queries.free(tx, order.id)
    return await orders.release(tx, order, actor=actor, reason=reason)


async def withdraw_for_cancelled(tx: Tx, order_id: UUID) -> None:
    """An order was cancelled: its offer cannot be accepted any more and its caregiver is free again."""
    offer = await queries.open_offer(tx, order_id)
    if offer is not None:
        before = [OfferStatus.OFFERED, OfferStatus.ACCEPTED]
        await _close(tx, offer, OfferStatus.WITHDRAWN, "order_cancelled", None, before)
    await queries.free(tx, order_id)


async def _locked(tx: Tx, caller: Caller, offer_id: UUID) -> tuple[OrderRow, dict[str, Any]]:
    """The order and its offer, both locked. An offer is its provider's own business."""
    found = await queries.locked_offer(tx, offer_id)
    if found is None or (caller.kind == "provider" and found[1]["provider_id"] != caller.provider_id):
        raise NotFound("offer_not_found")
    return found


async def _offer_in_time(
    tx: Tx,
    order: OrderRow,
    excluded: list[UUID],
    mode: str,
    attempt: int,
    actor: str,
    reason: str | None,
    provider_id: UUID | None = None,
    caregiver_id: UUID | None = None,
) -> tuple[UUID | None, search.Found]:
    """Offer at the earliest time that can be held, and the search that led there; else the first search.

    Whoever looks free at a time may still be under way from somebody else: the search does not know how long the
    way is, the booking does. Then a later time of the window is tried.
    """
    now = clock.now()
    first = found = await search.find(tx, order, excluded, provider_id=provider_id, caregiver_id=caregiver_id, now=now)
    while found.ranked:
        made = await _offer_first_free(tx, order, found, mode, attempt, actor, reason)
        if made is not None:
            return made, found
        found = await search.find(
            tx, order, excluded, provider_id=provider_id, caregiver_id=caregiver_id, now=now, after=found.starts_at
        )
    return None, first


async def _offer_first_free(
    tx: Tx, order: OrderRow, found: search.Found, mode: str, attempt: int, actor: str, reason: str | None
) -> UUID | None:
    """Offer to the best-ranked caregiver whose time is still free; None when every time went to somebody else."""
    ranked = search.explained(found.ranked)
    for choice in found.ranked:
        made = await _offer(tx, order, found, choice, ranked, mode, attempt, actor, reason)
        if made is not None:
            return made
    return None


async def _offer(
    tx: Tx,
    order: OrderRow,
    found: search.Found,
    choice: Ranked,
    ranked: list[dict[str, Any]],
    mode: str,
    attempt: int,
    actor: str,
    reason: str | None,
) -> UUID | None:
    candidate, now, offer_id, decision_id = choice.candidate, clock.now(), new_id(), new_id()
    starts_at = found.starts_at
    begin, end = occupied(starts_at, order.minutes, candidate.travel_minutes)
    deadline = now + timedelta(minutes=await _accept_minutes(tx, order))
    booking = (new_id(), candidate.caregiver_id, order.id, begin, end, starts_at, order.minutes, now)
    offer = (offer_id, candidate.provider_id, decision_id, mode, attempt, clock.service_day(starts_at), deadline)
    decision = (actor, reason, found.weights_version, found.excluded)
    if not await queries.hold_and_offer(tx, booking + offer + decision, found.funnel, ranked):
        return None
    moved = await orders.advance(
        tx,
        order,
        Status.DISPATCHED,
        actor=actor,
        facts={"decision": str(decision_id), "offer": str(offer_id), "score": choice.score},
        provider_id=candidate.provider_id,
        offer_id=offer_id,
        delivery="queued",
    )
    await tx.publish(
        OfferMade(
            offer_id=offer_id,
            order_id=order.id,
            provider_id=candidate.provider_id,
            deadline_at=deadline,
            version=moved.version,
            at=now,
        )
    )
    return offer_id


async def _close(
    tx: Tx, offer: Any, how: OfferStatus, reason: str | None, note: str | None, before: list[OfferStatus]
) -> bool:
    now = clock.now()
    if not await queries.close_offer(tx, offer["id"], how, now, reason, note, [b.value for b in before]):
        return False
    await tx.publish(
        OfferClosed(
            offer_id=offer["id"],
            order_id=offer["order_id"],
            provider_id=offer["provider_id"],
            how=how.value,
            reason=reason,
            at=now,
        )
    )
    return True


async def _give_to_person(tx: Tx, order: OrderRow, found: search.Found, actor: str, reason: str | None) -> None:
    decision_id, now = new_id(), clock.now()
    values = (decision_id, order.id, actor, reason, found.weights_version, found.starts_at, found.excluded)
    await queries.decide(tx, values, found.funnel, now)
    await tx.publish(NobodyFound(order_id=order.id, decision_id=decision_id, at=now))


async def _accept_minutes(tx: Tx, order: OrderRow) -> int:
    rules = await tx.cache.get("orders.deadline_rules", lambda: deadline_rules(tx))
    rule = choose(rules, lineage(order.division_code), order.urgency, "accept", clock.today())
    return rule.minutes if rule else ACCEPT_MINUTES


async def block(tx: Tx, caller: Caller, elder_id: UUID, caregiver_id: UUID, reason: str) -> None:
    """These two shall not meet again. Raises Invalid for an unknown person."""
    if not reason.strip():
        raise Invalid("reason_missing", field="reason")
    await queries.block(tx, elder_id, caregiver_id, caller.actor, reason, clock.now())
