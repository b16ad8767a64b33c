"""What a caregiver does on her own phone: see her visits, report from the door, have a code sent to the elder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.accounts import audit, scope
from app.catalog.service import points_of
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from app.elders import service as elders
from app.messaging import service as messaging
from app.orders import service as orders
from app.orders import views as order_views
from app.orders.lifecycle import IN_HAND, NOT_DONE_BECAUSE, Status
from app.orders.schemas import OrderView
from app.visits import door_codes, queries_caregiver, service
from app.visits.journal import Kind, VisitStatus
from app.visits.schemas import EventResult
from app.visits.schemas_caregiver import CaregiverEvent, DoorCodes, OwnVisit, OwnVisits

SEQ_SINCE = timedelta(days=30)
STEPS = (Kind.DEPARTED, Kind.ARRIVED, Kind.CHECKED_IN, Kind.CHECKED_OUT)
REACHED = {VisitStatus.EN_ROUTE: 1, VisitStatus.ARRIVED: 2, VisitStatus.IN_SERVICE: 3}
"""How many of the steps lie behind."""
FAILURES = ("elder_absent", "elder_refused", "unsafe", "out_of_scope")
_RESENT = timedelta(minutes=5)


async def own_visits(tx: Tx, caller: Caller) -> OwnVisits:
    """Today's and tomorrow's visits of the caller, in the order of the day."""
    now, caregiver_id = clock.now(), UUID(caller.id)
    begin, _ = clock.day_bounds(clock.today())
    rows = await queries_caregiver.hers(tx, caregiver_id, begin, begin + timedelta(days=2), begin - timedelta(days=1))
    snapshots = await order_views.snapshot(tx, [row["id"] for row in rows], in_hand_of=caller.provider_id)
    found = {order.id: order for order in snapshots}
    shown = await queries_caregiver.shown(tx, caregiver_id, list(found))
    return OwnVisits(
        now=now,
        caregiver_id=caregiver_id,
        caregiver=caller.name,
        last_seq=await queries_caregiver.last_seq(tx, caregiver_id, now - SEQ_SINCE),
        visits=[_visit(found[row["id"]], row, shown.get(row["id"])) for row in rows if row["id"] in found],
        failures={code: NOT_DONE_BECAUSE[code] for code in FAILURES},
    )


async def report(tx: Tx, caller: Caller, events: Sequence[CaregiverEvent]) -> list[EventResult]:
    """`service.record` of what happened to the caller herself."""
    caregiver_id = UUID(caller.id)
    brought = {event.event_id: event.proof for event in events if event.proof is not None}
    return await service.record(tx, caller, [event.by(caregiver_id) for event in events], brought)


async def send_code(tx: Tx, caller: Caller, order_id: UUID, end: Kind) -> bool:
    """Send the elder the code for one end of this visit; never to the caregiver. False without a phone.

    Raises NotFound for an order that is not the caller's, Conflict once it is no longer in hand.
    """
    order = await orders.get(tx, order_id)
    if UUID(caller.id) not in (order.caregiver_id, order.second_caregiver_id):
        raise NotFound("order_not_found")
    if Status(order.status) not in IN_HAND:
        raise Conflict("order_state", "this order is not in hand any more", status=order.status)
    now = clock.now()
    phone = (await elders.door(tx, order.elder_id)).phone
    spell = int(now.timestamp() // _RESENT.total_seconds())
    await messaging.send(
        tx,
        template="door_code",
        recipient_kind="elder",
        recipient_id=order.elder_id,
        address=phone,
        params={"caregiver": caller.name, "code": _code(tx, order_id, end)},
        order_id=order_id,
        division_code=order.division_code,
        dedupe_key=f"door_code:{order_id}:{end.value}:{spell}",
        urgent=True,
    )
    return phone is not None


async def read_codes(tx: Tx, caller: Caller, order_id: UUID) -> DoorCodes:
    """What an operator reads out to an elder who calls. Leaves an audit row. Raises NotFound out of scope."""
    order = await orders.get(tx, order_id)
    scope.see(caller, order.division_code)
    await audit.record(tx, caller, "visits.read_door_codes", "order", order_id)
    checked_in, checked_out = (_code(tx, order_id, end) for end in door_codes.ENDS)
    return DoorCodes(day=clock.today().isoformat(), checked_in=checked_in, checked_out=checked_out)


def _code(tx: Tx, order_id: UUID, end: Kind) -> str:
    return door_codes.code(tx.vault.key_for(door_codes.PURPOSE), order_id, end, clock.today())


def _visit(order: OrderView, row: Any, shown: tuple[int, bool, bool] | None) -> OwnVisit:
    photos, signature, skipped = shown or (0, False, False)
    told = order.visit or {}
    status = VisitStatus(told.get("status", VisitStatus.EXPECTED))
    over = status in (VisitStatus.ENDED, VisitStatus.FAILED) or Status(order.status) not in IN_HAND
    return OwnVisit(
        order_id=order.id, number=order.number, status=order.status, visit_status=status.value,
        starts_at=row["starts_at"], window=order.window, minutes=order.minutes, min_minutes=row["min_minutes"],
        item=order.item, points=points_of(row["description"]), urgency=order.urgency, elder=order.elder,
        lead=row["lead"], flags=order.flags,
        next=[] if over or not row["lead"] else list(STEPS[REACHED.get(status, 0) :]),
        departed_at=told.get("departed_at"), arrived_at=told.get("arrived_at"),
        checked_in_at=told.get("checked_in_at"), checked_out_at=told.get("checked_out_at"),
        photos=photos, signed="yes" if signature else "skipped" if skipped else None,
    )  # fmt: skip
