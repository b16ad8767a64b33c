"""A link for the family, made at the desk: to be read out, or sent by whatever the caller has at hand; and who looked
by the links of an order."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request

from app.accounts import audit, links, scope
from app.channels.notices import LINK_VALID
from app.core import clock
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.text import View
from app.followup.service import FAMILY_LINK
from app.orders import service as orders

router = Router(tags=["family"])


class FamilyLinkView(View):
    token: str
    url: str
    expires_at: datetime


class OpeningView(View):
    """One look, or several of one link within ten minutes. `held_by`: whom the link was given to: "family:<id of the
    relative>", or whoever of the staff made it."""

    opened_at: datetime
    last_at: datetime
    times: int
    device: str
    held_by: str | None = None


@router.get(
    "/v1/orders/{order_id}/family-link-openings",
    response_model=list[OpeningView],
    summary="Who looked at this order by a family's link, and when; the latest first",
)
@allow("family_links.read")
async def list_openings(tx: TxDep, caller: CallerDep, order_id: UUID) -> Any:
    scope.see(caller, (await orders.get(tx, order_id)).division_code)
    return [OpeningView(**dict(row)) for row in await links.openings(tx, FAMILY_LINK, order_id)]


@router.post(
    "/v1/orders/{order_id}/family-links",
    response_model=FamilyLinkView,
    status_code=201,
    summary="A signed, expiring link to this one order",
)
@allow("orders.change")
async def make_family_link(tx: TxDep, caller: CallerDep, request: Request, order_id: UUID) -> Any:
    scope.see(caller, (await orders.get(tx, order_id)).division_code)
    token = await links.issue(tx, FAMILY_LINK, order_id, LINK_VALID, caller.actor)
    await audit.record(tx, caller, "family_link.issue", "care_order", order_id)
    return {
        "token": token,
        "url": f"{request.app.state.settings.public_url}/f/{token}",
        "expires_at": clock.now() + LINK_VALID,
    }
