"""Help asked for by a card: whoever scanned it needs no account, and learns nothing of its elder."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import ConfigDict

from app.core import phones
from app.core.http import Router, TxDep, allow
from app.core.text import Body, Note, View
from app.intake import by_card
from app.intake.schemas import PhoneText

door = Router(tags=["cards"])


class HelpBody(Body):
    """`phone` of whoever asks, as typed, so that we can call back."""

    note: Note = ""
    phone: PhoneText | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"note": "老人在公园门口迷路了", "phone": "13800000001"}]},
    )


class HelpView(View):
    received_at: datetime
    hotline: str


@door.post(
    "/v1/cards/{token}/help",
    response_model=HelpView,
    status_code=201,
    summary="Ask for help for whoever carries this card",
    description="Treated as an emergency until somebody knows better. Five an hour for one card.",
)
@allow("cards.help")
async def ask_for_help(tx: TxDep, token: Annotated[str, Path(min_length=1, max_length=100)], body: HelpBody) -> Any:
    received_at = await by_card.ask_for_help(tx, token, body.note, body.phone)
    return HelpView(received_at=received_at, hotline=phones.hotline())
