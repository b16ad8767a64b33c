"""What may be done with a care request: take it, find out what it is, close it.

Everything that reaches the centre becomes a request here; only `confirmation` makes an order of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.accounts import audit, scope
from app.calls import numbers
from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.core.json import dumps
from app.core.phones import parse_phone
from app.elders import service as elders
from app.intake import queries
from app.intake.events import ComplaintReceived, EmergencyReceived
from app.intake.queries import RequestRow
from app.intake.requests import (
    HANDED_ON,
    Channel,
    Kind,
    Status,
    Urgency,
    check_move,
    check_reclassification,
    first_status,
    window_fault,
)
from app.jobs import feed
from app.knowledge import service as knowledge
from app.orders import service as orders

DESK = "desk"


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, which is often not who is cared for. `phone` as typed."""

    name: str | None = None
    phone: str | None = None
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a device said of itself: the kind of alarm, its own name, and where it is in WGS-84; without a name, what
    kind of emergency somebody saw."""

    alarm: str
    device: str | None = None
    lng: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """What somebody asked for. `wanted_from` None is as soon as possible; `elder_words` describes an elder we
    do not have; `about_order_id` is the order a complaint or a hazard speaks of; `at` is when it was asked, if that was
    not just now."""

    channel: Channel
    kind: Kind = Kind.SERVICE
    urgency: Urgency = Urgency.NORMAL
    requester: Requester = field(default_factory=Requester)
    elder_id: UUID | None = None
    elder_words: dict[str, Any] | None = None
    item_code: str | None = None
    wanted_from: datetime | None = None
    wanted_to: datetime | None = None
    minutes: int | None = None
    note: str | None = None
    address: str | None = None
    division_code: str | None = None
    about_order_id: UUID | None = None
    contact_id: UUID | None = None
    call_id: UUID | None = None
    alarm: DeviceFacts | None = None
    at: datetime | None = None

    def of_contact(self, contact_id: UUID) -> NewRequest:
        return replace(self, contact_id=contact_id)


async def take_request(tx: Tx, caller: Caller, new: NewRequest) -> RequestRow:
    """Keep what somebody asked for; a complaint or an emergency is handed on in the same breath.

    Raises NotFound for an elder out of the caller's scope, Invalid for an unknown item, an impossible window or
    a complaint about somebody else's order.
    """
    now = new.at or clock.now()
    division = new.division_code
    if new.elder_id is not None:
        division = (await elders.elder(tx, new.elder_id)).division_code
    if caller.kind == "staff" and division is not None:
        scope.see(caller, division)
    await _check_item(tx, new.item_code)
    check_window(new.wanted_from, new.wanted_to, now)
    await _check_about(tx, new)
    if new.kind is Kind.EMERGENCY:
        new = replace(new, urgency=Urgency.EMERGENCY)
    values = values_of(tx, caller, new, division, now) | {"status": first_status(new.kind)}
    row = await queries.add(tx, values)
    await _tell_desk(tx, row)
    if new.kind in HANDED_ON:
        await _hand_on(tx, row, new.note, now, new.alarm)
    return row


async def reject(tx: Tx, caller: Caller, request_id: UUID, reason: str, version: int | None = None) -> RequestRow:
    """Close a request that will not be served, saying why."""
    row = await held(tx, caller, request_id, version)
    check(row, Status.REJECTED)
    return await queries.change(tx, row, clock.now(), status=Status.REJECTED, reason=reason, closed_by=caller.actor)


async def answer(
    tx: Tx, caller: Caller, request_id: UUID, text: str, version: int | None = None, *, article_id: UUID | None = None
) -> RequestRow:
    """Close a request with an answer: a consultation answered, or what was done about an emergency.

    The article it was given from is counted; Invalid for one that does not hold today.
    """
    row = await held(tx, caller, request_id, version)
    check(row, Status.ANSWERED)
    if article_id is not None:
        await knowledge.used(tx, article_id)
    kept = sealed(tx, row.id, "answer", text)
    return await queries.change(
        tx, row, clock.now(), status=Status.ANSWERED, answer=kept, article_id=article_id, closed_by=caller.actor
    )


async def answer_emergencies(tx: Tx, request_ids: Sequence[UUID], text: str, actor: str) -> None:
    """Close those of these emergencies that are still open, with what was done about them."""
    for row in await queries.lock(tx, *request_ids) if request_ids else ():
        if row.kind == Kind.EMERGENCY and row.status == Status.ESCALATED:
            kept = sealed(tx, row.id, "answer", text)
            await queries.change(tx, row, clock.now(), status=Status.ANSWERED, answer=kept, closed_by=actor)


async def merge(tx: Tx, caller: Caller, request_id: UUID, into: UUID, version: int | None = None) -> RequestRow:
    """Close a repetition by pointing at the request it repeats. Raises Invalid or Conflict for a target that
    itself leads nowhere."""
    if into == request_id:
        raise Invalid("merge_into_itself", "a request cannot be merged into itself", field="into")
    row, target = await queries.lock(tx, request_id, into)
    visible(caller, row)
    visible(caller, target)
    check_version(version, row.version)
    check(row, Status.MERGED)
    if target.status in {Status.MERGED, Status.REJECTED}:
        raise Conflict(
            "merge_target_closed", f"that request is {target.status}", status=target.status,
            merged_into=str(target.merged_into) if target.merged_into else None,
        )  # fmt: skip
    return await queries.change(
        tx, row, clock.now(), status=Status.MERGED, merged_into=target.id, closed_by=caller.actor
    )


async def reclassify(tx: Tx, caller: Caller, request_id: UUID, kind: Kind, version: int | None = None) -> RequestRow:
    """Say what a request really is; a complaint or an emergency is handed on at once."""
    row = await held(tx, caller, request_id, version)
    check_reclassification(Kind(row.kind), Status(row.status), kind)
    if kind == row.kind:
        return row
    now = clock.now()
    urgency = Urgency.EMERGENCY if kind is Kind.EMERGENCY else row.urgency
    changed = await queries.change(tx, row, now, kind=kind, status=first_status(kind), urgency=urgency)
    await _tell_desk(tx, changed)
    if kind in HANDED_ON:
        await _hand_on(tx, changed, opened(tx, changed, "note"), now)
    return changed


async def see(tx: Tx, caller: Caller, request_id: UUID) -> RequestRow:
    """Raises NotFound for a request out of scope."""
    row = await queries.get(tx, request_id)
    visible(caller, row)
    return row


async def reveal(tx: Tx, caller: Caller, request_id: UUID, names: list[str], reason: str) -> dict[str, str | None]:
    """Plain text of sealed fields, with an audit row. `names` of caller_phone, address, elder_words."""
    row = await see(tx, caller, request_id)
    await audit.record(tx, caller, "requests.reveal", "care_request", request_id, names, reason)
    return {name: opened(tx, row, name) for name in names}


def opened(tx: Tx, row: RequestRow, column: str) -> str | None:
    """A sealed column in plain text."""
    sealed: bytes | None = getattr(row, column)
    return tx.vault.open(f"care_request.{column}", row.id, sealed) if sealed is not None else None


def sealed(tx: Tx, row_id: UUID, column: str, plain: str | None) -> bytes | None:
    return tx.vault.seal(f"care_request.{column}", row_id, plain) if plain else None


def values_of(tx: Tx, caller: Caller, new: NewRequest, division: str | None, now: datetime) -> dict[str, Any]:
    row_id, asks = new_id(), new.requester
    phone = parse_phone(asks.phone).e164 if asks.phone else None
    described = dumps(new.elder_words) if new.elder_words else None
    return {
        "id": row_id, "channel": new.channel, "contact_id": new.contact_id, "call_id": new.call_id, "kind": new.kind,
        "urgency": new.urgency, "elder_id": new.elder_id, "division_code": division,
        "elder_words": sealed(tx, row_id, "elder_words", described),
        "caller_name": asks.name, "relation": asks.relation,
        "caller_phone": sealed(tx, row_id, "caller_phone", phone),
        "caller_phone_index": numbers.index(tx, phone) if phone else None,
        "item_code": new.item_code, "wanted_from": new.wanted_from, "wanted_to": new.wanted_to,
        "minutes": new.minutes, "note": sealed(tx, row_id, "note", new.note),
        "address": sealed(tx, row_id, "address", new.address), "about_order_id": new.about_order_id,
        "taken_by": caller.actor, "created_at": now, "updated_at": now, "version": 1,
    }  # fmt: skip


async def held(tx: Tx, caller: Caller, request_id: UUID, version: int | None) -> RequestRow:
    (row,) = await queries.lock(tx, request_id)
    visible(caller, row)
    check_version(version, row.version)
    return row


def visible(caller: Caller, row: RequestRow) -> None:
    # A request of nobody we know yet is everybody's to triage.
    if row.division_code is not None:
        scope.see(caller, row.division_code)


def check(row: RequestRow, to: Status) -> None:
    try:
        check_move(Kind(row.kind), Status(row.status), to)
    except Conflict as refused:
        refused.facts["order_id"] = str(row.order_id) if row.order_id else None
        refused.facts["version"] = row.version
        raise


def check_window(wanted_from: datetime | None, wanted_to: datetime | None, now: datetime) -> None:
    fault = window_fault(wanted_from or now, wanted_to, now)
    if fault is not None:
        raise Invalid("window_impossible", fault, field="wanted")


async def _check_item(tx: Tx, item_code: str | None) -> None:
    if item_code is None:
        return
    try:
        await catalog.item(tx, item_code)
    except NotFound:
        raise Invalid("service_item_unknown", "there is no such service item", field="item_code") from None


async def _check_about(tx: Tx, new: NewRequest) -> None:
    if new.about_order_id is None:
        return
    try:
        order = await orders.get(tx, new.about_order_id)
    except NotFound:
        order = None
    if order is None or order.elder_id != new.elder_id:
        raise Invalid("order_of_another_elder", "that is not an order of this elder", field="order_id")


async def _tell_desk(tx: Tx, row: RequestRow) -> None:
    kind = "emergency.received" if row.kind == Kind.EMERGENCY else "request.received"
    facts = {
        "care_request_id": str(row.id), "kind": row.kind, "channel": row.channel, "urgency": row.urgency,
        "elder_id": str(row.elder_id) if row.elder_id else None, "division": row.division_code,
    }  # fmt: skip
    await feed.append(tx, DESK, kind, facts=facts)


async def _hand_on(tx: Tx, row: RequestRow, words: str | None, now: datetime, alarm: DeviceFacts | None = None) -> None:
    if row.kind == Kind.COMPLAINT:
        await tx.publish(
            ComplaintReceived(
                care_request_id=row.id,
                elder_id=row.elder_id,
                order_id=row.about_order_id,
                channel=row.channel,
                words=words,
                taken_by=row.taken_by,
                at=now,
            )
        )
        return
    await tx.publish(
        EmergencyReceived(
            care_request_id=row.id,
            elder_id=row.elder_id,
            channel=row.channel,
            contact_id=row.contact_id,
            order_id=row.about_order_id,
            words=words,
            at=now,
            **({} if alarm is None else asdict(alarm)),
        )
    )
