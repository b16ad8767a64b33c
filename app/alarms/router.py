"""The desk's doors to incidents."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.alarms import identification, queries, service, views
from app.alarms.schemas import (
    CallMade,
    Closure,
    HelpersView,
    Identity,
    IncidentDetail,
    IncidentView,
    Verification,
)
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.regions.divisions import scope_ranges

router = Router(tags=["alarms"])


@router.get("/v1/incidents", response_model=Page[IncidentView], summary="SOS incidents, newest first")
@allow("incidents.read")
async def list_incidents(
    tx: TxDep,
    caller: CallerDep,
    closed: Annotated[bool, Query(description="Closed ones, too")] = False,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.find(
        tx, closed=closed, after=after_id(cursor), ranges=scope_ranges(caller.divisions), limit=limit + 1
    )
    return page_of([views.incident(row) for row in rows[:limit]], [row["id"] for row in rows], limit)


@router.get("/v1/incidents/{incident_id}", response_model=IncidentDetail, summary="One incident, with its ladder")
@allow("incidents.read")
async def read_incident(tx: TxDep, caller: CallerDep, incident_id: UUID) -> Any:
    return await views.detail(tx, await service.visible(tx, caller, incident_id))


@router.get("/v1/incidents/{incident_id}/helpers", response_model=HelpersView, summary="Who is near and on duty")
@allow("incidents.read")
async def list_helpers(tx: TxDep, caller: CallerDep, incident_id: UUID) -> Any:
    return HelpersView(items=await views.helpers(tx, await service.visible(tx, caller, incident_id)))


@router.post("/v1/incidents/{incident_id}/acknowledgement", response_model=IncidentDetail, summary="I take it on")
@allow("incidents.work")
async def acknowledge(tx: TxDep, caller: CallerDep, incident_id: UUID) -> Any:
    return await views.detail(tx, await service.acknowledge(tx, caller, incident_id))


@router.post("/v1/incidents/{incident_id}/verification", response_model=IncidentDetail, summary="What it was")
@allow("incidents.work")
async def verify(tx: TxDep, caller: CallerDep, incident_id: UUID, body: Verification) -> Any:
    return await views.detail(tx, await service.verify(tx, caller, incident_id, body.finding, body.code, body.note))


@router.post("/v1/incidents/{incident_id}/elder", response_model=IncidentDetail, summary="Whom it is about")
@allow("incidents.work")
async def identify(tx: TxDep, caller: CallerDep, incident_id: UUID, body: Identity) -> Any:
    return await views.detail(tx, await identification.identify(tx, caller, incident_id, body.elder_id))


@router.post("/v1/incidents/{incident_id}/calls", response_model=IncidentDetail, summary="Whom I called about it")
@allow("incidents.work")
async def log_call(tx: TxDep, caller: CallerDep, incident_id: UUID, body: CallMade) -> Any:
    return await views.detail(tx, await service.log_call(tx, caller, incident_id, body.whom, body.note))


@router.post("/v1/incidents/{incident_id}/closure", response_model=IncidentDetail, summary="How it ended")
@allow("incidents.work")
async def close(tx: TxDep, caller: CallerDep, incident_id: UUID, body: Closure) -> Any:
    return await views.detail(tx, await service.close(tx, caller, incident_id, body.note))
