"""The left of the desk: who is calling, who is cared for, and at which telephone the operator sits."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Query, Request, Response

from app.calls import queries as calls
from app.calls import views as call_views
from app.core.http import CallerDep, TxDep, allow
from app.elders import registration
from app.elders import views as elders
from app.hotline import presence, screen
from app.web.console import desk_views
from app.web.console.forms import ElderForm, PresenceForm, RevealForm, SearchForm
from app.web.pages import Pages, see
from app.web.refusals import in_place
from app.web.rendering import page

router = Pages()

CallId = Annotated[UUID | None, Query()]


@router.get("/console/calls/{call_id}")
@allow("requests.read")
async def call(request: Request, tx: TxDep, caller: CallerDep, call_id: UUID) -> Response:
    """The screen-pop; without a script it is on the whole page."""
    if not in_place(request):
        return see(f"/console?call={call_id}")
    shown = await screen.of_call(tx, caller, call_id)
    where = await desk_views.whereabouts(tx, [one.elder for one in shown.behind])
    return page(request, "console/_caller.html", screen=shown, person=only_one(shown), where=where)


@router.get("/console/calls/{call_id}/line")
@allow("requests.read")
async def call_line(request: Request, tx: TxDep, call_id: UUID) -> Response:
    """How the call stands by now."""
    return page(request, "console/_call_line.html", call=call_views.call(tx, await calls.one(tx, call_id)))


@router.post("/console/elders/search")
@allow("elders.read", keyed=False)
async def find(request: Request, tx: TxDep, caller: CallerDep, form: Annotated[SearchForm, InForm()]) -> Response:
    """A search is a form that is sent, so that names and numbers stay out of addresses."""
    found = await desk_views.found(tx, caller, form.q, form.division)
    if in_place(request):
        return page(request, "console/_found.html", **found, query=form.q or "", call_id=form.call_id)
    values = await desk_views.whole(tx, caller)
    if form.call_id is not None:
        values["screen"] = await screen.of_call(tx, caller, form.call_id)
        found["where"] |= await desk_views.whereabouts(tx, [one.elder for one in values["screen"].behind])
    return page(request, "console/desk.html", **(values | found | {"query": form.q or ""}))


@router.get("/console/elders/{elder_id}")
@allow("elders.read")
async def person(request: Request, tx: TxDep, caller: CallerDep, elder_id: UUID, call: CallId = None) -> Response:
    if not in_place(request):
        return see(f"/console?elder={elder_id}" + (f"&call={call}" if call else ""))
    return await _person(request, tx, await screen.of_elder(tx, caller, elder_id), call)


@router.post("/console/elders")
@allow("elders.write")
async def register(request: Request, tx: TxDep, caller: CallerDep, form: Annotated[ElderForm, InForm()]) -> Response:
    done = await registration.register(tx, caller, await form.elder(tx))
    if not in_place(request):
        return see(f"/console?elder={done.id}" + (f"&call={form.call_id}" if form.call_id else ""))
    return await _person(request, tx, await screen.of_elder(tx, caller, done.id), form.call_id, done.warnings)


@router.post("/console/elders/{elder_id}/reveals")
@allow("elders.reveal", keyed=False)
async def reveal(
    request: Request, tx: TxDep, caller: CallerDep, elder_id: UUID, form: Annotated[RevealForm, InForm()]
) -> Response:
    plain = await elders.reveal(tx, caller, elder_id, form.fields, form.reason)
    template = "console/_revealed.html" if in_place(request) else "console/revealed.html"
    return page(request, template, plain=plain, elder_id=elder_id)


@router.post("/console/presence")
@allow("requests.write")
async def be(request: Request, tx: TxDep, caller: CallerDep, form: Annotated[PresenceForm, InForm()]) -> Response:
    if form.state == "away" or form.extension is None:
        await presence.leave(tx, caller)
    else:
        await presence.enter(tx, caller, form.extension, form.state, take_over=form.take_over)
    if not in_place(request):
        return see("/console")
    return page(request, "console/_presence.html", own=await desk_views.own_presence(tx, caller))


async def _person(request: Request, tx: Any, shown: Any, call: UUID | None, warnings: Any = ()) -> Response:
    where = await desk_views.whereabouts(tx, [shown.elder])
    return page(request, "console/_person.html", person=shown, call_id=call, warnings=warnings, where=where)


def only_one(shown: Any) -> Any:
    """Whoever it must be: there is nobody else behind the number."""
    return shown.behind[0] if shown is not None and len(shown.behind) == 1 else None
