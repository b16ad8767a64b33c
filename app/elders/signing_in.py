"""Families sign in on the number that the centre has on record for them, by a code sent to it."""

from __future__ import annotations

import asyncio
import time

from app.accounts import codes
from app.accounts.schemas import AskCode, CodeAsked
from app.core.db import Database
from app.core.http import DatabaseDep, Router, allow
from app.core.phones import parse_phone
from app.elders import queries, seals

ANSWER_S = 0.2
"""No answer comes sooner: how long it takes must not tell whose number is on record."""

router = Router(tags=["family"])


@router.post(
    "/v1/family/sessions/codes",
    status_code=202,
    response_model=CodeAsked,
    summary="Have a one-time code sent to a relative's phone",
    description="The same answer for every phone; a code to a number on record only. One a minute, five an hour.",
)
@allow("family.codes", keyed=False, own_transaction=True)
async def ask_code(database: DatabaseDep, body: AskCode) -> CodeAsked:
    await send_code(database, body.phone)
    return CodeAsked(expires_in_s=int(codes.VALID.total_seconds()))


async def send_code(database: Database, phone: str) -> None:
    """A code to a relative's phone; to any other, nothing, and nobody can tell. Raises Invalid for no number."""
    index, answered = seals.family_phone_index(database.vault, parse_phone(phone).e164), time.monotonic() + ANSWER_S
    async with database.transaction() as tx:
        if await queries.is_family(tx, index):
            await codes.send_code(tx, codes.FAMILY, phone)
    await asyncio.sleep(answered - time.monotonic())
