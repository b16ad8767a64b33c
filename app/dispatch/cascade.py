"""Who is asked next: the mode an order goes out in, what follows a loss, and when a person has to look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.dispatch import mode_rules, offering, queries
from app.dispatch.events import NobodyFound, OfferClosed
from app.dispatch.modes import Mode, Plan
from app.dispatch.offering import Ask
from app.dispatch.offers import IN_OTHERS_HANDS, MAX_ATTEMPTS, OfferStatus, furthest
from app.matching import queries_bookings, queries_decisions, search
from app.matching.search import Found
from app.orders import notes
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow


async def dispatch(tx: Tx, order_id: UUID, *, actor: str = SYSTEM.actor, holding: bool = False) -> UUID | None:
    """Put a placed order before whoever its mode names; None when a person has to look. Keeps the decision.

    Returns an offer's id; the first of them where several may grab.
    """
    return await dispatch_locked(tx, await orders.locked(tx, order_id), actor=actor, holding=holding)


async def dispatch_locked(tx: Tx, order: OrderRow, *, actor: str = SYSTEM.actor, holding: bool = False) -> UUID | None:
    """`dispatch` for an order this transaction has locked, or has just made.

    `holding`: it has freed or booked somebody before, and must not wait for others who did the same.
    """
    if order.status != Status.PLACED or order.flags:
        return None
    past = await queries.past_offers(tx, order.id) if order.version > 1 else []
    asked = sorted({row["provider_id"] for row in past}, key=str)
    attempt = next_attempt(past)
    plan = await mode_rules.plan_for(tx, order, asked)
    ask = Ask(mode=plan.mode, attempt=attempt, actor=actor, excluded=asked, waiting=not holding)
    if attempt > MAX_ATTEMPTS:
        await _give_to_person(tx, order, plan, search.nobody(order, asked), actor, "attempts_used_up")
        return None
    outcome = await offering.offer_in_time(tx, order, _by(plan, ask))
    if outcome.offer_id is None and plan.mode is Mode.FIXED and not outcome.doubtful:
        plan = plan.ranked("fixed_provider_has_nobody")
        outcome = await offering.offer_in_time(tx, order, _by(plan, replace(ask, waiting=False)))
    if outcome.doubtful:
        await _decide_nothing(tx, order, plan, outcome.found, actor, IN_OTHERS_HANDS)
    elif outcome.offer_id is None:
        await _give_to_person(tx, order, plan, outcome.found, actor, plan.because)
    return outcome.offer_id


def next_attempt(past: list[Any]) -> int:
    """Counts rounds, not offers: several are asked at once in one round."""
    return max((row["attempt"] for row in past), default=0) + 1


async def close(
    tx: Tx, offer: Any, how: OfferStatus, reason: str | None, note: str | None, before: list[OfferStatus]
) -> bool:
    """End an offer whose order is locked, and tell its provider; False when it is in none of the states `before`."""
    now = clock.now()
    if not await queries.close_offer(tx, offer["id"], how, now, reason, note, [b.value for b in before]):
        return False
    await tell_closed(tx, offer, how, reason)
    return True


async def tell_closed(tx: Tx, offer: Any, how: OfferStatus, reason: str | None) -> None:
    await tx.publish(
        OfferClosed(
            offer_id=offer["id"],
            order_id=offer["order_id"],
            provider_id=offer["provider_id"],
            how=how.value,
            reason=reason,
            at=clock.now(),
        )
    )


async def after_loss(tx: Tx, order: OrderRow, offer: Any, actor: str, reason: str) -> None:
    """An offer of a locked order was refused or ran out: on to the next, unless others may still grab it.

    Either way the order's history says whose offer it was and why it ended.
    """
    left = await queries.live_offers(tx, order.id) if offer["mode"] == Mode.GRAB else []
    facts = {"offer": str(offer["id"]), "provider_id": str(offer["provider_id"])}
    if left:
        delivery = furthest(row["delivery"] for row in left)
        await notes.keep(tx, order, actor=actor, reason=reason, facts=facts, delivery=delivery)
        return
    order = await orders.release(tx, order, actor=actor, reason=reason, facts=facts)
    await dispatch_locked(tx, order, holding=True)


async def take_back(tx: Tx, order: OrderRow, actor: str, reason: str) -> OrderRow:
    """Withdraw every live offer of a locked order, free its bookings, release it to `placed`."""
    withdrawn = await withdraw(tx, order.id, reason[:80])
    return await orders.release(tx, order, actor=actor, reason=reason, facts=withdrawn)


async def withdraw(tx: Tx, order_id: UUID, reason: str) -> dict[str, Any]:
    """Withdraw every live offer of a locked order and free its bookings; returns what its history should say."""
    live = await queries.live_offers(tx, order_id)
    for offer in live:
        await close(tx, offer, OfferStatus.WITHDRAWN, reason, None, [OfferStatus.OFFERED, OfferStatus.ACCEPTED])
    await queries_bookings.free(tx, order_id)
    return {"withdrawn": [str(offer["id"]) for offer in live]} if live else {}


def _by(plan: Plan, ask: Ask) -> Ask:
    return replace(
        ask, mode=plan.mode, version=plan.version, reason=plan.because, breadth=plan.breadth,
        provider_id=plan.provider_id,
    )  # fmt: skip


async def _give_to_person(tx: Tx, order: OrderRow, plan: Plan, found: Found, actor: str, reason: str | None) -> None:
    decision_id = await _decide_nothing(tx, order, plan, found, actor, reason)
    await tx.publish(NobodyFound(order_id=order.id, decision_id=decision_id, at=clock.now()))


async def _decide_nothing(tx: Tx, order: OrderRow, plan: Plan, found: Found, actor: str, reason: str | None) -> UUID:
    """Keep that nobody was asked, and why; returns the decision. The sweep comes back to it."""
    decision_id = new_id()
    values = (
        decision_id, order.id, plan.mode.value, plan.version, actor, reason, found.weights_version, found.starts_at,
        found.excluded,
    )  # fmt: skip
    await queries_decisions.decide(tx, values, found.funnel, clock.now())
    return decision_id
