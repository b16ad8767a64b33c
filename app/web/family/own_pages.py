"""What relatives see who have signed in: their elders, what is coming, what was, and what was said to them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Request, Response

from app.accounts import audit, links
from app.catalog import service as catalog
from app.core import phones
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller, CallerDep, TxDep, allow
from app.elders import cards, consents, queries_cards
from app.elders.card_print import card_svg
from app.elders.schemas_consents import PurposeBody, PurposeName, purposes
from app.followup import service as followup
from app.intake import families
from app.intake.families import BoundElder
from app.intake.router_family_consents import as_guardian
from app.messaging import service as messaging
from app.orders import queries_reading
from app.orders import service as orders
from app.selfpay import family_page
from app.web.family import calendar_pages
from app.web.family.link_pages import RatingForm
from app.web.family.timeline import steps
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()

LATEST, PAST, MESSAGES = 3, 20, 50


class ConsentForm(Form):
    purpose: PurposeName


@router.get("/family")
@allow("family.read")
async def home(tx: TxDep, caller: CallerDep, request: Request) -> Response:
    bound = await families.bound_elders(tx, caller)
    open_, over = await queries_reading.of_elders(tx, [elder.id for elder in bound], LATEST)
    shown = [order_id for by_elder in (open_, over) for ids in by_elder.values() for order_id in ids]
    told = await messaging.told(tx, "family", [elder.member_id for elder in bound], LATEST)
    asked = await families.open_requests(tx, bound)
    names = await item_names(tx)
    pages = await family_page.pages(tx, shown)
    return page(
        request, "family/home.html", bound=bound, upcoming=open_, past=over, pages=pages, told=told, asked=asked,
        names=names,
    )  # fmt: skip


@router.get("/family/elders/{elder_id}")
@allow("family.read")
async def elder_page(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Response:
    bound = await families.bound_elder(tx, caller, elder_id)
    open_, over = await queries_reading.of_elders(tx, [bound.id], PAST)
    upcoming, past = open_.get(bound.id, []), over.get(bound.id, [])
    calendars = await links.standing(tx, calendar_pages.PURPOSE, [bound.member_id])
    return page(
        request, "family/elder.html", elder=bound, upcoming=upcoming, past=past,
        pages=await family_page.pages(tx, [*upcoming, *past]), asked=await families.open_requests(tx, [bound]),
        names=await item_names(tx), calendar_until=calendars.get(bound.member_id),
        has_card=any(row["revoked_at"] is None for row in await queries_cards.of_elder(tx, bound.id)),
    )  # fmt: skip


@router.get("/family/elders/{elder_id}/orders/{order_id}")
@allow("family.read")
async def order_page(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID, order_id: UUID) -> Response:
    bound = await _own_order(tx, caller, elder_id, order_id)
    order = await family_page.page(tx, order_id)
    looks = await links.openings(tx, followup.FAMILY_LINK, order_id, PAST)
    return page(
        request, "family/own_order.html", elder=bound, order=order, order_id=order_id, steps=steps(order), looks=looks
    )


@router.post("/family/elders/{elder_id}/orders/{order_id}/rating")
@allow("family.requests")
async def rate(
    tx: TxDep, caller: CallerDep, elder_id: UUID, order_id: UUID, form: Annotated[RatingForm, InForm()]
) -> Response:
    await _own_order(tx, caller, elder_id, order_id)
    await followup.rate_as_family(tx, caller, order_id, form.as_rating())
    return see(f"/family/elders/{elder_id}/orders/{order_id}#rate")


@router.get("/family/elders/{elder_id}/consents")
@allow("family.read")
async def consents_page(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Response:
    bound = await families.bound_elder(tx, caller, elder_id)
    found = purposes(await consents.of_elder(tx, elder_id), "family")
    return page(
        request, "family/consents.html", elder=bound, purposes=found, guardian=bound.relation == consents.GUARDIAN
    )


@router.post("/family/elders/{elder_id}/consents")
@allow("family.consents")
async def give(tx: TxDep, caller: CallerDep, elder_id: UUID, form: Annotated[ConsentForm, InForm()]) -> Response:
    said = PurposeBody(purpose=form.purpose)
    await consents.give(tx, caller, elder_id, said.purpose, await as_guardian(tx, caller, elder_id))
    return see(f"/family/elders/{elder_id}/consents")


@router.post("/family/elders/{elder_id}/consent-withdrawals")
@allow("family.consents")
async def withdraw(tx: TxDep, caller: CallerDep, elder_id: UUID, form: Annotated[ConsentForm, InForm()]) -> Response:
    said = PurposeBody(purpose=form.purpose)
    await consents.withdraw(tx, caller, elder_id, said.purpose, await as_guardian(tx, caller, elder_id))
    return see(f"/family/elders/{elder_id}/consents")


@router.get("/family/elders/{elder_id}/card")
@allow("family.read")
async def card_page(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Response:
    bound = await families.bound_elder(tx, caller, elder_id)
    row, _ = await cards.living(tx, elder_id)
    picture = f"/family/elders/{elder_id}/card.svg"
    return page(request, "family/card.html", elder=bound, number=row["number"], picture=picture)


@router.get("/family/elders/{elder_id}/card.svg")
@allow("family.read")
async def card_picture(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Response:
    bound = await families.bound_elder(tx, caller, elder_id)
    row, token = await cards.living(tx, elder_id)
    await audit.record(tx, caller, "elders.print_card", "elder", elder_id, ["name"], "card shown to the family")
    url = f"{request.app.state.settings.public_url}/c/{token}"
    return Response(card_svg(bound.name, row["number"], phones.hotline(), url), media_type="image/svg+xml")


@router.get("/family/messages")
@allow("family.read")
async def messages_page(tx: TxDep, caller: CallerDep, request: Request) -> Response:
    bound = await families.bound_elders(tx, caller)
    told = await messaging.told(tx, "family", [elder.member_id for elder in bound], MESSAGES)
    about = [one.order_id for one in told if one.order_id is not None]
    of_order = {row.id: row.elder_id for row in await orders.get_all(tx, about)}
    return page(request, "family/messages.html", told=told, of_order=of_order)


async def item_names(tx: Tx) -> dict[str, str]:
    return {item.code: item.name for item in await catalog.items(tx, active=None)}


async def _own_order(tx: Tx, caller: Caller, elder_id: UUID, order_id: UUID) -> BoundElder:
    """Raises NotFound for an elder who is not theirs, or an order that is not that elder's."""
    bound = await families.bound_elder(tx, caller, elder_id)
    if (await orders.get(tx, order_id)).elder_id != bound.id:
        raise NotFound("order_not_found")
    return bound
