"""The verbs of dispatch as others call them. Every path locks the order first, then its offers.

`cascade` decides who is asked next, `offering` makes the offers, `answers` takes what providers say.
"""

from __future__ import annotations

from uuid import UUID

from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import SYSTEM, Caller
from app.dispatch import cascade, offering, queries
from app.dispatch.answers import accept, expire, refuse
from app.dispatch.cascade import dispatch, dispatch_locked, take_back
from app.dispatch.modes import Mode
from app.dispatch.offering import Ask
from app.dispatch.offers import IN_OTHERS_HANDS
from app.orders import notes
from app.orders import service as orders
from app.orders.lifecycle import Status


async def offer_by_hand(
    tx: Tx, caller: Caller, order_id: UUID, provider_id: UUID, caregiver_id: UUID | None, reason: str
) -> UUID:
    """Offer to the provider (and caregiver) a person chose. The work rules still hold; the score does not.

    Raises Conflict with the funnel when nobody of that provider passes the rules, or the time is taken; and
    "in_others_hands" when that cannot be known just now.
    """
    order = await orders.locked(tx, order_id)
    if freed := order.status != Status.PLACED:
        order = await take_back(tx, order, caller.actor, reason)
    attempt = cascade.next_attempt(await queries.past_offers(tx, order_id))
    outcome = await offering.offer_in_time(
        tx,
        order,
        Ask(
            mode=Mode.MANUAL,
            attempt=attempt,
            actor=caller.actor,
            reason=reason,
            provider_id=provider_id,
            caregiver_id=caregiver_id,
            waiting=not freed,
        ),
    )
    if outcome.doubtful:
        raise Conflict(IN_OTHERS_HANDS, "others are deciding on these caregivers just now; ask again")
    if outcome.offer_id is None:
        raise Conflict("nobody_fits", "nobody there passes the work rules at that time", funnel=outcome.found.funnel)
    return outcome.offer_id


async def redispatch(tx: Tx, caller: Caller, order_id: UUID, reason: str) -> None:
    """Take the order back from whoever has it and look for somebody else."""
    order = await orders.locked(tx, order_id)
    if freed := order.status != Status.PLACED:
        order = await take_back(tx, order, caller.actor, reason)
    await dispatch_locked(tx, order, actor=caller.actor, holding=freed)


async def withdraw_for_cancelled(tx: Tx, order_id: UUID) -> None:
    """An order was cancelled: no offer of it can be accepted any more and its caregivers are free again."""
    withdrawn = await cascade.withdraw(tx, order_id, "order_cancelled")
    if len(withdrawn.get("withdrawn", ())) > 1:  # a single one stands in the cancellation itself
        order = await orders.locked(tx, order_id)
        await notes.keep(tx, order, actor=SYSTEM.actor, reason="offers_withdrawn", facts=withdrawn)


__all__ = [
    "accept", "dispatch", "dispatch_locked", "expire", "offer_by_hand", "redispatch", "refuse", "take_back",
    "withdraw_for_cancelled",
]  # fmt: skip
