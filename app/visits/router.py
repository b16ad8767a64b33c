"""Doors of visits: what supervisors review, what the desk enters by hand, what providers upload.

The events of provider apps come through `exchange`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request, Response

from app.accounts import scope
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller, CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.regions.divisions import scope_ranges
from app.visits import queries, router_caregiver, service, uploads, views
from app.visits.schemas import Decision, ManualEntry, UploadView, VisitDetail, VisitView

router = Router(tags=["visits"])

FILE_TYPES = ("image/jpeg", "image/png", "image/webp", "audio/mpeg", "audio/wav")
FILE = {"schema": {"type": "string", "format": "binary"}}
FILE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file itself", "content": dict.fromkeys(FILE_TYPES, FILE)}
}


@router.get("/v1/visits", response_model=Page[VisitView], summary="Visits in my divisions, newest order first")
@allow("visits.read")
async def list_visits(
    tx: TxDep,
    caller: CallerDep,
    verification: Literal["pending", "verified", "review", "rejected"] | None = None,
    provider_id: UUID | None = None,
    manual: Annotated[bool | None, Query(description="Entered by hand, wholly or in part")] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.find(
        tx,
        ranges=scope_ranges(caller.divisions),
        verification=verification,
        provider_id=provider_id,
        manual=manual,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of([views.view(row) for row in rows], [row["order_id"] for row in rows], limit)


@router.get("/v1/visits/{order_id}", response_model=VisitDetail, summary="One visit with all its events")
@allow("visits.read")
async def read_visit(tx: TxDep, caller: CallerDep, order_id: UUID, response: Response) -> Any:
    return await _detail(tx, caller, order_id, response)


@router.post(
    "/v1/visits/{order_id}/entries",
    response_model=VisitDetail,
    status_code=201,
    summary="Enter by hand what the app failed to report (补录)",
)
@allow("visits.record")
async def enter_by_hand(tx: TxDep, caller: CallerDep, order_id: UUID, body: ManualEntry, response: Response) -> Any:
    await service.record_by_hand(tx, caller, order_id, body)
    return await _detail(tx, caller, order_id, response)


@router.post("/v1/visits/{order_id}/verification", response_model=VisitDetail, summary="Decide on a doubtful visit")
@allow("visits.verify")
async def decide_visit(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, order_id: UUID, body: Decision, response: Response
) -> Any:
    await service.decide(tx, caller, order_id, body.verdict, body.reason, version)
    return await _detail(tx, caller, order_id, response)


@router.get(
    "/v1/visits/{order_id}/evidence/{upload_id}",
    response_class=Response,
    responses=FILE_ANSWER,
    summary="A file that proves the visit",
)
@allow("visits.read")
async def read_evidence(tx: TxDep, caller: CallerDep, order_id: UUID, upload_id: UUID, request: Request) -> Any:
    scope.see(caller, (await _shown(tx, order_id))["division_code"])
    return _file(*await uploads.of_visit(tx, order_id, upload_id, request.app.state.settings.data_dir))


@router.post(
    "/v1/provider/uploads",
    response_model=UploadView,
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(FILE_TYPES, FILE)}},
    summary="Send a photo, signature or recording; the body is the file",
)
@allow("provider.uploads")
async def upload(tx: TxDep, caller: CallerDep, request: Request) -> Any:
    return await uploads.keep(tx, caller, await request.body(), request.app.state.settings.data_dir)


@router.get(
    "/v1/provider/uploads/{upload_id}", response_class=Response, responses=FILE_ANSWER, summary="A file of mine"
)
@allow("provider.uploads")
async def read_upload(tx: TxDep, caller: CallerDep, upload_id: UUID, request: Request) -> Any:
    return _file(*await uploads.of_provider(tx, caller, upload_id, request.app.state.settings.data_dir))


router.include_router(router_caregiver.router)


async def _shown(tx: Tx, order_id: UUID) -> Any:
    row = await queries.shown(tx, order_id)
    if row is None:
        raise NotFound("visit_not_found")
    return row


async def _detail(tx: Tx, caller: Caller, order_id: UUID, response: Response) -> VisitDetail:
    row = await _shown(tx, order_id)
    scope.see(caller, row["division_code"])
    set_etag(response, row["version"])
    return views.detail(row, await queries.events(tx, order_id), tx.vault)


def _file(content: bytes, media_type: str) -> Response:
    """Never rendered in our origin: downloaded, and not guessed at."""
    headers = {
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=media_type, headers=headers)
