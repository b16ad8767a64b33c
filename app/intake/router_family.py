"""Doors for families and for other apps; nobody here sees more than their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.intake import booking, desk, families, quotes, views
from app.intake.schemas import AppRequestBody, BookingRuleBody, FamilyRequestBody, QuoteBody
from app.intake.schemas_views import (
    NOT_THERE,
    BindingView,
    FamilyElderView,
    FamilyRequestView,
    OwnRequestView,
    QuoteView,
)
from app.orders import queries_reading as order_queries
from app.orders import views as order_views
from app.orders.schemas import OrderView

family = Router(tags=["family"])
app = Router(tags=["app"])


@family.post(
    "/v1/family/care-requests",
    response_model=FamilyRequestView,
    status_code=201,
    responses=NOT_THERE,
    summary="Ask for help for my elder, or book it",
)
@allow("family.requests")
async def ask_for_elder(tx: TxDep, caller: CallerDep, body: FamilyRequestBody) -> Any:
    row, quote = await booking.by_family(tx, caller, body)
    return FamilyRequestView(**views.own(tx, row).model_dump(), quote=quote)


@family.post(
    "/v1/family/quotes", response_model=QuoteView, responses=NOT_THERE, summary="What it would cost us, and who pays"
)
@allow("quotes.make", keyed=False)
async def quote_for_elder(tx: TxDep, caller: CallerDep, body: QuoteBody) -> Any:
    return await quotes.quote(tx, caller, body.elder_id, body.item_code, body.starts_at, body.minutes)


@family.get("/v1/family/elders", response_model=list[FamilyElderView], summary="The elders I am bound to")
@allow("family.read")
async def list_bound_elders(tx: TxDep, caller: CallerDep) -> Any:
    return [FamilyElderView(id=e.id, name=e.name, relation=e.relation) for e in await families.bound_elders(tx, caller)]


@family.get(
    "/v1/family/elders/{elder_id}/orders", response_model=Page[OrderView], summary="Orders of my elder, newest first"
)
@allow("family.read")
async def list_orders_of_elder(
    tx: TxDep, caller: CallerDep, elder_id: UUID, limit: Limit = 50, cursor: CursorParam = None
) -> Any:
    bound = await families.bound_elder(tx, caller, elder_id)
    ids = await order_queries.find(
        tx,
        ranges=None,
        provider_id=None,
        elder_ids=[bound.id],
        statuses=None,
        updated_since=None,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of(await order_views.snapshot(tx, ids[:limit]), ids, limit)


@family.post(
    "/v1/family/wechat-bindings",
    response_model=BindingView,
    status_code=201,
    responses=NOT_THERE,
    summary="A code to say in WeChat, so that my messages there are known to be mine",
)
@allow("family.requests", keyed=False)
async def make_binding(tx: TxDep, caller: CallerDep) -> Any:
    words, expires_at = await families.binding_words(tx, caller)
    return BindingView(words=words, expires_at=expires_at)


@app.post(
    "/v1/app/care-requests",
    response_model=OwnRequestView,
    status_code=201,
    responses=NOT_THERE,
    summary="A request from another app; the same external_id is the same request",
)
@allow("requests.app", keyed=False)
async def take_from_app(tx: TxDep, caller: CallerDep, body: AppRequestBody) -> Any:
    return views.own(tx, await desk.take_from_app(tx, caller, body), body.external_id)


@family.post("/v1/booking-rules", status_code=204, summary="Let families book without the desk, or not, from a day on")
@allow("booking.rules")
async def set_booking_rule(tx: TxDep, caller: CallerDep, body: BookingRuleBody) -> None:
    await booking.set_rule(tx, caller, body.division, body.valid_from, body.direct, body.reason)


router = Router()
router.include_router(family)
router.include_router(app)
