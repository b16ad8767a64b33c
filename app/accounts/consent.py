"""Consent: what an elder has allowed, to whom, and until when (PIPL: separate, provable, withdrawable)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts import audit, queries_records
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from app.core.ids import new_id


async def grant(
    tx: Tx, caller: Caller, elder_id: UUID, purpose: str, granted_to: str, channel: str, evidence: str | None = None
) -> UUID:
    """Write a consent down; one that stands already is returned instead. `evidence` is a reference."""
    given = await queries_records.add_consent(
        tx, new_id(), elder_id, purpose, granted_to, channel, evidence, clock.now(), caller.actor
    )
    if given is None:
        standing = await queries_records.standing_consent(tx, elder_id, purpose, granted_to)
        if standing is None:
            raise Conflict("consent_just_withdrawn", "this consent was withdrawn at this moment: ask again")
        return standing
    await audit.record(tx, caller, "consents.grant", "elder", elder_id, fields=(purpose,))
    return given


async def withdraw(tx: Tx, caller: Caller, elder_id: UUID, purpose: str, granted_to: str) -> None:
    """From now on it does not hold. Raises NotFound when none stands."""
    ended = await queries_records.withdraw_consent(tx, elder_id, purpose, granted_to, clock.now(), caller.actor)
    if ended is None:
        raise NotFound("consent_unknown", "no such consent stands")
    await audit.record(tx, caller, "consents.withdraw", "elder", elder_id, fields=(purpose,))


async def allows(tx: Tx, elder_id: UUID, purpose: str, granted_to: str) -> bool:
    """Does this consent stand now? What was never granted does not."""
    return await queries_records.standing_consent(tx, elder_id, purpose, granted_to) is not None


async def of_elder(tx: Tx, elder_id: UUID) -> list[Any]:
    """Every consent the elder ever gave, oldest first."""
    return await queries_records.consents(tx, elder_id)
