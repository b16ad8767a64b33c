"""The desk's doors to requests, orders in one step, and quotes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.core.http import CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.json import loads
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.core.text import Instant
from app.intake import (
    booking,
    confirmation,
    desk,
    queries,
    quotes,
    router_cards,
    router_consultations,
    router_family,
    router_family_consents,
    service,
    views,
)
from app.intake.confirmation import Completion
from app.intake.requests import Kind, Status
from app.intake.schemas import (
    Answer,
    CareRequestBody,
    Classification,
    Confirmation,
    Division,
    Merge,
    OrderBody,
    QuoteBody,
    Rejection,
    RequestReveal,
    span,
)
from app.intake.schemas_views import NOT_THERE, CareRequestView, QuoteView, RevealedView, TakenView
from app.intake.service import NewRequest
from app.orders import views as order_views
from app.orders.schemas import OrderView
from app.regions.divisions import covers_any, scope_ranges

door = Router(tags=["intake"])


@door.post(
    "/v1/care-requests", response_model=TakenView, status_code=201, responses=NOT_THERE, summary="Take a care request"
)
@allow("requests.write")
async def take_request(tx: TxDep, caller: CallerDep, body: CareRequestBody, response: Response) -> Any:
    row = await desk.take(tx, caller, body)
    set_etag(response, row.version)
    response.headers["Location"] = f"/v1/care-requests/{row.id}"
    return await views.taken(tx, row)


@door.get("/v1/care-requests", response_model=Page[CareRequestView], summary="Requests, newest first")
@allow("requests.read")
async def list_requests(
    tx: TxDep,
    caller: CallerDep,
    status: Annotated[list[Status] | None, Query(description="Repeat to ask for several")] = None,
    kind: Annotated[list[Kind] | None, Query(description="Repeat to ask for several")] = None,
    division: Annotated[Division | None, Query()] = None,
    elder_id: UUID | None = None,
    updated_since: Annotated[Instant | None, Query()] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    asked = [division] if division and covers_any(caller.divisions, division) else []
    rows = await queries.find(
        tx,
        ranges=scope_ranges(asked if division else caller.divisions),
        statuses=status,
        kinds=kind,
        elder_id=elder_id,
        with_unplaced=division is None,
        updated_since=updated_since,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of(await views.several(tx, rows[:limit]), [row.id for row in rows], limit)


@door.get("/v1/care-requests/{request_id}", response_model=TakenView, summary="One request")
@allow("requests.read")
async def read_request(tx: TxDep, caller: CallerDep, request_id: UUID, response: Response) -> Any:
    row = await service.see(tx, caller, request_id)
    set_etag(response, row.version)
    return await views.taken(tx, row)


@door.post(
    "/v1/care-requests/{request_id}/confirmation",
    response_model=OrderView,
    status_code=201,
    summary="Make an order of a service request",
)
@allow("orders.place")
async def confirm_request(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, request_id: UUID, body: Confirmation
) -> Any:
    found_out = Completion(
        elder_id=body.elder_id,
        item_code=body.item_code,
        urgency=body.urgency,
        window=span(body.wanted) if body.wanted is not None else None,
        minutes=body.minutes,
        note=body.note,
    )
    order = await confirmation.confirm(tx, caller, request_id, found_out, version)
    return await order_views.one(tx, order.id)


@door.post("/v1/care-requests/{request_id}/rejection", response_model=CareRequestView, summary="Reject, saying why")
@allow("requests.write")
async def reject_request(tx: TxDep, caller: CallerDep, version: IfMatchDep, request_id: UUID, body: Rejection) -> Any:
    row = await service.reject(tx, caller, request_id, body.reason, version)
    return (await views.several(tx, [row]))[0]


@door.post("/v1/care-requests/{request_id}/merge", response_model=CareRequestView, summary="Close a repetition")
@allow("requests.write")
async def merge_request(tx: TxDep, caller: CallerDep, version: IfMatchDep, request_id: UUID, body: Merge) -> Any:
    row = await service.merge(tx, caller, request_id, body.into, version)
    return (await views.several(tx, [row]))[0]


@door.post("/v1/care-requests/{request_id}/answer", response_model=CareRequestView, summary="Close with an answer")
@allow("requests.write")
async def answer_request(tx: TxDep, caller: CallerDep, version: IfMatchDep, request_id: UUID, body: Answer) -> Any:
    row = await service.answer(tx, caller, request_id, body.answer, version, article_id=body.article_id)
    return (await views.several(tx, [row]))[0]


@door.post(
    "/v1/care-requests/{request_id}/classification",
    response_model=CareRequestView,
    summary="Say what a request really is",
)
@allow("requests.write")
async def classify_request(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, request_id: UUID, body: Classification
) -> Any:
    row = await service.reclassify(tx, caller, request_id, body.kind, version)
    return (await views.several(tx, [row]))[0]


@door.post(
    "/v1/care-requests/{request_id}/reveals",
    response_model=RevealedView,
    summary="Read sealed fields of a request; leaves an audit row",
)
@allow("elders.reveal", keyed=False)
async def reveal_request(tx: TxDep, caller: CallerDep, request_id: UUID, body: RequestReveal) -> Any:
    plain: dict[str, Any] = dict(await service.reveal(tx, caller, request_id, list(body.fields), body.reason))
    if plain.get("elder_words"):
        plain["elder_words"] = loads(plain["elder_words"])
    return RevealedView.model_validate(plain)


@door.post(
    "/v1/orders",
    response_model=OrderView,
    status_code=201,
    responses=NOT_THERE,
    summary="Request and confirmation in one step",
)
@allow("orders.book")
async def place_order(tx: TxDep, caller: CallerDep, body: OrderBody, response: Response) -> Any:
    wanted_from, wanted_to = span(body.wanted)
    asked = NewRequest(
        channel=body.channel,
        urgency=body.urgency,
        requester=desk.requester(body.caller),
        elder_id=body.elder_id,
        item_code=body.item_code,
        wanted_from=wanted_from,
        wanted_to=wanted_to,
        minutes=body.minutes,
        note=body.note or None,
        call_id=body.call_id,
    )
    order = await confirmation.place_order(tx, caller, booking.at_station(caller, asked))
    set_etag(response, order.version)
    response.headers["Location"] = f"/v1/orders/{order.id}"
    return await order_views.one(tx, order.id)


@door.post(
    "/v1/quotes", response_model=QuoteView, responses=NOT_THERE, summary="Price and payers, before anything is ordered"
)
@allow("quotes.make", keyed=False)
async def make_quote(tx: TxDep, caller: CallerDep, body: QuoteBody) -> Any:
    return await quotes.quote(tx, caller, body.elder_id, body.item_code, body.starts_at, body.minutes)


router = Router()
router.include_router(door)
router.include_router(router_cards.door)
router.include_router(router_consultations.door)
router.include_router(router_family.router)
router.include_router(router_family_consents.family)
