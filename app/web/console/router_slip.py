"""The visit slip: what a caregiver takes along on paper, and the elder signs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Request, Response

from app.accounts import scope
from app.catalog import service as catalog
from app.core.http import CallerDep, TxDep, allow
from app.elders import views as elders
from app.elders.schemas import RevealField
from app.orders import service, views
from app.web.console.forms import ReasonForm
from app.web.pages import Pages
from app.web.rendering import page

router = Pages()

ON_PAPER: tuple[RevealField, ...] = ("name", "phones", "address", "health_note")


@router.post("/console/orders/{order_id}/slip")
@allow("elders.reveal", keyed=False)
async def slip(
    request: Request, tx: TxDep, caller: CallerDep, order_id: UUID, form: Annotated[ReasonForm, InForm()]
) -> Response:
    """Paper is read by whoever holds it: who prints it says why, and that is kept."""
    scope.see(caller, (await service.get(tx, order_id)).division_code)
    order = await views.one(tx, order_id)
    return page(
        request,
        "console/slip.html",
        order=order,
        elder=await elders.reveal(tx, caller, order.elder.id, ON_PAPER, form.reason),
        points=catalog.points_of((await catalog.item(tx, order.item.code)).description),
    )
