"""Doors to cards: the desk's, and those a scanned code leads to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request, Response

from app.accounts import audit
from app.core import clock, phones
from app.core.db import Tx
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.text import View, masked_name
from app.elders import cards, queries_cards, registration
from app.elders.card_print import card_svg
from app.elders.views import age_on

router = Router(tags=["elders"])

Token = Annotated[str, Path(min_length=1, max_length=100)]
WHAT_TO_DO = (
    "请先看看老人是否受伤或不适，危急时拨打120",
    "拨打{hotline}，报出卡上的卡号，接线员会联系老人的家属或社区",
    "不便打电话时，可在此页留言求助",
    "请尽量陪老人在安全的地方等候",
)


class CardView(View):
    id: UUID
    number: str
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None = None


class IssuedCardView(CardView):
    url: str
    """What the code on the card says."""


class ScannedView(View):
    """What everybody may know: nothing of the elder."""

    hotline: str
    what_to_do: list[str]


class CardElderView(View):
    """Whose card it is, for somebody who has signed in; the name masked."""

    elder_id: UUID
    number: str
    name: str
    sex: str
    age: int | None = None
    division: str
    status: str


@router.post(
    "/v1/elders/{elder_id}/cards",
    response_model=IssuedCardView,
    status_code=201,
    summary="Issue a card; the one before is void",
)
@allow("elders.write")
async def issue_card(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Any:
    await registration.visible(tx, caller, elder_id)
    await cards.issue(tx, caller, elder_id)
    row, url = await _living(tx, request, elder_id)
    return IssuedCardView(**_facts(row), url=url)


@router.get("/v1/elders/{elder_id}/cards", response_model=list[CardView], summary="An elder's cards, newest first")
@allow("elders.read")
async def list_cards(tx: TxDep, caller: CallerDep, elder_id: UUID) -> Any:
    await registration.visible(tx, caller, elder_id)
    return [CardView(**_facts(row)) for row in await queries_cards.of_elder(tx, elder_id)]


@router.post("/v1/elders/{elder_id}/cards/{card_id}/revocation", status_code=204, summary="A card is void from now on")
@allow("elders.write")
async def revoke_card(tx: TxDep, caller: CallerDep, elder_id: UUID, card_id: UUID) -> None:
    await registration.visible(tx, caller, elder_id)
    await cards.revoke(tx, caller, elder_id, card_id)


@router.get(
    "/v1/elders/{elder_id}/card.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}, "description": "85.6 × 54 mm"}},
    summary="The elder's card, to be printed; leaves an audit row, because it bears the name",
)
@allow("elders.reveal")
async def print_card(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Response:
    elder = await registration.visible(tx, caller, elder_id)
    row, url = await _living(tx, request, elder_id)
    await audit.record(tx, caller, "elders.print_card", "elder", elder_id, ["name"], "card printed")
    return Response(card_svg(elder.name, row["number"], phones.hotline(), url), media_type="image/svg+xml")


@router.get("/v1/cards/{token}", response_model=ScannedView, summary="What somebody may do who found this card")
@allow("cards.scan")
async def scan_card(tx: TxDep, token: Token) -> Any:
    await cards.scanned(tx, token)
    return ScannedView(
        hotline=phones.hotline(), what_to_do=[one.format(hotline=phones.hotline()) for one in WHAT_TO_DO]
    )


@router.get("/v1/cards/{token}/elder", response_model=CardElderView, summary="Whose card it is, masked")
@allow("cards.read")
async def read_card(tx: TxDep, caller: CallerDep, token: Token) -> Any:
    row = await cards.looked_at(tx, caller, token)
    born: date | None = row["birth_date"]
    return CardElderView(
        elder_id=row["elder_id"], number=row["number"], name=masked_name(row["name"]), sex=row["sex"],
        age=age_on(born, clock.today()) if born is not None else None, division=row["division_code"],
        status=row["status"],
    )  # fmt: skip


async def _living(tx: Tx, request: Request, elder_id: UUID) -> tuple[Any, str]:
    row, token = await cards.living(tx, elder_id)
    return row, f"{request.app.state.settings.public_url}/c/{token}"


def _facts(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in CardView.model_fields}
