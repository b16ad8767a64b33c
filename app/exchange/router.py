"""The doors for provider systems; every request is signed (see `accounts.signing`)."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller, CallerDep, DatabaseDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.dispatch import assignment
from app.dispatch import service as dispatch
from app.dispatch.schemas import Acceptance, NamedCaregiver, Refusal
from app.exchange import service
from app.exchange.handlers import provider_audience
from app.exchange.schemas import EventBatch, EventResults, FeedPage
from app.exchange.watch import FeedWatch
from app.orders import queries_reading as orders
from app.orders.lifecycle import Status
from app.orders.schemas import OrderView
from app.visits import service as visits

router = Router(tags=["provider"])

MAX_WAIT_S = 25


@router.get(
    "/v1/provider/feed",
    response_model=FeedPage,
    responses={304: {"description": "Nothing new within the wait"}},
    summary="Everything that concerns this provider, in an order that never skips a commit",
)
@allow("provider.feed", own_transaction=True)
async def read_feed(
    request: Request,
    database: DatabaseDep,
    caller: CallerDep,
    cursor: CursorParam = None,
    limit: Limit = 50,
    wait: Annotated[int, Query(ge=0, le=MAX_WAIT_S, description="Seconds to wait for news")] = 0,
) -> Any:
    provider_id = _provider(caller)
    watch: FeedWatch = request.app.state.feed_watch
    audience, position = provider_audience(provider_id), service.position_of(cursor)
    if cursor:
        async with database.statements() as tx:
            await service.has_read(tx, provider_id, position)
    until = time.monotonic() + wait
    while True:
        ticket = watch.ticket(audience)
        async with database.statements() as tx:
            events, position = await service.page(tx, provider_id, position, limit)
        left = until - time.monotonic()
        if events:
            return FeedPage.model_construct(events=events, next_cursor=service.cursor_of(position))
        if left <= 0 or not await watch.wait(audience, ticket, left):
            return Response(status_code=304)


@router.get("/v1/provider/orders", response_model=Page[OrderView], summary="My orders, newest first")
@allow("provider.orders")
async def list_own_orders(
    tx: TxDep,
    caller: CallerDep,
    status: Annotated[list[Status] | None, Query()] = None,
    updated_since: datetime | None = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    provider_id = _provider(caller)
    ids = await orders.find(
        tx,
        ranges=None,
        provider_id=provider_id,
        elder_ids=None,
        statuses=status,
        updated_since=updated_since,
        before=after_id(cursor),
        limit=limit + 1,
    )
    found = await service.own_orders(tx, provider_id, ids[:limit])
    return page_of([found[i] for i in ids[:limit] if i in found], ids, limit)


@router.get("/v1/provider/orders/{order_id}", response_model=OrderView, summary="One of my orders")
@allow("provider.orders")
async def read_own_order(tx: TxDep, caller: CallerDep, order_id: UUID, response: Response) -> Any:
    found = await _own(tx, caller, order_id)
    set_etag(response, found.version)
    return found


@router.post("/v1/provider/offers/{offer_id}/acceptance", response_model=OrderView, summary="Accept an offer")
@allow("provider.offers")
async def accept_offer(tx: TxDep, caller: CallerDep, offer_id: UUID, body: Acceptance) -> Any:
    order = await dispatch.accept(tx, caller, offer_id, body.caregiver_id, body.second_caregiver_id)
    return await _own(tx, caller, order.id)


@router.post("/v1/provider/offers/{offer_id}/refusal", status_code=204, summary="Refuse an offer")
@allow("provider.offers")
async def refuse_offer(tx: TxDep, caller: CallerDep, offer_id: UUID, body: Refusal) -> Response:
    await dispatch.refuse(tx, caller, offer_id, body.reason_code, body.note)
    return Response(status_code=204)


@router.put(
    "/v1/provider/orders/{order_id}/caregiver", response_model=OrderView, summary="Name or change the caregiver"
)
@allow("provider.offers")
async def name_caregiver(tx: TxDep, caller: CallerDep, order_id: UUID, body: NamedCaregiver) -> Any:
    await assignment.name_caregiver(tx, caller, order_id, body.caregiver_id, body.reason, body.role)
    return await _own(tx, caller, order_id)


@router.post(
    "/v1/provider/events",
    response_model=EventResults,
    summary="What happened at the door: any order, any number of times, hours late",
)
@allow("provider.events", keyed=False)
async def record_events(tx: TxDep, caller: CallerDep, body: EventBatch) -> Any:
    return {"results": await visits.record(tx, caller, body.events)}


def _provider(caller: Caller) -> UUID:
    if caller.provider_id is None:
        raise NotFound("provider_not_found")
    return caller.provider_id


async def _own(tx: Tx, caller: Caller, order_id: UUID) -> OrderView:
    found = (await service.own_orders(tx, _provider(caller), [order_id])).get(order_id)
    if found is None:
        raise NotFound("order_not_found")
    return found
