"""The desk's doors to planned days and their repairs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.core.http import CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.regions.divisions import scope_ranges
from app.rounds import disruptions, planning, publishing, queries, views
from app.rounds.lifecycle import Kind
from app.rounds.schemas import (
    Choice,
    DisruptionBody,
    DisruptionView,
    PlanBegun,
    PlanBody,
    PlanHead,
    PlanView,
    PublishedView,
)

router = Router(tags=["rounds"])

BUSY: dict[int | str, dict[str, Any]] = {
    409: {"description": "The state forbids it, or the day has changed; the problem says which orders or who"}
}


@router.post(
    "/v1/rounds", response_model=PlanBegun, status_code=202, responses=BUSY, summary="Plan a day; look for it later"
)
@allow("rounds.plan")
async def begin_plan(tx: TxDep, caller: CallerDep, body: PlanBody, response: Response) -> Any:
    plan_id = await planning.begin(
        tx, caller, body.service_day, body.division, body.provider_id, body.budget_cpu_s
    )  # fmt: skip
    response.headers["Location"] = f"/v1/rounds/{plan_id}"
    return {"id": plan_id}


@router.get("/v1/rounds", response_model=Page[PlanHead], summary="Plans, newest first")
@allow("rounds.read")
async def list_plans(
    tx: TxDep,
    caller: CallerDep,
    service_day: Annotated[date | None, Query(description="Of this day alone")] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.find(tx, service_day, scope_ranges(caller.divisions), after_id(cursor), limit + 1)
    return page_of([PlanHead(**views.head(row)) for row in rows], [row["id"] for row in rows], limit)


@router.get("/v1/rounds/{plan_id}", response_model=PlanView, summary="How far it is, and who goes where")
@allow("rounds.read")
async def read_plan(tx: TxDep, caller: CallerDep, plan_id: UUID, response: Response) -> Any:
    row = await planning.seen(tx, caller, plan_id)
    set_etag(response, row["version"])
    return await views.whole(tx, row)


@router.post(
    "/v1/rounds/{plan_id}/publication", response_model=PublishedView, responses=BUSY, summary="Book all of it, or none"
)
@allow("rounds.publish")
async def publish_plan(tx: TxDep, caller: CallerDep, version: IfMatchDep, plan_id: UUID) -> Any:
    counts = await publishing.publish(tx, caller, plan_id, version)
    return {"id": plan_id, "status": "published", **counts}


@router.post("/v1/rounds/{plan_id}/discard", status_code=204, responses=BUSY, summary="Nobody wants it")
@allow("rounds.plan")
async def discard_plan(tx: TxDep, caller: CallerDep, plan_id: UUID) -> Response:
    await planning.discard(tx, caller, plan_id)
    return Response(status_code=204)


@router.post(
    "/v1/rounds/disruptions", response_model=DisruptionView, status_code=202, summary="The day broke; look for repairs"
)
@allow("rounds.plan")
async def report_disruption(tx: TxDep, caller: CallerDep, body: DisruptionBody, response: Response) -> Any:
    facts = body.model_dump(include={"caregiver_id", "from_at", "to_at", "order_id", "minutes"}, exclude_none=True)
    broken = disruptions.Broken(
        kind=Kind(body.kind), facts=facts, round_plan_id=body.round_plan_id, service_day=body.service_day,
        division=body.division, provider_id=body.provider_id,
    )  # fmt: skip
    repair_id = await disruptions.report(tx, caller, broken)
    response.headers["Location"] = f"/v1/rounds/disruptions/{repair_id}"
    return views.disruption(await disruptions.seen(tx, caller, repair_id))


@router.get(
    "/v1/rounds/disruptions/{disruption_id}", response_model=DisruptionView, summary="The repairs to choose from"
)
@allow("rounds.read")
async def read_disruption(tx: TxDep, caller: CallerDep, disruption_id: UUID, response: Response) -> Any:
    row = await disruptions.seen(tx, caller, disruption_id)
    set_etag(response, row["version"])
    return views.disruption(row)


@router.post(
    "/v1/rounds/disruptions/{disruption_id}/choice", response_model=DisruptionView, responses=BUSY,
    summary="Book this repair",
)  # fmt: skip
@allow("rounds.publish")
async def choose_repair(tx: TxDep, caller: CallerDep, version: IfMatchDep, disruption_id: UUID, body: Choice) -> Any:
    await disruptions.choose(tx, caller, disruption_id, body.level, version)
    return views.disruption(await disruptions.seen(tx, caller, disruption_id))
