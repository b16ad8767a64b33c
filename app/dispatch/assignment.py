"""Naming the caregiver (指定): the booking is made by the constraint, the courtesy checks explain refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.dispatch import queries, search
from app.dispatch.events import CaregiverAssigned
from app.dispatch.offers import occupied
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow
from app.providers import service as providers
from app.routing.travel import travel_minutes


async def name_caregiver(tx: Tx, caller: Caller, order_id: UUID, caregiver_id: UUID, reason: str | None) -> OrderRow:
    """The provider names or changes the caregiver of an order it has accepted.

    Raises NotFound for another provider's order, Conflict before acceptance, after the service began, or when the
    caregiver is busy (with the booking that won).
    """
    order = await orders.locked(tx, order_id)
    if order.provider_id is None or order.provider_id != caller.provider_id:
        raise NotFound("order_not_found")
    if order.status not in (Status.ACCEPTED, Status.ASSIGNED):
        raise Conflict("order_state", "a caregiver is named between acceptance and service", status=order.status)
    if order.caregiver_id == caregiver_id:
        return order
    await queries.lock_caregivers(tx, order_id, caregiver_id)
    offer = await queries.open_offer(tx, order_id)
    starts_at = offer["starts_at"] if offer is not None else order.wanted_from
    return await assign(tx, order, caregiver_id, starts_at, actor=caller.actor, reason=reason)


async def assign(
    tx: Tx,
    order: OrderRow,
    caregiver_id: UUID,
    starts_at: datetime,
    *,
    actor: str,
    reason: str | None,
    with_acceptance: bool = False,
) -> OrderRow:
    """Book `caregiver_id` for a locked order and move it to `assigned`.

    `with_acceptance`: the offer was accepted just now for the caregiver it held, whose time is booked already; the
    order becomes accepted and assigned in one move.
    """
    if not with_acceptance:
        await queries.free(tx, order.id)
        await _book(tx, order, caregiver_id, starts_at)
    now = clock.now()
    accepted: dict[str, Any] = {"through": Status.ACCEPTED, "delivery": "fetched"} if with_acceptance else {}
    moved = await orders.advance(
        tx,
        order,
        Status.ASSIGNED,
        actor=actor,
        reason=reason,
        facts={"caregiver": str(caregiver_id), "before": str(order.caregiver_id) if order.caregiver_id else None},
        caregiver_id=caregiver_id,
        assigned_at=now,
        visit=None,
        **accepted,
    )
    assert order.provider_id is not None  # noqa: S101 (a table constraint says so)
    await tx.publish(
        CaregiverAssigned(
            order_id=order.id,
            provider_id=order.provider_id,
            caregiver_id=caregiver_id,
            starts_at=starts_at,
            version=moved.version,
            at=now,
        )
    )
    return moved


async def _book(tx: Tx, order: OrderRow, caregiver_id: UUID, starts_at: datetime) -> None:
    caregiver = await providers.caregiver(tx, caregiver_id)
    if caregiver.provider_id != order.provider_id:
        raise NotFound("caregiver_not_found")
    found = await search.find_at(tx, order, starts_at, caregiver.provider_id, caregiver_id)
    refused = [step["rule"] for step in found.funnel if step["refused"] and step["rule"] != "busy"]
    if refused and not found.ranked:
        raise Invalid("caregiver_unfit", "this caregiver does not pass the work rules", rules=refused)
    minutes = (
        found.ranked[0].candidate.travel_minutes
        if found.ranked
        else travel_minutes(None, None, order.lng, order.lat, "ebike")
    )
    begin, end = occupied(starts_at, order.minutes, minutes)
    made = await queries.book(tx, (new_id(), caregiver_id, order.id, begin, end, starts_at, order.minutes, clock.now()))
    if not made:
        won = await queries.blocking_booking(tx, caregiver_id, begin, end)
        raise Conflict(
            "caregiver_busy",
            "this caregiver is booked at that time",
            booked_from=won["starts_at"].isoformat() if won else None,
            booked_minutes=won["minutes"] if won else None,
        )
