"""Consent: what an elder has allowed, to whom, and until when (PIPL: separate, provable, withdrawable).

`purposes` has the table of what may be asked, and says when one stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.accounts import audit, queries_records
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from app.core.ids import new_id


@dataclass(frozen=True, slots=True)
class Proof:
    """How somebody said so: `channel` of phone, writing, guardian, online; `evidence` is a reference, never the thing
    itself; `guardian_id` the family member who spoke in the elder's place."""

    channel: str
    evidence: str | None = None
    guardian_id: UUID | None = None


async def grant(
    tx: Tx,
    caller: Caller,
    elder_id: UUID,
    purpose: str,
    granted_to: str,
    channel: str,
    evidence: str | None = None,
    guardian_id: UUID | None = None,
) -> UUID:
    """Write a consent down; one that stands already is returned instead. `evidence` is a reference."""
    given = await queries_records.add_consent(
        tx, new_id(), elder_id, purpose, granted_to, channel, evidence, clock.now(), caller.actor, guardian_id
    )
    if given is None:
        standing = await queries_records.standing_consent(tx, elder_id, purpose, granted_to)
        if standing is None:
            raise Conflict("consent_just_withdrawn", "this consent was withdrawn at this moment: ask again")
        return standing
    await audit.record(tx, caller, "consents.grant", "elder", elder_id, fields=(purpose,))
    return given


async def withdraw(
    tx: Tx, caller: Caller, elder_id: UUID, purpose: str, granted_to: str, proof: Proof | None = None
) -> None:
    """From now on it does not hold, nor any part of it. Raises NotFound when none stands."""
    channel, evidence = (proof.channel, proof.evidence) if proof is not None else (None, None)
    now = clock.now()
    if not await queries_records.withdraw_consent(
        tx, elder_id, purpose, granted_to, now, caller.actor, channel, evidence
    ):
        raise NotFound("consent_unknown", "no such consent stands")
    await audit.record(tx, caller, "consents.withdraw", "elder", elder_id, fields=(purpose,))


async def refuse(tx: Tx, caller: Caller, elder_id: UUID, purpose: str, granted_to: str, proof: Proof) -> None:
    """The elder says no to what was never asked: written down as given and ended at once."""
    await queries_records.add_refusal(
        tx, new_id(), elder_id, purpose, granted_to, proof.channel, proof.evidence, clock.now(), caller.actor,
        proof.guardian_id,
    )  # fmt: skip
    await audit.record(tx, caller, "consents.refuse", "elder", elder_id, fields=(purpose,))


async def allows(tx: Tx, elder_id: UUID, purpose: str, granted_to: str) -> bool:
    """Does this consent stand now? What was never granted does not."""
    return await queries_records.standing_consent(tx, elder_id, purpose, granted_to) is not None


async def refused(tx: Tx, elder_id: UUID, purpose: str, granted_to: str) -> bool:
    """Was it spoken about, and does it not stand? Nobody gives or withdraws it until this transaction has ended, so
    that what is done on the answer is seen by whoever withdraws next."""
    await tx.one_at_a_time("consent", str(elder_id))
    return await queries_records.refused_consent(tx, elder_id, purpose, granted_to)


async def hold(tx: Tx, elder_id: UUID) -> None:
    """Wait for whoever acts on this elder's consents now, and keep the next one waiting."""
    await tx.one_at_a_time("consent", str(elder_id))


async def of_elder(tx: Tx, elder_id: UUID) -> list[Any]:
    """Every consent the elder ever gave, oldest first."""
    return await queries_records.consents(tx, elder_id)
