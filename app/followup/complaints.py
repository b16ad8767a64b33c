"""投诉: opened by a bad rating, by somebody who complains, or by the desk; answered and decided in time.

An order has at most one open complaint; while it is open the order carries a flag that keeps it out of every
settlement. Deadlines run in hours or, where the rule says so, in working days of the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.followup import figures
from app.followup import queries_complaints as queries
from app.followup.events import ComplaintDecided, ComplaintOpened
from app.orders import flags
from app.orders import service as orders
from app.orders.lifecycle import COMPLAINT
from app.orders.queries import OrderRow
from app.regions import service as regions


@dataclass(frozen=True, slots=True, kw_only=True)
class Grievance:
    """What is complained about. Everything but the reason may be unknown."""

    source: str
    reason_code: str
    urgency: str
    order_id: UUID | None = None
    elder_id: UUID | None = None
    provider_id: UUID | None = None
    division_code: str | None = None
    care_request_id: UUID | None = None
    detail: str | None = None
    rating_id: UUID | None = None
    rework_order_id: UUID | None = None


async def from_word(
    tx: Tx,
    caller: Caller,
    order: OrderRow,
    standing: UUID | None,
    *,
    source: str,
    reason_code: str,
    detail: str | None,
    rating_id: UUID | None,
    rework: bool,
) -> UUID:
    """What a bad word leads to: the order's open complaint (`standing`), or a new one, with rework if asked for."""
    again = (await orders.rework(tx, caller, order.id, reason_code)).id if rework else None
    if standing is not None:
        if again is not None:
            await queries.link_rework(tx, standing, again)
        return standing
    grievance = Grievance(
        source=source, reason_code=reason_code, urgency="normal", order_id=order.id, elder_id=order.elder_id,
        provider_id=order.provider_id, division_code=order.division_code, detail=detail, rating_id=rating_id,
        rework_order_id=again,
    )  # fmt: skip
    return await open_(tx, caller.actor, grievance)


async def open_(tx: Tx, actor: str, grievance: Grievance) -> UUID:
    """Open a complaint and flag its order. The order, if there is one, must be locked or locked here.

    Raises Conflict("complaint_open") when the order has an open one.
    """
    g = grievance
    if g.order_id is not None:
        await orders.locked(tx, g.order_id)
        if (standing := await queries.open_of_order(tx, g.order_id)) is not None:
            raise Conflict("complaint_open", "this order has an open complaint", complaint_id=str(standing))
    now, complaint_id = clock.now(), new_id()
    reply_due, close_due = await deadlines(tx, g.division_code, g.urgency, now)
    detail = tx.vault.seal("complaint.detail", complaint_id, g.detail) if g.detail else None
    await queries.open_(
        tx, complaint_id, g.order_id, g.elder_id, g.provider_id, g.division_code, g.care_request_id, g.urgency,
        g.source, g.reason_code, detail, g.rating_id, reply_due, close_due, g.rework_order_id, actor, now,
    )  # fmt: skip
    if g.order_id is not None:
        await flags.add(tx, g.order_id, COMPLAINT, actor, g.reason_code)
    opened = ComplaintOpened(
        complaint_id=complaint_id, order_id=g.order_id, provider_id=g.provider_id, division_code=g.division_code,
        reply_due_at=reply_due, at=now,
    )  # fmt: skip
    await tx.publish(opened)
    return complaint_id


async def deadlines(tx: Tx, division_code: str | None, urgency: str, at: datetime) -> tuple[datetime, datetime]:
    """When the first reply and the decision are due."""
    rule = await figures.rule(tx, division_code or "000000", urgency, at)
    return (
        await _due(tx, at, rule.reply_hours, rule.reply_working_days),
        await _due(tx, at, rule.close_hours, rule.close_working_days),
    )


async def reply(tx: Tx, caller: Caller, complaint_id: UUID, text: str, version: int | None) -> None:
    """The first word to whoever complained. Raises NotFound, Stale, Conflict once it is answered or decided."""
    row = await _held(tx, caller, complaint_id, version)
    if row["status"] != "open":
        raise Conflict("complaint_answered", "this complaint has been answered", status=row["status"])
    await queries.reply(tx, complaint_id, clock.now(), tx.vault.seal("complaint.reply", complaint_id, text))


async def decide(
    tx: Tx, caller: Caller, complaint_id: UUID, *, upheld: str, measures: str, rework: bool, version: int | None
) -> None:
    """A supervisor decides; the flag falls and the order may be settled, with what the decision means for it.

    Raises NotFound, Stale, Conflict("complaint_decided"), Invalid for rework without an order.
    """
    row = await _held(tx, caller, complaint_id, version)
    if row["status"] == "decided":
        raise Conflict("complaint_decided", "somebody has decided this", upheld=row["upheld"])
    order_id, now = row["order_id"], clock.now()
    again = None
    if rework:
        if order_id is None:
            raise Invalid("rework_without_order", "there is no order to work again", field="rework")
        again = (await orders.rework(tx, caller, order_id, "complaint_upheld")).id
    sealed = tx.vault.seal("complaint.measures", complaint_id, measures)
    await queries.decide(tx, complaint_id, upheld, sealed, caller.actor, now, again)
    if order_id is not None:
        await flags.drop(tx, order_id, COMPLAINT, caller.actor, f"complaint_decided:{upheld}")
    decided = ComplaintDecided(
        complaint_id=complaint_id, order_id=order_id, provider_id=row["provider_id"], upheld=upheld, at=now
    )
    await tx.publish(decided)


async def _held(tx: Tx, caller: Caller, complaint_id: UUID, version: int | None) -> queries.Row:
    """Lock the order, then the complaint; NotFound out of scope."""
    place = await queries.place(tx, complaint_id)
    if place is None or (place["division_code"] is not None and not scope.sees(caller, place["division_code"])):
        raise NotFound("complaint_not_found")
    if place["order_id"] is not None:
        await orders.locked(tx, place["order_id"])
    row = await queries.lock(tx, complaint_id)
    check_version(version, row["version"])
    return row


async def _due(tx: Tx, at: datetime, hours: int | None, working_days: int | None) -> datetime:
    if hours is not None:
        return at + timedelta(hours=hours)
    return await regions.add_working_days(tx, at, working_days or 0)
