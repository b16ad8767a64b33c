"""The elder's card at the desk: issued, printed, and void when it is lost."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Query, Request, Response

from app.accounts import audit, policy
from app.core import phones
from app.core.http import CallerDep, TxDep, allow
from app.core.text import masked_name
from app.elders import cards, queries_cards, registration
from app.elders.card_print import card_svg
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()

CARD = "/console/elders/{elder_id}/card"


class RevocationForm(Form):
    card_id: UUID


@router.get(CARD)
@allow("elders.read")
async def card(
    request: Request, tx: TxDep, caller: CallerDep, elder_id: UUID, shown: Annotated[bool, Query()] = False
) -> Response:
    """With `shown` the card itself is on the page, ready to be printed: it bears the name, and that is written down."""
    elder = await registration.visible(tx, caller, elder_id)
    issued = [row for row in await queries_cards.of_elder(tx, elder_id) if row["revoked_at"] is None]
    return page(
        request, "console/card.html", elder_id=elder_id, name=masked_name(elder.name), card=next(iter(issued), None),
        shown=shown, picture=f"/console/elders/{elder_id}/card.svg",
        may={one: policy.may(caller, one) for one in ("elders.write", "elders.reveal")},
    )  # fmt: skip


@router.get(CARD + ".svg")
@allow("elders.reveal")
async def picture(request: Request, tx: TxDep, caller: CallerDep, elder_id: UUID) -> Response:
    elder = await registration.visible(tx, caller, elder_id)
    row, token = await cards.living(tx, elder_id)
    await audit.record(tx, caller, "elders.print_card", "elder", elder_id, ["name"], "card printed")
    url = f"{request.app.state.settings.public_url}/c/{token}"
    svg = card_svg(elder.name, row["number"], phones.hotline(), url)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "private, no-store"})


@router.post(CARD)
@allow("elders.write")
async def issue(tx: TxDep, caller: CallerDep, elder_id: UUID, form: Annotated[Form, InForm()]) -> Response:
    """A new one; the one before is void."""
    await registration.visible(tx, caller, elder_id)
    await cards.issue(tx, caller, elder_id)
    return see(f"/console/elders/{elder_id}/card")


@router.post(CARD + "/revocation")
@allow("elders.write")
async def revoke(tx: TxDep, caller: CallerDep, elder_id: UUID, form: Annotated[RevocationForm, InForm()]) -> Response:
    await registration.visible(tx, caller, elder_id)
    await cards.revoke(tx, caller, elder_id, form.card_id)
    return see(f"/console/elders/{elder_id}/card")
