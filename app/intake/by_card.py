"""Help for whoever carries a card, asked for by anybody who scanned it."""

from __future__ import annotations

from datetime import datetime

from app.core.db import Tx
from app.core.http import Caller
from app.elders import cards
from app.intake import service
from app.intake.requests import Channel, Kind
from app.intake.service import NewRequest, Requester


async def ask_for_help(tx: Tx, token: str, note: str, phone: str | None) -> datetime:
    """An emergency of the card's elder, until somebody knows better; returns when we took it.

    `phone` of whoever asks, as typed. Raises NotFound for an unknown or revoked card, TooMany, Invalid for a phone that
    is none.
    """
    card = await cards.help_asked(tx, token)
    finder = Caller(kind="card", id=card["number"], name="关爱卡")
    asked = NewRequest(
        channel=Channel.WEB, kind=Kind.EMERGENCY, requester=Requester(None, phone, "other"),
        elder_id=card["elder_id"], note=note or None,
    )  # fmt: skip
    row = await service.take_request(tx, finder, asked)
    return row.created_at
