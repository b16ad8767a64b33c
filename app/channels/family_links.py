"""A link for the family, made at the desk: to be read out, or sent by whatever the caller has at hand."""

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
from app.orders import service as orders

router = Router(tags=["family"])


class FamilyLinkView(View):
    token: str
    url: str
    expires_at: datetime


@router.post(
    "/v1/orders/{order_id}/family-links",
    response_model=FamilyLinkView,
    status_code=201,
    summary="A signed, expiring link to this one order",
)
@allow("orders.change")
async def make_family_link(tx: TxDep, caller: CallerDep, request: Request, order_id: UUID) -> Any:
    scope.see(caller, (await orders.get(tx, order_id)).division_code)
    token = await links.issue(tx, "family_order", order_id, LINK_VALID)
    await audit.record(tx, caller, "family_link.issue", "care_order", order_id)
    return {
        "token": token,
        "url": f"{request.app.state.settings.public_url}/f/{token}",
        "expires_at": clock.now() + LINK_VALID,
    }
