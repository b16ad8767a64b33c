"""Signing in by phone: a six-digit code, five minutes, five tries.

A phone is never an identity: the session says only that somebody holds this phone. Whom they may see is decided
by the room that knows the families, and so is to whom a code may be sent at all: each costs as much as an alarm's text
message, from the same purse. Asking for a code is always answered alike, whoever the phone belongs to.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.accounts import queries_records, tokens
from app.core import clock, log
from app.core.crypto import Vault
from app.core.db import Database, Tx
from app.core.errors import Unauthorized
from app.core.ids import new_id
from app.core.phones import parse_phone
from app.messaging import service as messaging

FAMILY = "family"
CAREGIVER = "caregiver"
FAMILY_PHONE = "family_member.phone"
"""The blind index of a family member's phone, so that a session finds its family without the phone."""

VALID = timedelta(minutes=5)
MAX_TRIES = 5
PAUSE = timedelta(seconds=60)
PER_HOUR = 5
OF_ALL = ((timedelta(minutes=1), 30), (timedelta(hours=1), 300))
"""So many codes of one purpose at the most, to whomever: a house rule. More than a city's families or caregivers ask
for, and too few for a script to use up the purse."""
FAMILY_SESSION = timedelta(days=30)
CAREGIVER_SESSION = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class PhoneSession:
    token: str
    expires_at: datetime


async def send_code(tx: Tx, purpose: str, phone: str) -> None:
    """Send a code, unless this phone had one within a minute or five within an hour, or all together had too many.

    The calling room has found the phone on record. Raises Invalid."""
    e164 = parse_phone(phone).e164
    index, now = phone_index(tx.vault, e164), clock.now()
    # Two requests at once must not both find room for one more code.
    await tx.one_at_a_time("code", purpose)
    recent = await queries_records.recent_codes(tx, purpose, index, now - timedelta(hours=1))
    if recent["hour"] >= PER_HOUR or (recent["last"] is not None and recent["last"] > now - PAUSE):
        return
    for span, most in OF_ALL:
        if await queries_records.codes_since(tx, purpose, now - span) >= most:
            log.get("accounts").warning("codes_exhausted", purpose=purpose, most=most)
            return
    code_id, code = new_id(), f"{secrets.randbelow(10**6):06d}"
    await queries_records.add_code(tx, code_id, purpose, index, _hash(tx.vault, code_id, code), now, now + VALID)
    await messaging.send(
        tx,
        template="one_time_code",
        recipient_kind=purpose,
        recipient_id=None,
        address=e164,
        params={"code": code, "minutes": int(VALID.total_seconds()) // 60},
        dedupe_key=f"one_time_code:{code_id}",
        urgent=True,
    )


async def redeem(database: Database, purpose: str, phone: str, code: str) -> bytes:
    """The index of the phone that this code proves. Raises Unauthorized; the try counts all the same."""
    index, now = phone_index(database.vault, parse_phone(phone).e164), clock.now()
    async with database.transaction() as tx:
        row = await queries_records.try_code(tx, purpose, index, now, MAX_TRIES)
    expected = bytes(32) if row is None else bytes(row["code_hash"])
    given = _hash(database.vault, new_id() if row is None else row["id"], code.strip())
    if row is None or not hmac.compare_digest(expected, given):
        raise _refused()
    async with database.transaction() as tx:
        if not await queries_records.use_code(tx, row["id"], now):
            raise _refused()
    return index


async def open_family_session(database: Database, phone: str, code: str) -> PhoneSession:
    """Sign a family member in. Raises Unauthorized for a wrong, used, worn-out or late code."""
    index = await redeem(database, FAMILY, phone, code)
    async with database.transaction() as tx:
        return await family_session(tx, index)


async def family_session(tx: Tx, index: bytes) -> PhoneSession:
    """A session for whoever has proved the phone of this index, here or on a channel that vouches for them."""
    token, now = tokens.new_token(tokens.FAMILY), clock.now()
    await queries_records.open_family(tx, tokens.hash_of(token), index, now, now + FAMILY_SESSION)
    return PhoneSession(token, now + FAMILY_SESSION)


async def open_caregiver_session(
    tx: Tx, caregiver_id: UUID, provider_id: UUID, name: str, device_key: bytes | None = None
) -> PhoneSession:
    """A session for a caregiver whom the calling room has found by a phone that `redeem` proved.

    It is the only one: whoever signs in on a new phone has signed out on the old one. What it reports must be signed
    by `device_key` (`accounts.device_keys`); without one it may only read.
    """
    token, now = tokens.new_token(tokens.CAREGIVER), clock.now()
    expires_at = now + CAREGIVER_SESSION
    await queries_records.close_caregiver(tx, caregiver_id)
    await queries_records.open_caregiver(
        tx, tokens.hash_of(token), caregiver_id, provider_id, name, device_key, now, expires_at
    )
    return PhoneSession(token, expires_at)


async def close_caregiver_sessions(tx: Tx, caregiver_id: UUID) -> int:
    """When a caregiver leaves or loses the phone; returns how many sessions ended."""
    return await queries_records.close_caregiver(tx, caregiver_id)


def phone_index(vault: Vault, e164: str) -> bytes:
    return vault.blind(FAMILY_PHONE, e164)


def _hash(vault: Vault, code_id: UUID, code: str) -> bytes:
    # Keyed: a million codes are hashed in a second by whoever reads the table.
    return hmac.digest(vault.key_for("one_time_code"), code_id.bytes + code.encode("utf-8", "replace"), "sha256")


def _refused() -> Unauthorized:
    return Unauthorized("code_wrong", "the code is wrong, used or too old: ask for a new one")
