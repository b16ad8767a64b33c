"""The middle and the right of the desk: what is wanted, what it costs and whom, and who could come."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Query, Request, Response

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller, CallerDep, DatabaseDep, TxDep, allow
from app.dispatch import candidates
from app.dispatch.candidates import Wish
from app.elders import registration
from app.hotline import screen
from app.intake import confirmation, quotes, service, views
from app.knowledge import service as knowledge
from app.orders import views as orders
from app.orders.lifecycle import Urgency as OrderUrgency
from app.orders.schemas import OrderView
from app.web.console import desk_views
from app.web.console.forms import OrderForm, PriceForm, WishForm
from app.web.console.router_telephone import only_one
from app.web.pages import Pages, see
from app.web.refusals import in_place
from app.web.rendering import page

router = Pages()
ARTICLES = 5
"""As many as there are keys to choose one with."""

Chosen = Annotated[UUID | None, Query()]


@router.get("/console")
@allow("requests.read")
async def desk(
    request: Request,
    tx: TxDep,
    caller: CallerDep,
    call: Chosen = None,
    elder: Chosen = None,
    again: Chosen = None,
    placed: Chosen = None,
    taken: Chosen = None,
) -> Response:
    """With a script it is one page all day; without one, what is chosen stands in the address."""
    values = await desk_views.whole(tx, caller)
    if call is not None:
        values["screen"] = await screen.of_call(tx, caller, call)
        values["person"] = only_one(values["screen"])
    if elder is not None:
        values["person"] = await screen.of_elder(tx, caller, elder)
    near = [values["person"], *(values["screen"].behind if values["screen"] else ())]
    values["where"] = await desk_views.whereabouts(tx, [one.elder for one in near if one is not None])
    if values["person"] is not None:
        values["filled"] |= {"elder_id": values["person"].elder.id, "call_id": call}
    if again is not None:
        values["filled"] |= _again(await _seen(tx, caller, again))
    if placed is not None:
        values["placed"] = {"order": await _seen(tx, caller, placed), "taken": None}
    if taken is not None:
        values["placed"] = {"order": None, "taken": await views.taken(tx, await service.see(tx, caller, taken))}
    return page(request, "console/desk.html", **values)


@router.get("/console/quote")
@allow("quotes.make")
async def quote(request: Request, tx: TxDep, caller: CallerDep, form: Annotated[PriceForm, Query()]) -> Response:
    """What it would cost so far, and whether it may have been asked for already."""
    now = clock.now()
    begin, _ = form.window(now)
    priced, refused, alike = None, None, []
    if form.elder_id is not None:
        await registration.visible(tx, caller, form.elder_id)
        alike = await views.alike(tx, form.elder_id, form.item_code, begin)
        if form.item_code is not None:
            try:
                priced = await quotes.quote(tx, caller, form.elder_id, form.item_code, begin or now, form.minutes)
            except Invalid as why:
                refused = why.code
    return page(
        request, "console/_quote.html", quote=priced, refused=refused,
        alike=[one for one in alike if one.reasons != ["same_elder"]],
    )  # fmt: skip


@router.post("/console/orders")
@allow("orders.place")
async def place(request: Request, tx: TxDep, caller: CallerDep, form: Annotated[OrderForm, InForm()]) -> Response:
    order = await confirmation.place_order(tx, caller, form.asked(clock.now()))
    if not in_place(request):
        return see(f"/console?placed={order.id}")
    return page(request, "console/_placed.html", placed={"order": await orders.one(tx, order.id), "taken": None})


@router.post("/console/requests")
@allow("requests.write")
async def take(request: Request, tx: TxDep, caller: CallerDep, form: Annotated[OrderForm, InForm()]) -> Response:
    """Everything that is no order at once; a question with its answer is closed in the same breath."""
    row = await service.take_request(tx, caller, form.asked(clock.now()))
    if form.answer is not None:
        row = await service.answer(tx, caller, row.id, form.answer, article_id=form.article_id)
    if not in_place(request):
        return see(f"/console?taken={row.id}")
    return page(request, "console/_placed.html", placed={"order": None, "taken": await views.taken(tx, row)})


@router.get("/console/articles")
@allow("articles.read")
async def articles(request: Request, tx: TxDep, about: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """What to answer. `about` is a subject, not a person."""
    city = request.app.state.settings.city_division
    rows = await knowledge.search(tx, about, topic=None, division=city, day=clock.today(), limit=ARTICLES)
    return page(request, "console/_articles.html", articles=rows)


@router.get("/console/candidates")
@allow("dispatch.read", own_transaction=True)
async def who_would_come(
    request: Request, database: DatabaseDep, caller: CallerDep, form: Annotated[WishForm, Query()]
) -> Response:
    """Who could come if what is being written down were ordered now."""
    if form.elder_id is None or form.item_code is None:
        return Response(status_code=204)
    begin, end = form.window(clock.now())
    wish = Wish(form.elder_id, form.item_code, begin, end, form.minutes, OrderUrgency(form.urgency))
    found = await candidates.of_wish(database, request.app.state.road_times, caller, wish)
    return page(request, "console/_candidates.html", asked=found.view, map=_map(found))


@router.get("/console/orders/{order_id}/candidates")
@allow("dispatch.read", own_transaction=True)
async def who_could_come(request: Request, database: DatabaseDep, caller: CallerDep, order_id: UUID) -> Response:
    found = await candidates.of_order(database, request.app.state.road_times, caller, order_id)
    return page(request, "console/_candidates.html", asked=found.view, map=_map(found))


def _map(found: candidates.Candidates) -> list[dict[str, Any]]:
    away = found.around()
    names = [(UUID(str(one["caregiver_id"])), one["caregiver"]) for one in found.view["candidates"]]
    return [
        {"name": f"{place} {name}", "x": away[who][0], "y": away[who][1]}
        for place, (who, name) in enumerate(names, start=1)
        if who in away
    ]


async def _seen(tx: Tx, caller: Caller, order_id: UUID) -> OrderView:
    """Raises NotFound out of scope."""
    order = await orders.one(tx, order_id)
    scope.see(caller, order.division)
    return order


def _again(order: OrderView) -> dict[str, Any]:
    return {"elder_id": order.elder.id, "item_code": order.item.code, "minutes": order.minutes}
