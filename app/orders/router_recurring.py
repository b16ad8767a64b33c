"""Doors of recurring plans, for the desk."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.core.text import masked_name
from app.elders import service as elders
from app.orders import queries_recurring as queries
from app.orders import recurring, recurring_plans
from app.orders.queries_recurring import PlanRow
from app.orders.schemas_recurring import (
    OccurrenceView,
    PlanBody,
    PlanChange,
    PlanEnd,
    PlanView,
    RestBody,
    RestEnd,
    RestView,
    SlotView,
)
from app.regions import service as regions
from app.regions.divisions import scope_ranges

router = Router(tags=["recurring plans"])

LONGEST_LOOK = timedelta(days=366)
NEVER_NULL = ("every", "weekdays", "slots", "holidays", "item_code")


@router.get("/v1/recurring-plans", response_model=Page[PlanView], summary="Plans in my divisions, newest first")
@allow("plans.read")
async def list_plans(
    tx: TxDep,
    caller: CallerDep,
    elder_id: UUID | None = None,
    ended: Annotated[bool, Query(description="Also those that have ended")] = False,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    found = await queries.find(
        tx,
        ranges=scope_ranges(caller.divisions),
        elder_id=elder_id,
        ended=ended,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of([await _view(tx, plan) for plan in found[:limit]], [plan.id for plan in found], limit)


@router.post("/v1/recurring-plans", response_model=PlanView, status_code=201, summary="Help that comes again")
@allow("plans.write")
async def make_plan(tx: TxDep, caller: CallerDep, body: PlanBody, response: Response) -> Any:
    plan_id = await recurring_plans.make(tx, caller, body.model_dump())
    response.headers["Location"] = f"/v1/recurring-plans/{plan_id}"
    return await _answer(tx, plan_id, response)


@router.get("/v1/recurring-plans/{plan_id}", response_model=PlanView, summary="One plan")
@allow("plans.read")
async def read_plan(tx: TxDep, caller: CallerDep, plan_id: UUID, response: Response) -> Any:
    plan = await recurring_plans.plan_for(tx, caller, plan_id)
    set_etag(response, plan.version)
    return await _view(tx, plan)


@router.patch("/v1/recurring-plans/{plan_id}", response_model=PlanView, summary="Change what is named")
@allow("plans.write")
async def change_plan(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, plan_id: UUID, body: PlanChange, response: Response
) -> Any:
    changes = body.model_dump(exclude_unset=True)
    if nulls := [name for name in NEVER_NULL if name in changes and changes[name] is None]:
        raise Invalid("field_missing", "this cannot be empty", field=nulls[0])
    await recurring_plans.change(tx, caller, plan_id, changes, version)
    return await _answer(tx, plan_id, response)


@router.post(
    "/v1/recurring-plans/{plan_id}/rests", response_model=PlanView, status_code=201, summary="No visits for a time"
)
@allow("plans.write")
async def rest_plan(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, plan_id: UUID, body: RestBody, response: Response
) -> Any:
    await recurring_plans.rest(tx, caller, plan_id, body.model_dump(), version)
    return await _answer(tx, plan_id, response)


@router.post("/v1/recurring-plans/{plan_id}/rests/{rest_id}/end", response_model=PlanView, summary="The elder is back")
@allow("plans.write")
async def end_rest(
    tx: TxDep, caller: CallerDep, plan_id: UUID, rest_id: UUID, body: RestEnd, response: Response
) -> Any:
    await recurring_plans.end_rest(tx, caller, plan_id, rest_id, body.last_day)
    return await _answer(tx, plan_id, response)


@router.post("/v1/recurring-plans/{plan_id}/end", response_model=PlanView, summary="The plan is over")
@allow("plans.write")
async def end_plan(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, plan_id: UUID, body: PlanEnd, response: Response
) -> Any:
    await recurring_plans.end(tx, caller, plan_id, body.reason, version)
    return await _answer(tx, plan_id, response)


@router.get(
    "/v1/recurring-plans/{plan_id}/occurrences",
    response_model=list[OccurrenceView],
    summary="What became of each visit, and which are still to come",
)
@allow("plans.read")
async def read_occurrences(
    tx: TxDep, caller: CallerDep, plan_id: UUID, first_day: date | None = None, last_day: date | None = None
) -> Any:
    plan = await recurring_plans.plan_for(tx, caller, plan_id)
    first = first_day or clock.today()
    last = last_day or first + timedelta(days=30)
    if not timedelta(0) <= last - first <= LONGEST_LOOK:
        raise Invalid("interval_too_long", "at most a year, and not backwards", field="last_day")
    rows = await queries.shown(tx, plan_id, first, last)
    made = [
        OccurrenceView.model_construct(
            day=row["day"], slot=row["slot"], state=row["state"], reason=row["reason"], order_id=row["order_id"],
            number=row["number"], order_status=row["status"],
        )
        for row in rows
    ]  # fmt: skip
    return made + await _expected(tx, plan, max(first, plan.made_through + timedelta(days=1)), last)


async def _expected(tx: Tx, plan: PlanRow, first: date, last: date) -> list[OccurrenceView]:
    if plan.ended_at is not None or last < first:
        return []
    rests = [queries.rest_of(row) for row in await queries.rest_rows(tx, plan.elder_id, plan.id)]
    calendar = await regions.calendar(tx, first - recurring.LONGEST_HOLIDAY, last)
    return [
        OccurrenceView(day=day, slot=number, state="expected")
        for day in recurring.occurrences(plan.pattern, first, last, calendar, rests)
        for number, _ in enumerate(plan.visits)
    ]


async def _answer(tx: Tx, plan_id: UUID, response: Response) -> PlanView:
    plan = await queries.plan(tx, plan_id)
    set_etag(response, plan.version)
    return await _view(tx, plan)


async def _view(tx: Tx, plan: PlanRow) -> PlanView:
    rests = await queries.rest_rows(tx, plan.elder_id, plan.id)
    elder = await elders.elder(tx, plan.elder_id)
    same = {name: getattr(plan, name) for name in PlanView.model_fields if hasattr(plan, name)}
    return PlanView.model_construct(
        **{
            **same,
            "division": plan.division_code,
            "elder_name": masked_name(elder.name),
            "slots": [SlotView.model_construct(**slot) for slot in plan.slots],
            "rests": [RestView.model_construct(**dict(row)) for row in rests],
        }
    )
