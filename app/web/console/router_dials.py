"""Click-to-call: the exchange rings the operator's extension, and when it is picked up, the other side."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Request, Response

from app.core.http import CallerDep, TxDep, allow
from app.hotline import dialling
from app.web.pages import Form, Pages, see
from app.web.refusals import in_place
from app.web.rendering import page

router = Pages()


class DialForm(Form):
    about: Literal["elder", "callback_task"]
    about_id: UUID


@router.post("/console/dials")
@allow("requests.write")
async def dial(request: Request, tx: TxDep, caller: CallerDep, form: Annotated[DialForm, InForm()]) -> Response:
    made = await dialling.request(tx, caller, form.about, form.about_id)
    if not in_place(request):
        return see(f"/console/dials/{made.id}")
    return page(request, "console/_dial.html", dial=made)


@router.get("/console/dials/{dial_id}")
@allow("requests.read")
async def how_it_goes(request: Request, tx: TxDep, dial_id: UUID) -> Response:
    """Asked again and again by a script until the exchange has said; without one, by the reader."""
    template = "console/_dial.html" if in_place(request) else "console/dial.html"
    return page(request, template, dial=await dialling.one(tx, dial_id))
