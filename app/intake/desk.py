"""From what a caller's form says to a request: the desk, another app, a family."""

from __future__ import annotations

from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller
from app.core.json import canonical
from app.intake import contacts, families, queries, service
from app.intake.contacts import Arrival
from app.intake.families import BoundElder
from app.intake.queries import RequestRow
from app.intake.requests import Channel
from app.intake.schemas import (
    AppRequestBody,
    CareRequestBody,
    ElderWords,
    FamilyRequestBody,
    RequesterBody,
    Wish,
    span,
)
from app.intake.service import NewRequest, Requester


def requester(body: RequesterBody) -> Requester:
    return Requester(body.name, body.phone, body.relation)


async def take(tx: Tx, caller: Caller, body: CareRequestBody) -> RequestRow:
    """An operator's form. With an `external_id` (a transferred ticket) the same ticket is the same request."""
    asked = _asked(
        body, body.channel, requester(body.caller), elder_id=body.elder_id, elder_words=_words(body.elder),
        address=body.address, division_code=body.elder.division if body.elder else None,
        about_order_id=body.order_id, call_id=body.call_id,
    )  # fmt: skip
    if body.external_id is None:
        return await service.take_request(tx, caller, asked)
    return await _once(tx, caller, body.channel, "desk", body.external_id, body, asked)


async def take_from_app(tx: Tx, caller: Caller, body: AppRequestBody) -> RequestRow:
    """Another app's request; sent again it is the same request, with other content it is refused (Invalid)."""
    asked = _asked(
        body, Channel.APP, requester(body.caller), elder_id=body.elder_id, elder_words=_words(body.elder),
        address=body.address, division_code=body.elder.division if body.elder else None,
    )  # fmt: skip
    return await _once(tx, caller, Channel.APP, caller.id, body.external_id, body, asked)


async def take_from_family(tx: Tx, caller: Caller, body: FamilyRequestBody) -> RequestRow:
    """A relative's request for an elder they are bound to. Raises NotFound for any other elder."""
    bound = await families.bound_elder(tx, caller, body.elder_id)
    return await service.take_request(tx, caller, asked_by_family(bound, body))


def asked_by_family(bound: BoundElder, body: FamilyRequestBody) -> NewRequest:
    return _asked(
        body, Channel.WEB, Requester(bound.member, None, bound.relation), elder_id=body.elder_id,
        about_order_id=body.order_id,
    )  # fmt: skip


async def _once(
    tx: Tx, caller: Caller, channel: Channel, account: str, external_id: str, body: Wish, asked: NewRequest
) -> RequestRow:
    raw = canonical(body.model_dump(mode="json", by_alias=True))
    receipt = await contacts.receive(tx, Arrival(channel, account, external_id, "request", raw))
    if not receipt.fresh:
        if not receipt.same or receipt.care_request_id is None:
            raise Invalid("external_id_reused", "this number was used for another request", field="external_id")
        return await queries.get(tx, receipt.care_request_id)
    row = await service.take_request(tx, caller, asked.of_contact(receipt.contact_id))
    await queries.processed(tx, receipt.contact_id, row.created_at, row.id)
    return row


def _asked(body: Wish, channel: Channel, asks: Requester, **known: object) -> NewRequest:
    wanted_from, wanted_to = span(body.wanted)
    return NewRequest(
        channel=channel, kind=body.kind, urgency=body.urgency, requester=asks, item_code=body.item_code,
        wanted_from=wanted_from, wanted_to=wanted_to, minutes=body.minutes, note=body.note or None,
        **known,  # type: ignore[arg-type]
    )  # fmt: skip


def _words(elder: ElderWords | None) -> dict[str, object] | None:
    return elder.model_dump(exclude_none=True) if elder is not None else None
