"""What an elder consents to, given and withdrawn by phone, in writing, or by a guardian in the elder's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.accounts import consent
from app.accounts.consent import Proof
from app.accounts.purposes import FAMILY, PURPOSES, standing_because, whole_of
from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller
from app.elders import queries
from app.messaging import service as messaging

GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class Entry:
    """One consent that was written down."""

    row: Any

    @property
    def purpose(self) -> str:
        return str(self.row["purpose"])

    @property
    def stands(self) -> bool:
        return self.row["withdrawn_at"] is None


@dataclass(frozen=True, slots=True)
class Consents:
    """`because`: of every purpose, why it stands, or None; `history` oldest first."""

    because: dict[str, str | None]
    history: list[Entry]


async def of_elder(tx: Tx, elder_id: UUID) -> Consents:
    """What stands for this elder now, and everything that was ever said."""
    history = [Entry(row) for row in await consent.of_elder(tx, elder_id)]
    approved = any(member.approved_at for member in await queries.family(tx, [elder_id]))
    because = {purpose: standing_because(purpose, history, approved=approved) for purpose in PURPOSES}
    return Consents(because, history)


async def give(tx: Tx, caller: Caller, elder_id: UUID, purpose: str, proof: Proof) -> None:
    """Raises Invalid for a guardian who is none. One that stands already is left as it is."""
    await _check(tx, elder_id, proof)
    await consent.hold(tx, elder_id)
    granted_to = PURPOSES[purpose].granted_to
    await consent.grant(tx, caller, elder_id, purpose, granted_to, proof.channel, proof.evidence, proof.guardian_id)


async def withdraw(tx: Tx, caller: Caller, elder_id: UUID, purpose: str, proof: Proof) -> None:
    """From now on it does not stand, for whatever reason it did; messages that wait to be sent to relatives are not
    sent. Raises NotFound when it does not stand, Invalid for a guardian who is none."""
    await _check(tx, elder_id, proof)
    await consent.hold(tx, elder_id)
    found = await of_elder(tx, elder_id)
    because, granted_to = found.because[purpose], PURPOSES[purpose].granted_to
    if because is None:
        raise NotFound("consent_unknown", "no such consent stands")
    if any(one.stands and one.purpose == purpose for one in found.history):
        await consent.withdraw(tx, caller, elder_id, purpose, granted_to, proof)
    elif because == "approval":
        await consent.refuse(tx, caller, elder_id, purpose, granted_to, proof)
    else:
        raise Invalid("consent_of_the_whole", f"withdraw {whole_of(purpose)} and give what stays", field="purpose")
    if granted_to == FAMILY:
        members = [member.id for member in await queries.family(tx, [elder_id])]
        await messaging.hold_back(tx, FAMILY, members, "consent_withdrawn")


async def _check(tx: Tx, elder_id: UUID, proof: Proof) -> None:
    if proof.guardian_id is None:
        return
    for member in await queries.family(tx, [elder_id]):
        if member.id == proof.guardian_id and member.relation == GUARDIAN and member.approved_at is not None:
            return
    raise Invalid("not_a_guardian", "this is no guardian of the elder on record", field="guardian_id")
