"""The desk's view of orders, and what it may do with one. Dispatch decisions are in `dispatch`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.accounts import scope
from app.core.http import CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.orders import flags, lifecycle, queries, queries_reading, router_recurring, service, views
from app.orders.schemas import ActionView, Cancellation, HistoryView, OrderView, Reason
from app.regions.divisions import covers, scope_ranges

router = Router(tags=["orders"])

Statuses = Annotated[list[lifecycle.Status] | None, Query(description="Repeat to ask for several")]

METHODS = {
    "assign": ("POST", "assignment"),
    "redispatch": ("POST", "redispatch"),
    "suspend": ("POST", "suspension"),
    "resume": ("POST", "resumption"),
    "cancel": ("POST", "cancellation"),
    "reopen": ("POST", "reopening"),
    "follow_up": ("GET", "timeline"),
}


@router.get("/v1/orders", response_model=Page[OrderView], summary="Orders in my divisions, newest first")
@allow("orders.read")
async def list_orders(
    tx: TxDep,
    caller: CallerDep,
    status: Statuses = None,
    division: Annotated[str | None, Query(pattern=r"^\d{6}(\d{3}){0,2}$")] = None,
    provider_id: UUID | None = None,
    elder_id: UUID | None = None,
    updated_since: datetime | None = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    asked = [division] if division and any(covers(own, division) for own in caller.divisions) else []
    ids = await queries_reading.find(
        tx,
        ranges=scope_ranges(asked if division else caller.divisions),
        provider_id=provider_id,
        elder_ids=[elder_id] if elder_id else None,
        statuses=status,
        updated_since=updated_since,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of(await views.snapshot(tx, ids[:limit]), ids, limit)


@router.get("/v1/orders/{order_id}", response_model=OrderView, summary="One order")
@allow("orders.read")
async def read_order(tx: TxDep, caller: CallerDep, order_id: UUID, response: Response) -> Any:
    found = await views.one(tx, order_id)
    scope.see(caller, found.division)
    set_etag(response, found.version)
    return found


@router.get("/v1/orders/{order_id}/timeline", response_model=list[HistoryView], summary="Every move, oldest first")
@allow("orders.read")
async def read_timeline(tx: TxDep, caller: CallerDep, order_id: UUID) -> Any:
    scope.see(caller, (await queries.get(tx, order_id)).division_code)
    return [HistoryView.model_construct(**dict(row)) for row in await queries_reading.timeline(tx, order_id)]


@router.get("/v1/orders/{order_id}/next-actions", response_model=list[ActionView], summary="What may be done now")
@allow("orders.read")
async def read_next_actions(tx: TxDep, caller: CallerDep, order_id: UUID) -> Any:
    order = await queries.get(tx, order_id)
    scope.see(caller, order.division_code)
    found = lifecycle.next_actions(lifecycle.Status(order.status), order.flags)
    return [
        ActionView(action=action, method=METHODS[action][0], path=f"/v1/orders/{order_id}/{METHODS[action][1]}")
        for action in found
    ]


@router.post("/v1/orders/{order_id}/cancellation", response_model=OrderView, summary="Cancel before the service")
@allow("orders.change")
async def cancel_order(tx: TxDep, caller: CallerDep, version: IfMatchDep, order_id: UUID, body: Cancellation) -> Any:
    await service.held(tx, caller, order_id, version)
    await service.cancel(tx, caller, order_id, body.reason_code, body.by)
    return await views.one(tx, order_id)


@router.post(
    "/v1/orders/{order_id}/reopening",
    response_model=OrderView,
    status_code=201,
    summary="Order the work again, unpaid",
)
@allow("orders.change")
async def reopen_order(tx: TxDep, caller: CallerDep, version: IfMatchDep, order_id: UUID, body: Reason) -> Any:
    await service.held(tx, caller, order_id, version)
    again = await service.rework(tx, caller, order_id, body.reason)
    return await views.one(tx, again.id)


@router.post("/v1/orders/{order_id}/suspension", response_model=OrderView, summary="Hold the order")
@allow("orders.change")
async def suspend_order(tx: TxDep, caller: CallerDep, version: IfMatchDep, order_id: UUID, body: Reason) -> Any:
    await service.held(tx, caller, order_id, version)
    await flags.suspend(tx, caller, order_id, body.reason)
    return await views.one(tx, order_id)


@router.post("/v1/orders/{order_id}/resumption", response_model=OrderView, summary="Let a held order go on")
@allow("orders.change")
async def resume_order(tx: TxDep, caller: CallerDep, version: IfMatchDep, order_id: UUID, body: Reason) -> Any:
    await service.held(tx, caller, order_id, version)
    await flags.resume(tx, caller, order_id, body.reason)
    return await views.one(tx, order_id)


router.include_router(router_recurring.router)
