"""Caregivers sign in on their own phone: the number their company has registered, and a code sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.accounts import codes, device_keys, sessions
from app.accounts.codes import PhoneSession
from app.core.db import Database, Tx
from app.core.errors import NotFound, Unauthorized
from app.core.http import Caller
from app.core.phones import parse_phone
from app.providers import queries, service
from app.providers.service import CaregiverFacts


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`others` are the same person's employments elsewhere: signing in with their `provider_id` goes there."""

    session: PhoneSession
    caregiver: CaregiverFacts
    others: list[CaregiverFacts]


async def send_code(tx: Tx, phone: str) -> None:
    """A code to a caregiver's phone; to any other, nothing, and nobody can tell. Raises Invalid for no number."""
    if await service.caregivers_by_phone(tx, parse_phone(phone).e164):
        await codes.send_code(tx, codes.CAREGIVER, phone)


async def sign_in(
    database: Database, phone: str, code: str, device_key: str | None, provider_id: UUID | None = None
) -> SignedIn:
    """Open the caregiver's one session; an earlier one, on whatever phone, ends.

    Raises Unauthorized for a wrong code or nobody's phone, Invalid for a key that is none.
    """
    point = device_keys.public_key(device_key) if device_key else None
    await codes.redeem(database, codes.CAREGIVER, phone, code)
    async with database.transaction() as tx:
        found = await service.caregivers_by_phone(tx, parse_phone(phone).e164)
        chosen = next((one for one in found if provider_id in (None, one.provider_id)), None)
        if chosen is None:
            raise Unauthorized("code_wrong", "the code is wrong, used or too old: ask for a new one")
        session = await codes.open_caregiver_session(tx, chosen.id, chosen.provider_id, chosen.name, point)
    return SignedIn(session, chosen, [one for one in found if one.id != chosen.id])


async def elsewhere(tx: Tx, caller: Caller) -> list[Any]:
    """The caller's other employments: id, provider_id, name, provider."""
    return await queries.elsewhere(tx, UUID(caller.id))


async def change_employer(tx: Tx, caller: Caller, caregiver_id: UUID) -> PhoneSession:
    """Go on, on the same phone, for another company the caller works for. Raises NotFound for anybody else."""
    found = next((one for one in await elsewhere(tx, caller) if one["id"] == caregiver_id), None)
    if found is None:
        raise NotFound("caregiver_not_found", "there is no such caregiver")
    await sessions.sign_out(tx, caller)
    key = caller.facts["device_key"]
    return await codes.open_caregiver_session(tx, found["id"], found["provider_id"], found["name"], key)
