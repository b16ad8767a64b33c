"""A day booked anew as a whole: what somebody planned elsewhere becomes bookings, offers and assignments, or nothing.

Every order is locked already, in the order of ids. All old time is given back before any new is taken, so that people
may change places; then the exclusion constraint decides about every new booking, and one refusal undoes the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.ids import new_id
from app.dispatch import assignment, cascade, offering
from app.dispatch import queries_replanning as queries
from app.dispatch.events import OfferMade
from app.dispatch.modes import Mode
from app.dispatch.queries_replanning import DayOffer
from app.dispatch.teams import ROLES, Team
from app.matching import availability, queries_bookings
from app.matching.queries_bookings import NewBooking
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow


@dataclass(frozen=True, slots=True)
class Planned:
    """An order in somebody's round: who of which provider, when, and when each leaves for the door."""

    order: OrderRow
    provider_id: UUID
    team: Team
    leaves: Sequence[datetime]
    """Of each of the team, the lead first."""
    starts_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Rebooking:
    """`kept` need no more than their ways; `assigned` are with a provider already; `offered` go to one now."""

    service_day: date
    kept: Sequence[Planned]
    assigned: Sequence[Planned]
    offered: Sequence[Planned]
    taken_back: Sequence[OrderRow]


async def rebook(tx: Tx, what: Rebooking, *, actor: str, reason: str) -> None:
    """Raises Conflict with the order and the booking that won when anybody's time is taken; nothing is done then."""
    now = clock.now()
    everything = [*what.kept, *what.assigned, *what.offered]
    before = await queries_bookings.statuses(tx, [one.order.id for one in what.kept])
    people = await queries_bookings.free_all(tx, [one.order.id for one in everything])
    for order in what.taken_back:
        await cascade.take_back(tx, order, actor, reason)
    offered = [await _free_to_offer(tx, one, actor, reason) for one in what.offered]
    new = [
        *_bookings(what.kept, before), *_bookings(what.assigned, "booked"), *_bookings(offered, "held"),
    ]  # fmt: skip
    new.sort(key=lambda one: (one.caregiver_id, one.leaves_at))
    if taken := await queries_bookings.book_all(tx, new, now):
        raise await _lost(tx, taken[0], len(taken))
    await _offer(tx, what.service_day, offered, actor, reason)
    if what.assigned:
        await queries.move_accepted(
            tx, [(one.order.id, one.team.lead, one.team.second, one.starts_at) for one in what.assigned],
            what.service_day,
        )  # fmt: skip
    for one in what.assigned:
        await assignment.assigned(tx, one.order, one.team, one.starts_at, actor=actor, reason=reason)
    await availability.make_anew(tx, what.service_day, people | {one.caregiver_id for one in new})


async def _free_to_offer(tx: Tx, one: Planned, actor: str, reason: str) -> Planned:
    """An order that is offered to somebody is taken back first."""
    if one.order.status == Status.PLACED:
        return one
    order = await cascade.take_back(tx, one.order, actor, reason)
    return Planned(order, one.provider_id, one.team, one.leaves, one.starts_at, one.until)


def _bookings(planned: Iterable[Planned], status: str | dict[UUID, str]) -> list[NewBooking]:
    return [
        NewBooking(
            caregiver_id, one.order.id, role, status if isinstance(status, str) else status[one.order.id], leaves_at,
            one.until, one.starts_at, one.order.minutes,
        )
        for one in planned
        for caregiver_id, role, leaves_at in zip(one.team.members, ROLES, one.leaves, strict=False)
    ]  # fmt: skip


async def _lost(tx: Tx, lost: NewBooking, count: int) -> Conflict:
    won = await queries_bookings.blocking(tx, lost.caregiver_id, lost.leaves_at, lost.until_at)
    order = await orders.get(tx, lost.order_id)
    return Conflict(
        "caregiver_busy",
        "somebody in this plan is booked at that time meanwhile; nothing was changed",
        order_id=str(order.id), order_number=order.number, caregiver_id=str(lost.caregiver_id),
        booked_from=won["starts_at"].isoformat() if won else None,
        booked_minutes=won["minutes"] if won else None, conflicts=count,
    )  # fmt: skip


async def _offer(tx: Tx, day: date, planned: Sequence[Planned], actor: str, reason: str) -> None:
    if not planned:
        return
    now, made = clock.now(), []
    for one in planned:
        deadline = now + timedelta(minutes=await offering.accept_minutes(tx, one.order))
        made.append(
            DayOffer(new_id(), new_id(), one.order.id, one.provider_id, one.team.lead, one.team.second, one.starts_at,
                     deadline)
        )  # fmt: skip
    await queries.offer_all(tx, made, Mode.ROUND.value, day, now, actor, reason)
    for one, new in zip(planned, made, strict=True):
        facts = {"decision": str(new.decision_id), "mode": Mode.ROUND.value, "offer": str(new.id)}
        moved = await orders.advance(
            tx, one.order, Status.DISPATCHED, actor=actor, reason=reason, facts=facts,
            provider_id=one.provider_id, offer_id=new.id, delivery="queued",
        )  # fmt: skip
        await tx.publish(
            OfferMade(
                offer_id=new.id, order_id=one.order.id, provider_id=one.provider_id, deadline_at=new.deadline_at,
                version=moved.version, at=now,
            )
        )  # fmt: skip
