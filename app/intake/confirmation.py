"""From request to order: by confirming a request, or in one step at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller
from app.intake import queries
from app.intake.requests import Channel, Kind, Status, Urgency, missing
from app.intake.service import NewRequest, Requester, check, check_window, held, opened, sealed, values_of
from app.orders import service as orders
from app.orders.queries import OrderRow
from app.orders.service import NewOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the operator found out before confirming; None keeps what the request says."""

    elder_id: UUID | None = None
    item_code: str | None = None
    urgency: Urgency | None = None
    window: tuple[datetime | None, datetime | None] | None = None
    minutes: int | None = None
    note: str | None = None


async def place_order(tx: Tx, caller: Caller, new: NewRequest) -> OrderRow:
    """Request and confirmation in one step, for a desk that has asked everything. Raises as `orders.place`.

    The order comes first and brings the elder's division, so that the request is one insert.
    """
    now = clock.now()
    check_window(new.wanted_from, new.wanted_to, now)
    values = values_of(tx, caller, new, None, now)
    order = await orders.place(tx, caller, _new_order(new, values["id"]))
    if caller.kind != "family":  # whose elder it is was found out by their phone; they have no divisions
        scope.see(caller, order.division_code)
    values |= {
        "status": Status.CONFIRMED, "order_id": order.id, "division_code": order.division_code,
        "closed_by": caller.actor,
    }  # fmt: skip
    if new.call_id is None:
        queries.add_later(tx, values)
    else:
        await queries.add(tx, values)
    return order


async def confirm(
    tx: Tx, caller: Caller, request_id: UUID, found_out: Completion, version: int | None = None
) -> OrderRow:
    """Make an order of a service request. Raises Conflict when it is none or closed, Invalid while something is
    missing (`missing` names it)."""
    row = await held(tx, caller, request_id, version)
    check(row, Status.CONFIRMED)
    now = clock.now()
    window = found_out.window if found_out.window is not None else (row.wanted_from, row.wanted_to)
    note = found_out.note if found_out.note is not None else opened(tx, row, "note")
    elder_id, item_code = found_out.elder_id or row.elder_id, found_out.item_code or row.item_code
    lacking = missing(Kind.SERVICE, elder=elder_id is not None, item=item_code is not None, caller=True, place=True)
    if elder_id is None or item_code is None:
        raise Invalid("care_request_incomplete", "something is still missing: " + ", ".join(lacking), missing=lacking)
    check_window(*window, now)
    asked = NewRequest(
        channel=Channel(row.channel),
        urgency=found_out.urgency or Urgency(row.urgency),
        requester=Requester(row.caller_name, None, row.relation),
        elder_id=elder_id,
        item_code=item_code,
        wanted_from=window[0],
        wanted_to=window[1],
        minutes=found_out.minutes or row.minutes,
        note=note,
    )
    order = await orders.place(tx, caller, _new_order(asked, row.id))
    scope.see(caller, order.division_code)
    await queries.change(
        tx, row, now, status=Status.CONFIRMED, order_id=order.id, elder_id=elder_id, item_code=item_code,
        division_code=order.division_code, urgency=asked.urgency, wanted_from=window[0], wanted_to=window[1],
        minutes=asked.minutes, note=sealed(tx, row.id, "note", note), closed_by=caller.actor,
    )  # fmt: skip
    return order


def _new_order(new: NewRequest, request_id: UUID) -> NewOrder:
    if new.elder_id is None or new.item_code is None:
        raise Invalid("care_request_incomplete", "an order names an elder and an item")
    return NewOrder(
        elder_id=new.elder_id, item_code=new.item_code, urgency=new.urgency, channel=new.channel,
        care_request_id=request_id, wanted_from=new.wanted_from, wanted_to=new.wanted_to, minutes=new.minutes,
        note=new.note, requester_name=new.requester.name, requester_relation=new.requester.relation,
    )  # fmt: skip
