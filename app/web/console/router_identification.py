"""Whom an incident of nobody is about: the elder is searched for and named."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import fastapi
from fastapi import Request, Response

from app.alarms import identification, service, views
from app.core.http import CallerDep, TxDep, allow
from app.web.console import desk_views
from app.web.console.forms import SearchForm
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()
ELDER = "/console/incidents/{incident_id}/elder"
TEMPLATE = "console/incident_elder.html"


class Identity(Form):
    elder_id: UUID


@router.get(ELDER)
@allow("incidents.read")
async def ask(request: Request, tx: TxDep, caller: CallerDep, incident_id: UUID) -> Response:
    incident = await views.named(tx, await service.visible(tx, caller, incident_id))
    return page(request, TEMPLATE, incident=incident, found=None, more=False, where={}, query="")


@router.post(ELDER + "/search")
@allow("elders.read", keyed=False)
async def find(
    request: Request, tx: TxDep, caller: CallerDep, incident_id: UUID, form: Annotated[SearchForm, fastapi.Form()]
) -> Response:
    """A search is a form that is sent, so that names and numbers stay out of addresses."""
    incident = await views.named(tx, await service.visible(tx, caller, incident_id))
    values: dict[str, Any] = await desk_views.found(tx, caller, form.q, form.division)
    return page(request, TEMPLATE, incident=incident, query=form.q or "", **values)


@router.post(ELDER)
@allow("incidents.work")
async def name(tx: TxDep, caller: CallerDep, incident_id: UUID, form: Annotated[Identity, fastapi.Form()]) -> Response:
    await identification.identify(tx, caller, incident_id, form.elder_id)
    return see(f"/console/incidents/{incident_id}")
