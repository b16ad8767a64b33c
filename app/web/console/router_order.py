"""One order: what became of it, what proves it, and what may be done next."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Query, Request, Response

from app.accounts import audit, policy, scope
from app.core.http import CallerDep, DatabaseDep, TxDep, allow
from app.dispatch import candidates
from app.dispatch import service as dispatch
from app.hotline import presence
from app.orders import flags, lifecycle, service, views
from app.visits import uploads
from app.web.console import order_views
from app.web.console.forms import AssignForm, CancelForm, ReasonForm
from app.web.pages import Pages, see
from app.web.refusals import in_place
from app.web.rendering import page

router = Pages()

Reason = Annotated[ReasonForm, InForm()]


@router.get("/console/orders/{order_id}")
@allow("order_files.read")
async def order(
    request: Request, tx: TxDep, caller: CallerDep, order_id: UUID, evidence: Annotated[bool, Query()] = False
) -> Response:
    """With `evidence` its files are shown, too: each of them is then asked for, and that is written down."""
    row = await service.get(tx, order_id)
    scope.see(caller, row.division_code)
    values = await order_views.whole(tx, await views.one(tx, order_id), row)
    actions = lifecycle.next_actions(lifecycle.Status(row.status), row.flags)
    may = {one: policy.may(caller, one) for one in ("orders.change", "orders.watch", "elders.reveal")}
    actions = actions if may["orders.change"] else []
    return page(request, "console/order.html", **values, may=may, actions=actions, opened=evidence)


@router.get("/console/orders/{order_id}/assignment")
@allow("dispatch.decide", own_transaction=True)
async def choose(request: Request, database: DatabaseDep, caller: CallerDep, order_id: UUID) -> Response:
    """Whom to choose by hand: the same list as the desk's, each with a form."""
    found = await candidates.of_order(database, request.app.state.road_times, caller, order_id)
    async with database.transaction() as tx:
        shown = await views.one(tx, order_id)
    return page(request, "console/order_assign.html", order=shown, asked=found.view)


@router.post("/console/orders/{order_id}/cancellation")
@allow("orders.change")
async def cancel(
    request: Request, tx: TxDep, caller: CallerDep, order_id: UUID, form: Annotated[CancelForm, InForm()]
) -> Response:
    """A script asks where the order has just been placed, and stays there."""
    await service.held(tx, caller, order_id, form.version)
    await service.cancel(tx, caller, order_id, form.reason_code, form.by)
    if in_place(request):
        placed = {"order": await views.one(tx, order_id), "taken": None}
        return page(request, "console/_placed.html", placed=placed)
    return see(f"/console/orders/{order_id}")


@router.post("/console/orders/{order_id}/reopening")
@allow("orders.change")
async def reopen(tx: TxDep, caller: CallerDep, order_id: UUID, form: Reason) -> Response:
    await service.held(tx, caller, order_id, form.version)
    again = await service.rework(tx, caller, order_id, form.reason)
    return see(f"/console/orders/{again.id}")


@router.post("/console/orders/{order_id}/suspension")
@allow("orders.change")
async def suspend(tx: TxDep, caller: CallerDep, order_id: UUID, form: Reason) -> Response:
    await service.held(tx, caller, order_id, form.version)
    await flags.suspend(tx, caller, order_id, form.reason)
    return see(f"/console/orders/{order_id}")


@router.post("/console/orders/{order_id}/resumption")
@allow("orders.change")
async def resume(tx: TxDep, caller: CallerDep, order_id: UUID, form: Reason) -> Response:
    await service.held(tx, caller, order_id, form.version)
    await flags.resume(tx, caller, order_id, form.reason)
    return see(f"/console/orders/{order_id}")


@router.post("/console/orders/{order_id}/redispatch")
@allow("dispatch.decide")
async def redispatch(tx: TxDep, caller: CallerDep, order_id: UUID, form: Reason) -> Response:
    await service.held(tx, caller, order_id, form.version)
    await dispatch.redispatch(tx, caller, order_id, form.reason)
    return see(f"/console/orders/{order_id}")


@router.post("/console/orders/{order_id}/assignment")
@allow("dispatch.decide")
async def assign(tx: TxDep, caller: CallerDep, order_id: UUID, form: Annotated[AssignForm, InForm()]) -> Response:
    await service.held(tx, caller, order_id, form.version)
    provider, caregiver = form.who()
    await dispatch.offer_by_hand(tx, caller, order_id, provider, caregiver, form.reason)
    return see(f"/console/orders/{order_id}")


@router.post("/console/orders/{order_id}/viewers")
@allow("orders.watch", keyed=False)
async def look(request: Request, tx: TxDep, caller: CallerDep, order_id: UUID) -> Response:
    """I have it before me; who else has, and is it still what I see?"""
    viewers = await presence.look(tx, caller, order_id)
    return page(request, "console/_viewers.html", viewers=viewers, version=(await service.get(tx, order_id)).version)


@router.post("/console/orders/{order_id}/viewers/leave")
@allow("orders.watch", keyed=False)
async def look_away(tx: TxDep, caller: CallerDep, order_id: UUID) -> Response:
    await presence.look_away(tx, caller, order_id)
    return Response(status_code=204)


@router.get("/console/orders/{order_id}/evidence/{upload_id}")
@allow("visits.read")
async def evidence(request: Request, tx: TxDep, caller: CallerDep, order_id: UUID, upload_id: UUID) -> Response:
    """A photo, signature or recording, for the page alone: nobody else may keep it, and who looked is kept."""
    scope.see(caller, (await service.get(tx, order_id)).division_code)
    content, media_type = await uploads.of_visit(tx, order_id, upload_id, request.app.state.settings.data_dir)
    await audit.record(tx, caller, "visits.open_evidence", "upload", upload_id, ("file",))
    return Response(content, media_type=media_type, headers={"Cache-Control": "private, no-store"})
