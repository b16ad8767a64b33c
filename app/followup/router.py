"""Doors of follow-up: the call queue, complaints, and the family's word. What the family sees of an order, with what is
paid of it, is told by `selfpay`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller, CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, decode_cursor, encode_cursor, page_of
from app.elders import service as elders
from app.followup import complaints, queries, queries_complaints, service, views
from app.followup.complaints import Grievance
from app.followup.schemas import (
    Attempt,
    ComplaintDecision,
    ComplaintView,
    FamilyRating,
    FollowupDetail,
    FollowupView,
    NewComplaint,
    RatingView,
    Reply,
)
from app.intake import families
from app.orders import service as orders
from app.regions.divisions import scope_ranges

router = Router(tags=["followup"])

NOT_THERE: dict[int | str, dict[str, Any]] = {
    404: {"description": "The order or the elder is not there, or not there for you"}
}

Token = Annotated[str, Path(min_length=16, max_length=200, description="From the link that was sent to the family")]


@router.get("/v1/followups", response_model=Page[FollowupView], summary="Calls to make, the most urgent first")
@allow("followups.read")
async def list_followups(
    tx: TxDep,
    caller: CallerDep,
    status: Literal["due", "watching", "closed"] | None = None,
    callable_now: Annotated[bool, Query(description="Only those whose next call may be made by now")] = False,
    provider_id: UUID | None = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    now = clock.now()
    rows = await queries.find(
        tx,
        ranges=scope_ranges(caller.divisions),
        status=status,
        provider_id=provider_id,
        callable_at=now if callable_now else None,
        after=_after_due(cursor),
        limit=limit + 1,
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [views.followup(row, caller.actor, now) for row in rows[:limit]],
        "next_cursor": encode_cursor(last["due_at"].isoformat(), last["id"]) if last else None,
    }


@router.get("/v1/followups/{followup_id}", response_model=FollowupDetail, summary="One follow-up with its calls")
@allow("followups.read")
async def read_followup(tx: TxDep, caller: CallerDep, followup_id: UUID, response: Response) -> Any:
    return await _detail(tx, caller, followup_id, response)


@router.post(
    "/v1/followups/{followup_id}/attempts",
    response_model=FollowupDetail,
    status_code=201,
    summary="Write down one call; never by whoever took the order",
)
@allow("followups.work")
async def add_attempt(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, followup_id: UUID, body: Attempt, response: Response
) -> Any:
    await service.attempt(tx, caller, followup_id, body, version)
    return await _detail(tx, caller, followup_id, response)


@router.get("/v1/complaints", response_model=Page[ComplaintView], summary="Complaints, newest first")
@allow("complaints.read")
async def list_complaints(
    tx: TxDep,
    caller: CallerDep,
    status: Literal["open", "replied", "decided"] | None = None,
    overdue: Annotated[bool, Query(description="Only those past one of their deadlines")] = False,
    provider_id: UUID | None = None,
    order_id: UUID | None = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    now = clock.now()
    rows = await queries_complaints.find(
        tx,
        ranges=scope_ranges(caller.divisions),
        status=status,
        provider_id=provider_id,
        order_id=order_id,
        overdue_at=now if overdue else None,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of([views.complaint(row, now, tx.vault) for row in rows], [row["id"] for row in rows], limit)


@router.post(
    "/v1/complaints", response_model=ComplaintView, status_code=201, responses=NOT_THERE, summary="Open a complaint"
)
@allow("complaints.write")
async def open_complaint(tx: TxDep, caller: CallerDep, body: NewComplaint, response: Response) -> Any:
    grievance = await _grievance(tx, caller, body)
    complaint_id = await complaints.open_(tx, caller.actor, grievance)
    response.headers["Location"] = f"/v1/complaints/{complaint_id}"
    return await _complaint(tx, complaint_id, response)


@router.get("/v1/complaints/{complaint_id}", response_model=ComplaintView, summary="One complaint")
@allow("complaints.read")
async def read_complaint(tx: TxDep, caller: CallerDep, complaint_id: UUID, response: Response) -> Any:
    place = await queries_complaints.place(tx, complaint_id)
    if place is None:
        raise NotFound("complaint_not_found")
    if place["division_code"] is not None:
        scope.see(caller, place["division_code"])
    return await _complaint(tx, complaint_id, response)


@router.post("/v1/complaints/{complaint_id}/reply", response_model=ComplaintView, summary="The first answer")
@allow("followups.work")
async def reply_to_complaint(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, complaint_id: UUID, body: Reply, response: Response
) -> Any:
    await complaints.reply(tx, caller, complaint_id, body.text, version)
    return await _complaint(tx, complaint_id, response)


@router.post("/v1/complaints/{complaint_id}/decision", response_model=ComplaintView, summary="Decide a complaint")
@allow("complaints.decide")
async def decide_complaint(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, complaint_id: UUID, body: ComplaintDecision, response: Response
) -> Any:
    await complaints.decide(
        tx,
        caller,
        complaint_id,
        upheld=body.upheld,
        measures=body.measures,
        rework=body.rework,
        version=version,
    )
    return await _complaint(tx, complaint_id, response)


@router.post(
    "/v1/family/orders/{token}/rating",
    response_model=RatingView,
    status_code=201,
    summary="Rate the service; the first word counts",
)
@allow("family.rate")
async def rate_order(tx: TxDep, token: Token, body: FamilyRating) -> Any:
    heard = await service.rate_by_link(tx, token, body)
    assert heard.rating_id is not None  # noqa: S101 (a family's word always has a score)
    return RatingView(rating_id=heard.rating_id, score=body.score, counts=heard.counts, complaint_id=heard.complaint_id)


async def _detail(tx: Tx, caller: Caller, followup_id: UUID, response: Response) -> FollowupDetail:
    row = await queries.shown(tx, followup_id)
    if row is None:
        raise NotFound("followup_not_found")
    scope.see(caller, row["division_code"])
    set_etag(response, row["version"])
    attempts = await queries.attempts(tx, followup_id)
    return views.followup_detail(row, attempts, caller.actor, clock.now(), tx.vault)


async def _complaint(tx: Tx, complaint_id: UUID, response: Response) -> ComplaintView:
    row = await queries_complaints.shown(tx, complaint_id)
    set_etag(response, row["version"])
    return views.complaint(row, clock.now(), tx.vault)


async def _grievance(tx: Tx, caller: Caller, body: NewComplaint) -> Grievance:
    """Who and what it is about, as far as the caller may know of it. Raises NotFound, Invalid."""
    provider_id, elder_id = None, body.elder_id
    if body.order_id is not None:
        order = await orders.get(tx, body.order_id)
        if elder_id not in {None, order.elder_id}:
            raise Invalid("order_of_another_elder", "that is not an order of this elder", field="order_id")
        provider_id, elder_id = order.provider_id, order.elder_id
    assert elder_id is not None  # noqa: S101 (NewComplaint names one of the two)
    division_code = (await elders.elder(tx, elder_id)).division_code
    if caller.kind == "family":
        await families.bound_elder(tx, caller, elder_id)
    else:
        scope.see(caller, division_code)
    return Grievance(
        source="family" if caller.kind == "family" else "desk",
        reason_code=body.reason_code,
        urgency=body.urgency,
        order_id=body.order_id,
        elder_id=elder_id,
        provider_id=provider_id,
        division_code=division_code,
        detail=body.detail,
    )


def _after_due(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        due_at, followup_id = decode_cursor(cursor)
        return datetime.fromisoformat(due_at).astimezone(UTC), UUID(followup_id)
    except ValueError as broken:
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor") from broken
