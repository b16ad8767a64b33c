"""Care requests as the desk sees them: masked, with what is missing and what may be the same wish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.text import masked_name, masked_phone
from app.elders import service as elders
from app.intake import queries, requests
from app.intake.queries import RequestRow
from app.intake.requests import Kind, Status
from app.intake.schemas_views import (
    CareRequestView,
    DuplicateView,
    OwnRequestView,
    PersonView,
    RequesterView,
    TakenView,
    WindowView,
)
from app.intake.service import opened
from app.orders import lifecycle

OPEN_ORDERS = sorted(lifecycle.OPEN)


async def several(tx: Tx, rows: Sequence[RequestRow]) -> list[CareRequestView]:
    names = await queries.elder_names(tx, [row.elder_id for row in rows if row.elder_id is not None])
    return [CareRequestView.model_construct(**_fields(tx, row, names)) for row in rows]


async def taken(tx: Tx, row: RequestRow) -> TakenView:
    """One request with its possible duplicates and, without an elder, who may be meant."""
    names = await queries.elder_names(tx, [row.elder_id] if row.elder_id is not None else [])
    found = await queries.like_it(tx, row.id, row.elder_id, row.caller_phone_index, OPEN_ORDERS)
    wish = requests.Wish(row.item_code, _day(row.wanted_from or row.created_at))
    duplicates = [_duplicate(wish, other) for other in found] if row.status in requests.OPEN else []
    duplicates.sort(key=_strength)
    suggested = await _suggested(tx, row)
    return TakenView.model_construct(**_fields(tx, row, names), duplicates=duplicates, suggested_elders=suggested)


async def alike(tx: Tx, elder_id: UUID, item_code: str | None, wanted_from: datetime | None) -> list[DuplicateView]:
    """Open requests and orders of an elder that may be the wish an operator is writing down, the likest first."""
    found = await queries.like_it(tx, None, elder_id, None, OPEN_ORDERS)
    wish = requests.Wish(item_code, _day(wanted_from or clock.now()))
    return sorted((_duplicate(wish, other) for other in found), key=_strength)


def own(tx: Tx, row: RequestRow, external_id: str | None = None) -> OwnRequestView:
    return OwnRequestView.model_construct(
        id=row.id, external_id=external_id, kind=row.kind, status=row.status, elder_id=row.elder_id,
        item_code=row.item_code, order_id=row.order_id, answer=opened(tx, row, "answer"), created_at=row.created_at,
    )  # fmt: skip


def _fields(tx: Tx, row: RequestRow, names: dict[UUID, str]) -> dict[str, Any]:
    kind, status = Kind(row.kind), Status(row.status)
    phone = opened(tx, row, "caller_phone")
    elder = None
    if row.elder_id is not None:
        elder = PersonView(id=row.elder_id, name=masked_name(names.get(row.elder_id, "")))
    asap = row.wanted_from is None and row.wanted_to is None
    return {
        "id": row.id, "channel": row.channel, "kind": kind, "status": status, "urgency": row.urgency, "elder": elder,
        "described_elder": row.elder_words is not None,
        "caller": RequesterView(
            name=row.caller_name, phone=masked_phone(phone) if phone else None, relation=row.relation
        ),
        "item_code": row.item_code,
        "wanted": "asap" if asap else WindowView(from_=row.wanted_from, to=row.wanted_to),
        "minutes": row.minutes, "note": opened(tx, row, "note"), "division": row.division_code,
        "about_order_id": row.about_order_id, "order_id": row.order_id, "merged_into": row.merged_into,
        "answer": opened(tx, row, "answer"), "article_id": row.article_id, "reason": row.reason,
        "missing": _missing(row, kind, status),
        "next": sorted(requests.allowed(kind, status)), "call_id": row.call_id, "taken_by": row.taken_by,
        "created_at": row.created_at, "updated_at": row.updated_at, "version": row.version,
    }  # fmt: skip


def _missing(row: RequestRow, kind: Kind, status: Status) -> list[str]:
    if status not in requests.OPEN:
        return []
    return requests.missing(
        kind,
        elder=row.elder_id is not None,
        item=row.item_code is not None,
        caller=row.caller_name is not None or row.caller_phone is not None,
        place=row.elder_id is not None or row.address is not None or row.elder_words is not None,
    )


def _duplicate(wish: requests.Wish, other: Any) -> DuplicateView:
    theirs = requests.Wish(other["item_code"], _day(other["wanted_from"] or other["created_at"]))
    return DuplicateView(**dict(other), reasons=requests.likeness(wish, theirs))


def _strength(duplicate: DuplicateView) -> int:
    return -len(duplicate.reasons) if duplicate.reasons[0] != "same_elder" else 0


async def _suggested(tx: Tx, row: RequestRow) -> list[PersonView]:
    phone = opened(tx, row, "caller_phone")
    if row.elder_id is not None or phone is None:
        return []
    matches = await elders.find_by_phone(tx, phone)
    return [PersonView(id=match.elder_id, name=masked_name(match.name)) for match in matches[:10]]


def _day(at: datetime) -> date:
    return clock.service_day(at)
