"""SQL of what is written down about people: audit entries, consents, links, one-time codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

ADD_ENTRY = """INSERT INTO audit_entry (id, at, actor, action, object_type, object_id, fields, reason, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
ENTRIES = """SELECT id, at, actor, action, object_type, object_id, fields, reason, request_id FROM audit_entry
WHERE ($1::text IS NULL OR object_type = $1) AND ($2::text IS NULL OR object_id = $2)
  AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::uuid IS NULL OR id < $6)
ORDER BY id DESC LIMIT $7"""

ADD_LINK = """INSERT INTO signed_link (token_hash, purpose, subject_id, created_at, expires_at, held_by)
VALUES ($1, $2, $3, $4, $5, $6)"""
FIND_LINK = """SELECT subject_id, held_by FROM signed_link
WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3 AND revoked_at IS NULL AND uses < $4"""
COUNT_LINK = "UPDATE signed_link SET uses = uses + 1 WHERE token_hash = $1"
REVOKE_LINKS = """UPDATE signed_link SET revoked_at = $3
WHERE purpose = $1 AND subject_id = $2 AND revoked_at IS NULL"""
WAS_LINK = "SELECT EXISTS (SELECT FROM signed_link WHERE token_hash = $1 AND purpose = $2)"
STANDING_LINKS = """SELECT subject_id, max(expires_at) AS expires_at FROM signed_link
WHERE purpose = $1 AND subject_id = ANY($2) AND revoked_at IS NULL AND expires_at > $3 GROUP BY subject_id"""
NOTE_OPENING = """INSERT INTO link_opening (token_hash, device, slot, purpose, subject_id, held_by, opened_at, last_at,
  times)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1)
ON CONFLICT (token_hash, device, slot) DO UPDATE SET last_at = excluded.last_at, times = link_opening.times + 1"""
OPENINGS = """SELECT opened_at, last_at, times, device, held_by FROM link_opening
WHERE purpose = $1 AND subject_id = $2 ORDER BY opened_at DESC LIMIT $3"""

ADD_CONSENT = """INSERT INTO consent (id, elder_id, purpose, granted_to, channel, evidence, granted_at, granted_by,
  guardian_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (elder_id, purpose, granted_to) WHERE withdrawn_at IS NULL DO NOTHING RETURNING id"""
STANDING_CONSENT = """SELECT id FROM consent
WHERE elder_id = $1 AND purpose = $2 AND granted_to = $3 AND withdrawn_at IS NULL"""
ADD_REFUSAL = """INSERT INTO consent (id, elder_id, purpose, granted_to, channel, evidence, granted_at, granted_by,
  guardian_id, withdrawn_at, withdrawn_by, withdrawn_channel, withdrawn_evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $7, $8, $5, $6)"""
REFUSED_CONSENT = """SELECT count(*) > 0 AND bool_and(withdrawn_at IS NOT NULL) FROM consent
WHERE elder_id = $1 AND purpose = $2 AND granted_to = $3"""
WITHDRAW_CONSENT = """UPDATE consent
SET withdrawn_at = $4, withdrawn_by = $5, withdrawn_channel = $6, withdrawn_evidence = $7
WHERE elder_id = $1 AND (purpose = $2 OR starts_with(purpose, $2 || '.')) AND granted_to = $3
  AND withdrawn_at IS NULL"""
CONSENTS = """SELECT id, purpose, granted_to, channel, evidence, guardian_id, granted_at, granted_by, withdrawn_at,
  withdrawn_by, withdrawn_channel, withdrawn_evidence
FROM consent WHERE elder_id = $1 ORDER BY granted_at, id"""

RECENT_CODES = """SELECT count(*) AS hour, max(created_at) AS last FROM one_time_code
WHERE purpose = $1 AND phone_index = $2 AND created_at > $3"""
CODES_SINCE = "SELECT count(*) FROM one_time_code WHERE purpose = $1 AND created_at > $2"
ADD_CODE = """INSERT INTO one_time_code (id, purpose, phone_index, code_hash, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)"""
# Only the newest code counts, and every look at it is a try.
TRY_CODE = """UPDATE one_time_code SET tries = tries + 1
WHERE id = (SELECT id FROM one_time_code WHERE purpose = $1 AND phone_index = $2 ORDER BY created_at DESC LIMIT 1)
  AND used_at IS NULL AND expires_at > $3 AND tries < $4
RETURNING id, code_hash"""
USE_CODE = "UPDATE one_time_code SET used_at = $2 WHERE id = $1 AND used_at IS NULL"

OPEN_FAMILY = """INSERT INTO family_session (token_hash, phone_index, created_at, expires_at)
VALUES ($1, $2, $3, $4)"""
OPEN_CAREGIVER = """INSERT INTO caregiver_session
  (token_hash, caregiver_id, provider_id, name, device_key, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
CLOSE_CAREGIVER = "DELETE FROM caregiver_session WHERE caregiver_id = $1"

FORGET = (
    ("DELETE FROM app_nonce WHERE seen_at < $1", "nonces"),
    ("DELETE FROM one_time_code WHERE created_at < $1", "codes"),
    ("DELETE FROM staff_session WHERE expires_at < $1", "sessions"),
    ("DELETE FROM family_session WHERE expires_at < $1", "sessions"),
    ("DELETE FROM caregiver_session WHERE expires_at < $1", "sessions"),
    ("DELETE FROM signed_link WHERE expires_at < $1", "links"),
    ("DELETE FROM link_opening WHERE opened_at < $1", "openings"),
)


async def add_entry(tx: Tx, *row: Any) -> None:
    tx.later("audit_entry", ADD_ENTRY, *row)


async def entries(
    tx: Tx,
    object_type: str | None,
    object_id: str | None,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[Any]:
    return await tx.search(ENTRIES, object_type, object_id, actor, action, since, before, limit)


async def add_link(tx: Tx, *row: Any) -> None:
    tx.later("signed_link", ADD_LINK, *row)


async def find_link(tx: Tx, token_hash: bytes, purpose: str, now: datetime, max_uses: int) -> Any:
    """`subject_id, held_by`; None for a link that leads nowhere (any more)."""
    return await tx.fetchrow(FIND_LINK, token_hash, purpose, now, max_uses)


async def count_link(tx: Tx, token_hash: bytes) -> None:
    tx.later("signed_link", COUNT_LINK, token_hash)


async def note_opening(tx: Tx, *row: Any) -> None:
    tx.later("link_opening", NOTE_OPENING, *row)


async def openings(tx: Tx, purpose: str, subject_id: UUID, limit: int) -> list[Any]:
    return await tx.fetch(OPENINGS, purpose, subject_id, limit)


async def standing_links(tx: Tx, purpose: str, subject_ids: Sequence[UUID], now: datetime) -> list[Any]:
    return await tx.fetch(STANDING_LINKS, purpose, list(subject_ids), now)


async def revoke_links(tx: Tx, purpose: str, subject_id: UUID, now: datetime) -> int:
    return await tx.run(REVOKE_LINKS, purpose, subject_id, now)


async def was_link(tx: Tx, token_hash: bytes, purpose: str) -> bool:
    return bool(await tx.fetchval(WAS_LINK, token_hash, purpose))


async def add_consent(tx: Tx, *row: Any) -> UUID | None:
    """The id that was given; None when such a consent stands already."""
    added: UUID | None = await tx.fetchval(ADD_CONSENT, *row)
    return added


async def standing_consent(tx: Tx, elder_id: UUID, purpose: str, granted_to: str) -> UUID | None:
    found: UUID | None = await tx.fetchval(STANDING_CONSENT, elder_id, purpose, granted_to)
    return found


async def add_refusal(tx: Tx, *row: Any) -> None:
    await tx.run(ADD_REFUSAL, *row)


async def refused_consent(tx: Tx, elder_id: UUID, purpose: str, granted_to: str) -> bool:
    """Was this very purpose spoken about, and does no consent stand?"""
    return bool(await tx.fetchval(REFUSED_CONSENT, elder_id, purpose, granted_to))


async def withdraw_consent(tx: Tx, elder_id: UUID, purpose: str, granted_to: str, *values: Any) -> int:
    """End the consent and every part of it; how many stood."""
    return await tx.run(WITHDRAW_CONSENT, elder_id, purpose, granted_to, *values)


async def consents(tx: Tx, elder_id: UUID) -> list[Any]:
    return await tx.fetch(CONSENTS, elder_id)


async def recent_codes(tx: Tx, purpose: str, phone_index: bytes, since: datetime) -> Any:
    """`hour`: how many since then; `last`: when the last one was made, or null."""
    return await tx.fetchrow(RECENT_CODES, purpose, phone_index, since)


async def codes_since(tx: Tx, purpose: str, since: datetime) -> int:
    return int(await tx.fetchval(CODES_SINCE, purpose, since))


async def add_code(
    tx: Tx, code_id: UUID, purpose: str, phone_index: bytes, code_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    await tx.run(ADD_CODE, code_id, purpose, phone_index, code_hash, now, expires_at)


async def try_code(tx: Tx, purpose: str, phone_index: bytes, now: datetime, max_tries: int) -> Any:
    return await tx.fetchrow(TRY_CODE, purpose, phone_index, now, max_tries)


async def use_code(tx: Tx, code_id: UUID, now: datetime) -> bool:
    return await tx.run(USE_CODE, code_id, now) == 1


async def open_family(tx: Tx, token_hash: bytes, phone_index: bytes, now: datetime, expires_at: datetime) -> None:
    await tx.run(OPEN_FAMILY, token_hash, phone_index, now, expires_at)


async def open_caregiver(tx: Tx, *row: Any) -> None:
    await tx.run(OPEN_CAREGIVER, *row)


async def close_caregiver(tx: Tx, caregiver_id: UUID) -> int:
    return await tx.run(CLOSE_CAREGIVER, caregiver_id)


async def forget(tx: Tx, before: dict[str, datetime]) -> int:
    """Delete what nobody needs any more; `before` gives the moment for each kind of row."""
    return sum([await tx.run(statement, before[kind]) for statement, kind in FORGET])
