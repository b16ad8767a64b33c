"""Naming who comes (指定): the booking is made by the constraint, the courtesy checks explain refusals.

Where two come together the lead answers for the visit, and naming one keeps the other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.dispatch import queries
from app.dispatch.events import CaregiverAssigned
from app.dispatch.teams import ROLES, Team
from app.matching import queries_bookings, search
from app.matching.queries_bookings import Time
from app.matching.times import occupied
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow
from app.providers import service as providers
from app.routing.travel import travel_minutes


async def name_caregiver(
    tx: Tx, caller: Caller, order_id: UUID, caregiver_id: UUID, reason: str | None, role: str = "lead"
) -> OrderRow:
    """The provider names or changes the lead, or the second, of an order it has accepted; the other one stays.

    Raises NotFound for another provider's order, Conflict before acceptance, after the service began, or when the
    caregiver is busy (with the booking that won), Invalid for a second where one is enough.
    """
    order = await orders.locked(tx, order_id)
    if order.provider_id is None or order.provider_id != caller.provider_id:
        raise NotFound("order_not_found")
    if order.status not in (Status.ACCEPTED, Status.ASSIGNED):
        raise Conflict("order_state", "a caregiver is named between acceptance and service", status=order.status)
    offer = await queries.open_offer(tx, order_id)
    now_coming = _coming(order, offer)
    team = named(now_coming, caregiver_id, None) if role == "lead" else named(now_coming, now_coming.lead, caregiver_id)
    assert team is not None  # noqa: S101 (somebody is named)
    if order.status == Status.ASSIGNED and team == now_coming:
        return order
    await queries_bookings.lock_caregivers(tx, [order_id], team.members)
    starts_at = offer["starts_at"] if offer is not None else order.wanted_from
    kept = await queries_bookings.keep(tx, order_id, team.lead, team.second)
    if missing := set(team.members) - kept:
        await book(tx, order, order.provider_id, team, missing, starts_at)
    return await assigned(tx, order, team, starts_at, actor=caller.actor, reason=reason)


def named(suggested: Team, lead: UUID | None, second: UUID | None) -> Team | None:
    """The team after somebody was named; None when nobody was. Who is not named comes as suggested.

    Raises Invalid for a second where one is enough, and for one person named twice.
    """
    if lead is None and second is None:
        return None
    if second is not None and suggested.second is None:
        raise Invalid("second_not_needed", "one caregiver is enough for this service", field="second_caregiver_id")
    if second is not None and second == lead:
        raise Invalid("caregiver_named_twice", "two different caregivers are needed", field="second_caregiver_id")
    team = suggested if lead is None else suggested.with_lead(lead)
    return team if second is None else team.with_second(second)


async def assigned(
    tx: Tx,
    order: OrderRow,
    team: Team,
    starts_at: datetime,
    *,
    actor: str,
    reason: str | None,
    offer: Any = None,
    facts: dict[str, Any] | None = None,
) -> OrderRow:
    """Move a locked order to `assigned`, everybody of `team` being booked.

    With `offer`, it was accepted just now and the order becomes accepted and assigned in one move.
    """
    now = clock.now()
    accepted: dict[str, Any] = {}
    if offer is not None:
        accepted = {
            "through": Status.ACCEPTED, "delivery": "fetched", "provider_id": offer["provider_id"],
            "offer_id": offer["id"],
        }  # fmt: skip
    said = {"caregiver": str(team.lead), "before": str(order.caregiver_id) if order.caregiver_id else None}
    if team.second is not None:
        before = order.second_caregiver_id
        said |= {"second": str(team.second), "second_before": str(before) if before else None}
    moved = await orders.advance(
        tx, order, Status.ASSIGNED, actor=actor, reason=reason, facts=said | (facts or {}), caregiver_id=team.lead,
        second_caregiver_id=team.second, assigned_at=now, visit=None, **accepted,
    )  # fmt: skip
    assert moved.provider_id is not None  # noqa: S101 (a table constraint says so)
    await tx.publish(
        CaregiverAssigned(
            order_id=order.id,
            provider_id=moved.provider_id,
            caregiver_id=team.lead,
            second_caregiver_id=team.second,
            starts_at=starts_at,
            version=moved.version,
            at=now,
        )
    )
    return moved


async def book(
    tx: Tx, order: OrderRow, provider_id: UUID, team: Team, missing: Collection[UUID], starts_at: datetime
) -> None:
    """Book those of `team` who are `missing`: all or nobody.

    Raises NotFound for another provider's caregiver, Invalid with the work rules somebody fails, Conflict with the
    booking that is in the way.
    """
    members, until = [], starts_at
    for caregiver_id, role in zip(team.members, ROLES, strict=False):
        if caregiver_id not in missing:
            continue
        minutes = await _way_of_the_fit(tx, order, provider_id, caregiver_id, starts_at)
        leaves, until = occupied(starts_at, order.minutes, minutes)
        members.append((caregiver_id, role, leaves))
    time = Time(order.id, members, until, starts_at, order.minutes)
    if await queries_bookings.book(tx, time, "booked", clock.now()):
        return
    for caregiver_id, _, leaves in members:
        won = await queries_bookings.blocking(tx, caregiver_id, leaves, until)
        if won is not None:
            raise _busy(caregiver_id, won)
    raise _busy(members[0][0], None)


async def _way_of_the_fit(tx: Tx, order: OrderRow, provider_id: UUID, caregiver_id: UUID, starts_at: datetime) -> int:
    """Minutes of the way for a caregiver who passes every work rule, but perhaps for being busy."""
    caregiver = await providers.caregiver(tx, caregiver_id)
    if caregiver.provider_id != provider_id:
        raise NotFound("caregiver_not_found")
    found = await search.find_at(tx, order, starts_at, provider_id, caregiver_id)
    refused = [step["rule"] for step in found.funnel if step["refused"] and step["rule"] != "busy"]
    if refused and not found.ranked:
        raise Invalid("caregiver_unfit", "this caregiver does not pass the work rules", rules=refused)
    if found.ranked:
        return found.ranked[0].candidate.travel_minutes
    return travel_minutes(None, None, order.lng, order.lat, "ebike")


def _coming(order: OrderRow, offer: Any) -> Team:
    """Who comes as things stand: those named, else those the offer suggests."""
    if order.caregiver_id is not None:
        return Team(order.caregiver_id, order.second_caregiver_id)
    return Team(offer["caregiver_id"], offer["second_caregiver_id"])


def _busy(caregiver_id: UUID, won: Any) -> Conflict:
    return Conflict(
        "caregiver_busy",
        "this caregiver is booked at that time",
        caregiver_id=str(caregiver_id),
        booked_from=won["starts_at"].isoformat() if won else None,
        booked_minutes=won["minutes"] if won else None,
    )
