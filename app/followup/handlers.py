"""What follow-up does when others speak."""

from __future__ import annotations

from app.core.db import Tx
from app.core.errors import NotFound
from app.followup import complaints, queries_complaints, service
from app.followup.complaints import Grievance
from app.intake.events import ComplaintReceived
from app.orders import service as orders
from app.orders.events import OrderFlagged
from app.orders.lifecycle import COMPLAINT
from app.visits.events import ServiceCompleted


async def on_service_completed(tx: Tx, event: ServiceCompleted) -> None:
    """A visit is over: plan how we learn what it was worth."""
    await service.plan(tx, event)


async def on_order_flagged(tx: Tx, event: OrderFlagged) -> None:
    """An order that was held may have been followed up meanwhile."""
    if not event.raised and event.flag != COMPLAINT:
        await service.close_if_followed_up(tx, event.order_id, event.actor)


async def on_complaint_received(tx: Tx, event: ComplaintReceived) -> None:
    """Somebody complained to the desk. About an order with an open complaint it is the same matter."""
    if await queries_complaints.of_request(tx, event.care_request_id) is not None:
        return
    order = None
    if event.order_id is not None:
        try:
            order = await orders.locked(tx, event.order_id)
        except NotFound:
            order = None
    if order is not None and await queries_complaints.open_of_order(tx, order.id) is not None:
        return
    request = await queries_complaints.request(tx, event.care_request_id)
    grievance = Grievance(
        source="request",
        reason_code="complaint_received",
        urgency=request["urgency"] if request else "normal",
        order_id=order.id if order else None,
        elder_id=event.elder_id,
        provider_id=order.provider_id if order else None,
        division_code=order.division_code if order else request["division_code"] if request else None,
        care_request_id=event.care_request_id,
        detail=event.words,
    )
    await complaints.open_(tx, event.taken_by, grievance)
