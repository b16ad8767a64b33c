"""Cards with a QR code: issued, printed, revoked, and read by whoever scans them.

What a code leads to is nobody's name: a stranger learns the hotline's number and may ask for help; who has signed in
sees the masked elder, and leaves an audit row.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.accounts import audit, scope
from app.accounts.tokens import hash_of, new_token
from app.core import clock, phones
from app.core.db import Tx
from app.core.errors import Conflict, NotFound, TooMany
from app.core.http import Caller
from app.core.ids import new_id
from app.elders import queries_cards
from app.elders.events import CardRevoked

TOKEN = "elder_card.token"  # noqa: S105 (the name of a field)
PER_HOUR = 5
"""So often a card may ask for help within an hour; more is a game, and a call reaches us all the same."""
HOUR = timedelta(hours=1)
TRIES = 5


async def issue(tx: Tx, caller: Caller, elder_id: UUID) -> UUID:
    """A new card; the one before is void from now on."""
    await queries_cards.lock_elder(tx, elder_id)
    now, card_id, token = clock.now(), new_id(), new_token("")
    if await queries_cards.revoke(tx, elder_id, now, caller.actor):
        await _tell(tx, caller, elder_id)
    sealed = tx.vault.seal(TOKEN, card_id, token)
    for _ in range(TRIES):
        number = f"{secrets.randbelow(10**8):08d}"
        if await queries_cards.add(tx, card_id, elder_id, number, hash_of(token), sealed, now, caller.actor):
            await audit.record(tx, caller, "elders.issue_card", "elder", elder_id)
            return card_id
    raise Conflict("card_numbers_used_up", "no free card number was found: try again")


async def revoke(tx: Tx, caller: Caller, elder_id: UUID, card_id: UUID) -> None:
    """Lost, or not wanted any more. Raises NotFound for a card that is no living one of this elder."""
    if not await queries_cards.revoke(tx, elder_id, clock.now(), caller.actor, card_id):
        raise NotFound("card_not_found", "there is no such card")
    await _tell(tx, caller, elder_id)
    await audit.record(tx, caller, "elders.revoke_card", "elder", elder_id)


async def _tell(tx: Tx, caller: Caller, elder_id: UUID) -> None:
    await tx.publish(CardRevoked(elder_id=elder_id, actor=caller.actor, at=clock.now()))


async def living(tx: Tx, elder_id: UUID) -> tuple[Any, str]:
    """The elder's card and its token. Raises NotFound."""
    for row in await queries_cards.of_elder(tx, elder_id):
        if row["revoked_at"] is None:
            return row, tx.vault.open(TOKEN, row["id"], row["token"])
    raise NotFound("card_not_found", "this elder has no card")


async def scanned(tx: Tx, token: str) -> Any:
    """The card that this token is on, with its elder. Raises NotFound for an unknown or revoked one."""
    row = await queries_cards.scanned(tx, hash_of(token))
    if row is None:
        raise NotFound("card_unknown", f"this card is unknown or no longer valid: call {phones.hotline()}")
    return row


async def looked_at(tx: Tx, caller: Caller, token: str) -> Any:
    """`scanned`, for somebody who has signed in: staff within their divisions, caregivers because the elder is before
    them. Leaves an audit row."""
    row = await scanned(tx, token)
    if caller.kind == "staff":
        scope.see(caller, row["division_code"])
    await audit.record(tx, caller, "elders.scan_card", "elder", row["elder_id"], ["name", "sex", "birth_date"])
    return row


async def help_asked(tx: Tx, token: str) -> Any:
    """`scanned`, counted. Raises TooMany for a card that asks too often."""
    row, now = await scanned(tx, token), clock.now()
    if await queries_cards.helped(tx, row["id"], now, now - HOUR) > PER_HOUR:
        raise TooMany(
            "card_busy", f"we have been asked several times already: call {phones.hotline()}", retry_after_s=600
        )
    return row
