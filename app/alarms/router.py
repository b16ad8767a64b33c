"""The desk's doors to incidents."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.alarms import queries, service
from app.alarms.schemas import (
    AlarmView,
    CallMade,
    Closure,
    EntryView,
    HelpersView,
    HelperView,
    IncidentDetail,
    IncidentView,
    StepView,
    Verification,
)
from app.core.db import Tx
from app.core.geo import distance_m
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.json import loads
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.regions.divisions import scope_ranges

SHOWN = 10
"""Helpers on one page."""

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
    return page_of([IncidentView(**_fields(row)) for row in rows[:limit]], [row["id"] for row in rows], limit)


@router.get("/v1/incidents/{incident_id}", response_model=IncidentDetail, summary="One incident, with its ladder")
@allow("incidents.read")
async def read_incident(tx: TxDep, caller: CallerDep, incident_id: UUID) -> Any:
    return await _detail(tx, await service.visible(tx, caller, incident_id))


@router.get("/v1/incidents/{incident_id}/helpers", response_model=HelpersView, summary="Who is near and on duty")
@allow("incidents.read")
async def list_helpers(tx: TxDep, caller: CallerDep, incident_id: UUID) -> Any:
    row = await service.visible(tx, caller, incident_id)
    return HelpersView(
        items=[
            HelperView(
                kind=one["kind"],
                id=one["id"],
                name=one["name"],
                phone=one["phone"],
                distance_m=round(distance_m(row["lng"], row["lat"], one["lng"], one["lat"])),
            )
            for one in await service.helpers(tx, row, SHOWN)
        ]
    )


@router.post("/v1/incidents/{incident_id}/acknowledgement", response_model=IncidentDetail, summary="I take it on")
@allow("incidents.work")
async def acknowledge(tx: TxDep, caller: CallerDep, incident_id: UUID) -> Any:
    return await _detail(tx, await service.acknowledge(tx, caller, incident_id))


@router.post("/v1/incidents/{incident_id}/verification", response_model=IncidentDetail, summary="What it was")
@allow("incidents.work")
async def verify(tx: TxDep, caller: CallerDep, incident_id: UUID, body: Verification) -> Any:
    return await _detail(tx, await service.verify(tx, caller, incident_id, body.finding, body.code, body.note))


@router.post("/v1/incidents/{incident_id}/calls", response_model=IncidentDetail, summary="Whom I called about it")
@allow("incidents.work")
async def log_call(tx: TxDep, caller: CallerDep, incident_id: UUID, body: CallMade) -> Any:
    return await _detail(tx, await service.log_call(tx, caller, incident_id, body.whom, body.note))


@router.post("/v1/incidents/{incident_id}/closure", response_model=IncidentDetail, summary="How it ended")
@allow("incidents.work")
async def close(tx: TxDep, caller: CallerDep, incident_id: UUID, body: Closure) -> Any:
    return await _detail(tx, await service.close(tx, caller, incident_id, body.note))


def _fields(row: Any) -> dict[str, Any]:
    shown = {name: row[name] for name in IncidentView.model_fields if name != "division"}
    return shown | {"division": row["division_code"]}


async def _detail(tx: Tx, row: Any) -> IncidentDetail:
    entries, steps, alarms = await queries.history(tx, row["id"])
    return IncidentDetail(
        **_fields(row),
        steps=[StepView(**dict(step)) for step in steps],
        reports=[AlarmView(**dict(alarm)) for alarm in alarms],
        entries=[
            EntryView(
                what=entry["what"],
                facts=loads(entry["facts"]) if isinstance(entry["facts"], str) else entry["facts"],
                note=tx.vault.open("incident_entry.note", entry["id"], entry["note"]) if entry["note"] else None,
                actor=entry["actor"],
                at=entry["at"],
            )
            for entry in entries
        ],
    )
