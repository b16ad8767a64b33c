"""What may be done with an order. `advance` is the only writer of a status: lock, check, write, append, publish."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.benefits import service as benefits
from app.catalog import pricing
from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.elders import service as elders
from app.orders import deadlines, queries
from app.orders.events import OrderAdvanced, OrderPlaced
from app.orders.lifecycle import (
    CANCELLABLE,
    MEETS,
    Outcome,
    Status,
    blocking_flag,
    may_move,
)
from app.orders.queries import OrderRow
from app.orders.recurring import SETTLING, waits_until
from app.regions import divisions

get = queries.get
get_all = queries.get_all
locked = queries.lock
all_locked = queries.lock_all


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What intake asks for. `wanted_from` None means as soon as possible; `minutes` None the item's standard."""

    elder_id: UUID
    item_code: str
    urgency: str
    channel: str
    care_request_id: UUID | None = None
    wanted_from: datetime | None = None
    wanted_to: datetime | None = None
    minutes: int | None = None
    note: str | None = None
    requester_name: str | None = None
    requester_relation: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


async def place(tx: Tx, caller: Caller, wanted: NewOrder) -> OrderRow:
    """Make an order: price it, split it over the payers, reserve the quota, start its clocks.

    Raises NotFound for an unknown elder or item, Invalid for an impossible window, a consultation item or an
    elder who no longer lives here, Conflict when the quota went to somebody else meanwhile.
    """
    now = clock.now()
    elder = await elders.elder(tx, wanted.elder_id)
    if elder.status != "active":
        raise Invalid("elder_not_active", "this elder has moved away or died", field="elder_id")
    item = await catalog.item(tx, wanted.item_code)
    if not item.active or item.kind == "consultation":
        raise Invalid("item_not_orderable", "this item cannot be ordered", field="item_code")
    minutes = wanted.minutes or item.standard_minutes
    if not item.min_minutes <= minutes <= item.max_minutes:
        raise Invalid("minutes_out_of_range", f"{item.min_minutes} to {item.max_minutes} minutes", field="minutes")
    begin = wanted.wanted_from or now
    if wanted.wanted_to is not None and wanted.wanted_to <= begin:
        raise Invalid("window_empty", "the window ends before it begins", field="wanted")
    day = clock.service_day(begin)
    price = await catalog.price_on(tx, item.code, elder.division_code, day)
    amount = pricing.amount_fen(price.price_fen, price.per_minutes, minutes)
    split = await benefits.quote(tx, elder.id, item.code, amount, day)
    order_id = new_id()
    values = {
        "id": order_id, "item_code": item.code, "elder_id": elder.id, "division_code": elder.division_code,
        "urgency": wanted.urgency, "channel": wanted.channel, "care_request_id": wanted.care_request_id,
        "requester_name": wanted.requester_name, "requester_relation": wanted.requester_relation,
        "wanted_from": begin, "wanted_to": wanted.wanted_to, "minutes": minutes, "price_fen": amount,
        "price_version_id": price.id, "payers": payer_rows(split.parts), "copay_fen": split.copay_fen,
        "rework_of": None, "note": _sealed_note(tx, order_id, wanted.note), "lng": elder.lng, "lat": elder.lat,
        "placed_by": caller.actor, "placed_at": now,
    }  # fmt: skip
    order = await _insert(tx, values, now)
    await benefits.reserve(tx, order.id, split, day)
    await tx.publish(OrderPlaced(order=order, actor=caller.actor, at=now))
    return order


async def advance(
    tx: Tx,
    order: OrderRow,
    to: Status,
    *,
    actor: str,
    through: Status | None = None,
    reason: str | None = None,
    facts: dict[str, Any] | None = None,
    at: datetime | None = None,
    **changes: Any,
) -> OrderRow:
    """Move a locked `order` to `to`, with `changes` to its other columns in the same statement.

    `through` is a status that it passes at the same moment, as an order does that is accepted with a caregiver
    named. `at` is when it happened, if that is not now (a visit told hours later); clocks that start run from then.
    Raises Conflict when the table of moves, a flag or a newer version forbids it.
    """
    path = [to] if through is None else [through, to]
    steps = list(pairwise([Status(order.status), *path]))
    for before, after in steps:
        if not may_move(before, after):
            raise Conflict("order_state", f"an order that is {before} cannot become {after}", status=before.value)
    if flag := blocking_flag(order.flags, to):
        raise Conflict("order_blocked", f"the order is held by {flag}", flag=flag, status=order.status)
    now = clock.now()
    if to is Status.COMPLETED:
        changes.setdefault("completed_at", at or now)
    moved = await queries.advance(
        tx,
        order,
        path,
        now,
        actor=actor,
        reason=reason,
        facts=facts,
        met=[MEETS[step] for step in path if step in MEETS],
        clocks=[one for step in path for one in await _clocks(tx, step, order, at or now)],
        changes=changes,
    )
    if moved is None:
        raise Conflict("order_changed", "somebody else changed this order just now")
    if to is Status.CLOSED and moved.outcome == Outcome.NOT_DONE:
        await benefits.release(tx, order.id)
    for number, (before, after) in enumerate(steps, start=1):
        await tx.publish(
            OrderAdvanced(
                order_id=order.id,
                before=before,
                after=after,
                provider_id=order.provider_id or moved.provider_id,
                offer_id=moved.offer_id or order.offer_id,
                version=order.version + number,
                actor=actor,
                reason=reason if after is to else None,
                at=now,
            )
        )
    return moved


async def release(tx: Tx, order: OrderRow, *, actor: str, reason: str, facts: dict[str, Any] | None = None) -> OrderRow:
    """Give a locked order back to dispatch (改派); history names the offer that is released, and `facts`."""
    held = {"released_offer": order.offer_id, "provider_id": order.provider_id}
    return await advance(
        tx, order, Status.PLACED, actor=actor, reason=reason, facts=_said(held) | (facts or {}),
        provider_id=None, caregiver_id=None, second_caregiver_id=None, offer_id=None, assigned_at=None,
        delivery="none", visit=None,
    )  # fmt: skip


async def cancel(tx: Tx, caller: Caller, order_id: UUID, reason_code: str, by: str) -> OrderRow:
    """Cancel before the service began; the reserved quota is free again."""
    order = await queries.lock(tx, order_id)
    if Status(order.status) not in CANCELLABLE:
        raise Conflict("order_state", f"an order that is {order.status} cannot be cancelled", status=order.status)
    facts = {"by": by} | _said({"withdrawn_offer": order.offer_id, "provider_id": order.provider_id})
    moved = await advance(
        tx, order, Status.CANCELLED, actor=caller.actor, reason=reason_code, facts=facts, delivery="none"
    )
    await benefits.release(tx, order.id)
    return moved


async def rework(tx: Tx, caller: Caller, order_id: UUID, reason: str) -> OrderRow:
    """A new order for the same work at price 0, pointing at the old one; as soon as possible, urgent."""
    old = await queries.lock(tx, order_id)
    if old.completed_at is None:
        raise Conflict("order_state", "only a completed order can be worked again", status=old.status)
    now = clock.now()
    new = new_id()
    values = {name: getattr(old, name) for name in queries.NAMES}
    values |= {
        "id": new, "urgency": "urgent", "wanted_from": now, "wanted_to": None, "price_fen": 0, "copay_fen": 0,
        "payers": [], "rework_of": old.id, "placed_by": caller.actor, "placed_at": now,
        "note": _sealed_note(tx, new, open_note(tx, old)),
    }  # fmt: skip
    order = await _insert(tx, values, now)
    await queries.set_flags(tx, old, old.flags, now, caller.actor, reason, {"rework": str(new)})
    await tx.publish(OrderPlaced(order=order, actor=caller.actor, at=now))
    return order


async def held(tx: Tx, caller: Caller, order_id: UUID, version: int | None) -> OrderRow:
    """The order, locked for a change by somebody who has seen `version` of it. Raises NotFound out of scope, Stale."""
    order = await queries.lock(tx, order_id)
    scope.see(caller, order.division_code)
    check_version(version, order.version)
    return order


def open_note(tx: Tx, order: OrderRow) -> str | None:
    """The requester's note in plain text."""
    return tx.vault.open("care_order.note", order.id, order.note) if order.note else None


def payer_rows(parts: Any) -> list[dict[str, Any]]:
    """Payer parts as an order keeps them: payer, scheme code, amount in fen, reason."""
    return [{"payer": p.payer, "scheme": p.scheme_code, "amount_fen": p.amount_fen, "reason": p.reason} for p in parts]


async def _insert(tx: Tx, values: dict[str, Any], now: datetime) -> OrderRow:
    waits = waits_until(values["channel"], values["wanted_from"])
    began = max(now, waits + SETTLING) if waits is not None else now  # nobody is late with what has to wait
    clocks = await _running(tx, Status.PLACED, values["division_code"], values["urgency"], began, values["wanted_from"])
    return await queries.place(tx, clock.service_day(now).strftime("%y%m%d"), values, clocks)


async def _clocks(tx: Tx, to: Status, order: OrderRow, now: datetime) -> list[tuple[str, datetime]]:
    if to not in deadlines.STARTS_AT:
        return []
    return await _running(tx, to, order.division_code, order.urgency, now, order.wanted_from)


async def _running(
    tx: Tx, to: Status, division_code: str, urgency: str, now: datetime, window_from: datetime
) -> list[tuple[str, datetime]]:
    rules = await tx.cache.get("orders.deadline_rules", lambda: queries.deadline_rules(tx))
    return deadlines.started_by(
        to, rules, divisions.lineage(division_code), urgency, now, window_from, clock.service_day(now),
        rural=divisions.is_rural(division_code),
    )  # fmt: skip


def _said(facts: dict[str, UUID | None]) -> dict[str, Any]:
    return {name: str(value) for name, value in facts.items() if value is not None}


def _sealed_note(tx: Tx, order_id: UUID, note: str | None) -> bytes | None:
    return tx.vault.seal("care_order.note", order_id, note) if note else None
