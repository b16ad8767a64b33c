"""Orders as others see them: one query for any number of orders, masked unless asked for plain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.text import masked_name
from app.elders import service as elders
from app.orders import queries_reading
from app.orders.deadlines import is_late
from app.orders.lifecycle import IN_HAND
from app.orders.schemas import (
    DeadlineView,
    ElderView,
    ItemView,
    OrderView,
    PartyView,
    PayerView,
    WindowView,
)


async def snapshot(
    tx: Tx, order_ids: Sequence[UUID], *, plain: bool = False, in_hand_of: UUID | None = None
) -> list[OrderView]:
    """The orders in the order asked for; unknown ids are left out.

    `plain` adds the elder's name, door, phone and care notes. `in_hand_of` does so for the orders that this
    provider has in hand, from acceptance to completion, and leaves out those that are another's.
    """
    if not order_ids:
        return []
    rows = {row["id"]: row for row in await queries_reading.snapshots(tx, order_ids)}
    if in_hand_of is not None:
        rows = {i: row for i, row in rows.items() if row["provider_id"] == in_hand_of}
    open_ = {i for i, row in rows.items() if plain or (in_hand_of is not None and row["status"] in IN_HAND)}
    doors = await elders.doors(tx, list({rows[i]["elder_id"] for i in open_})) if open_ else {}
    now = clock.now()
    return [view(rows[i], now, doors.get(rows[i]["elder_id"]) if i in open_ else None) for i in order_ids if i in rows]


async def one(tx: Tx, order_id: UUID, *, plain: bool = False) -> OrderView:
    """Raises NotFound."""
    found = await snapshot(tx, [order_id], plain=plain)
    if not found:
        raise NotFound("order_not_found")
    return found[0]


def view(row: Any, now: datetime, door: Any = None) -> OrderView:
    """Build without validation: the row comes from our own tables, and this runs for every order on a board."""
    make: Any = OrderView.model_construct
    result: OrderView = make(
        id=row["id"], number=row["number"], status=row["status"], outcome=row["outcome"],
        outcome_reason=row["outcome_reason"], delivery=row["delivery"],
        item=ItemView.model_construct(code=row["item_code"], name=row["item_name"]),
        elder=_elder(row, door), urgency=row["urgency"], channel=row["channel"], division=row["division_code"],
        window=WindowView.model_construct(from_=row["wanted_from"], to=row["wanted_to"]), minutes=row["minutes"],
        deadlines=_deadlines(row, now), price_fen=row["price_fen"], copay_fen=row["copay_fen"],
        payers=[PayerView.model_construct(**payer) for payer in row["payers"]],
        provider=_party(row["provider_id"], row["provider_name"]),
        caregiver=_party(row["caregiver_id"], row["caregiver_name"]),
        second_caregiver=_party(row["second_caregiver_id"], row["second_name"]),
        visit=row["visit"], rating=row["rating"], flags=row["flags"], rework_of=row["rework_of"],
        care_request_id=row["care_request_id"], placed_at=row["placed_at"], completed_at=row["completed_at"],
        version=row["version"],
    )  # fmt: skip
    return result


def _elder(row: Any, door: Any) -> ElderView:
    if door is None:
        return ElderView.model_construct(id=row["elder_id"], name=masked_name(row["elder_name"]), sex=row["elder_sex"])
    return ElderView.model_construct(
        id=row["elder_id"], name=row["elder_name"], sex=row["elder_sex"], address=door.address, phone=door.phone,
        lng=door.lng, lat=door.lat, crs="wgs84" if door.lng is not None else None, care_notes=door.notes,
    )  # fmt: skip


def _party(party_id: UUID | None, name: str | None) -> PartyView | None:
    return PartyView.model_construct(id=party_id, name=name or "") if party_id is not None else None


def _deadlines(row: Any, now: datetime) -> list[DeadlineView]:
    if not row["names"]:
        return []
    return [
        DeadlineView.model_construct(name=name, due_at=due, met_at=met, late=is_late(due, met, now))
        for name, due, met in zip(row["names"], row["dues"], row["mets"], strict=True)
    ]
