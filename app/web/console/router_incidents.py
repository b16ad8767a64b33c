"""SOS incidents: the strip on every page of the console, the list, and one incident with its clock and its ladder."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import fastapi
from fastapi import Request, Response
from pydantic import Field

from app.accounts import audit
from app.alarms import queries, service, views
from app.alarms.incidents import FALSE_ALARM_CODES, MOVES, Finding, Status, over
from app.alarms.schemas import Code, LivingView, Note
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import CallerDep, TxDep, allow
from app.core.paging import after_id
from app.elders import service as elders
from app.intake import confirmation
from app.intake.requests import Channel, Urgency
from app.intake.service import NewRequest
from app.regions.divisions import scope_ranges
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()

ONE = "/console/incidents/{incident_id}"
ON_STRIP = 4
CLOSED_SHOWN = 30
HELP = "urgent_help"
"""What is sent when nothing else is said."""


class Verification(Form):
    finding: Finding
    code: Code | None = None
    note: Note | None = None


class CallMade(Form):
    whom: Annotated[str, Field(min_length=1, max_length=40)]
    note: Note | None = None


class Help(Form):
    note: Annotated[str, Field(max_length=200)] | None = None


class Closure(Form):
    note: Note


@router.get("/console/incidents/strip")
@allow("incidents.read")
async def strip(request: Request, tx: TxDep, caller: CallerDep) -> Response:
    """What burns, for the top of every page."""
    burning = [one for one in await views.living(tx, caller) if one.finding is not Finding.FALSE_ALARM]
    return page(request, "console/_alarm_strip.html", burning=burning[:ON_STRIP], more=len(burning[ON_STRIP:]))


@router.get("/console/incidents")
@allow("incidents.read")
async def show_all(request: Request, tx: TxDep, caller: CallerDep, cursor: str | None = None) -> Response:
    rows = await queries.find(
        tx, closed=True, after=after_id(cursor), ranges=scope_ranges(caller.divisions), limit=CLOSED_SHOWN
    )
    return page(
        request,
        "console/incidents.html",
        living=await views.living(tx, caller),
        closed=[views.incident(row) for row in rows if row["status"] == Status.CLOSED],
    )


@router.get(ONE)
@allow("incidents.read")
async def show(request: Request, tx: TxDep, caller: CallerDep, incident_id: UUID) -> Response:
    return await _shown(request, tx, await service.visible(tx, caller, incident_id))


@router.post(ONE + "/door")
@allow("elders.reveal", keyed=False)
async def reveal(request: Request, tx: TxDep, caller: CallerDep, incident_id: UUID) -> Response:
    """Whom to call and where to go, in plain text; leaves an audit row each time."""
    row = await service.visible(tx, caller, incident_id)
    if row["elder_id"] is None:
        raise Invalid("elder_needed", "nobody knows yet whom this incident is about")
    await audit.record(tx, caller, "elders.reveal", "elder", row["elder_id"], ("address", "phone"), "incident")
    return await _shown(request, tx, row, await elders.door(tx, row["elder_id"]))


@router.post(ONE + "/acknowledgement")
@allow("incidents.work")
async def acknowledge(
    tx: TxDep, caller: CallerDep, incident_id: UUID, form: Annotated[Form, fastapi.Form()]
) -> Response:
    await service.acknowledge(tx, caller, incident_id)
    return _back(incident_id)


@router.post(ONE + "/verification")
@allow("incidents.work")
async def verify(
    tx: TxDep, caller: CallerDep, incident_id: UUID, form: Annotated[Verification, fastapi.Form()]
) -> Response:
    await service.verify(tx, caller, incident_id, form.finding, form.code, form.note)
    return _back(incident_id)


@router.post(ONE + "/calls")
@allow("incidents.work")
async def log_call(
    tx: TxDep, caller: CallerDep, incident_id: UUID, form: Annotated[CallMade, fastapi.Form()]
) -> Response:
    await service.log_call(tx, caller, incident_id, form.whom, form.note)
    return _back(incident_id)


@router.post(ONE + "/help")
@allow("incidents.work")
async def send_help(tx: TxDep, caller: CallerDep, incident_id: UUID, form: Annotated[Help, fastapi.Form()]) -> Response:
    """An emergency order and the nearest helpers, now."""
    row = await service.help_wanted(tx, caller, incident_id)
    if row["elder_id"] is None:
        raise Invalid("elder_needed", "nobody knows yet whom this incident is about")
    wanted = NewRequest(
        channel=Channel.HOTLINE, urgency=Urgency.EMERGENCY, elder_id=row["elder_id"], item_code=HELP, note=form.note
    )
    await service.help_sent(tx, caller, row, (await confirmation.place_order(tx, caller, wanted)).id)
    return _back(incident_id)


@router.post(ONE + "/closure")
@allow("incidents.work")
async def close(tx: TxDep, caller: CallerDep, incident_id: UUID, form: Annotated[Closure, fastapi.Form()]) -> Response:
    await service.close(tx, caller, incident_id, form.note)
    return _back(incident_id)


async def _shown(request: Request, tx: Tx, row: Any, door: Any = None) -> Response:
    incident = await views.named(tx, row)
    return page(
        request,
        "console/incident.html",
        incident=incident,
        detail=await views.detail(tx, row),
        helpers=await views.helpers(tx, row),
        door=door,
        **choices(incident),
    )


def choices(incident: LivingView) -> dict[str, Any]:
    """What may be done now and whether the ladder has stopped, as the room's rules say."""
    return {
        "may": [to.value for to in Status if to in MOVES[incident.status]],
        "codes": list(FALSE_ALARM_CODES.items()),
        "stopped": over(incident.status, incident.finding),
    }


def _back(incident_id: UUID) -> Response:
    return see(f"/console/incidents/{incident_id}")
