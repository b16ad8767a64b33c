"""SQL of callers and their proofs. Plain text where every request passes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

# `$3` is the oldest moment at which an idle session may last have been seen.
STAFF_CALLER = """SELECT staff.id, staff.name, staff.divisions, s.last_seen_at,
  ARRAY(SELECT role FROM staff_role WHERE staff_id = staff.id) AS roles
FROM staff_session s JOIN staff ON staff.id = s.staff_id
WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND staff.status = 'active'"""

# Two requests of one person at once: the second does not wait to write the same minute.
TOUCH = """UPDATE staff_session SET last_seen_at = $2
WHERE token_hash = (SELECT token_hash FROM staff_session WHERE token_hash = $1 FOR UPDATE SKIP LOCKED)"""

FAMILY_CALLER = "SELECT phone_index FROM family_session WHERE token_hash = $1 AND expires_at > $2"

CAREGIVER_CALLER = """SELECT caregiver_id, provider_id, name, device_key FROM caregiver_session
WHERE token_hash = $1 AND expires_at > $2"""

# The nonce goes in before the signature is checked; a wrong signature rolls it back with the request. A second
# user of the same nonce waits on the primary key until the first has ended, so exactly one gets through.
APP_CALLER = """WITH k AS (
  SELECT key, kind, provider_id, vendors, name, secrets FROM app_key WHERE key = $1 AND active
), n AS (
  INSERT INTO app_nonce (key, nonce, seen_at) SELECT key, $2, $3 FROM k ON CONFLICT DO NOTHING RETURNING nonce
)
SELECT k.*, EXISTS (SELECT FROM n) AS fresh FROM k"""

DEVICE_KEYS = "SELECT key, vendors, name, secrets FROM app_key WHERE kind = 'device' AND active"
ADD_KEY = """INSERT INTO app_key (key, kind, provider_id, vendors, name, secrets, active, created_at)
VALUES ($1, $2, $3, $4, $5, $6, true, $7)"""
LOCK_KEY = "SELECT secrets FROM app_key WHERE key = $1 AND active FOR UPDATE"
ROTATE_KEY = "UPDATE app_key SET secrets = $2, rotated_at = $3 WHERE key = $1"
REVOKE_KEY = "UPDATE app_key SET active = false WHERE key = $1 AND active"
KEYS = """SELECT key, kind, provider_id, vendors, name, active, created_at, rotated_at FROM app_key
ORDER BY created_at, key"""


async def staff_caller(tx: Tx, token_hash: bytes, now: datetime, idle_since: datetime) -> Any:
    return await tx.fetchrow(STAFF_CALLER, token_hash, now, idle_since)


async def touch_session(tx: Tx, token_hash: bytes, now: datetime) -> None:
    await tx.run(TOUCH, token_hash, now)


async def family_caller(tx: Tx, token_hash: bytes, now: datetime) -> Any:
    return await tx.fetchrow(FAMILY_CALLER, token_hash, now)


async def caregiver_caller(tx: Tx, token_hash: bytes, now: datetime) -> Any:
    return await tx.fetchrow(CAREGIVER_CALLER, token_hash, now)


async def app_caller(tx: Tx, key: str, nonce: str, now: datetime) -> Any:
    """The key's row with `fresh`: whether the nonce was free. None for a key that is not active."""
    return await tx.fetchrow(APP_CALLER, key, nonce, now)


async def device_keys(tx: Tx) -> list[Any]:
    return await tx.fetch(DEVICE_KEYS)


async def add_key(
    tx: Tx,
    key: str,
    kind: str,
    provider_id: UUID | None,
    vendors: Sequence[str] | None,
    name: str,
    secrets: bytes,
    now: datetime,
) -> None:
    makers = None if vendors is None else list(vendors)
    await tx.run(ADD_KEY, key, kind, provider_id, makers, name, secrets, now)


async def locked_secrets(tx: Tx, key: str) -> bytes | None:
    sealed = await tx.fetchval(LOCK_KEY, key)
    return None if sealed is None else bytes(sealed)


async def replace_secrets(tx: Tx, key: str, secrets: bytes, now: datetime) -> None:
    await tx.run(ROTATE_KEY, key, secrets, now)


async def revoke_key(tx: Tx, key: str) -> bool:
    return await tx.run(REVOKE_KEY, key) == 1


async def keys(tx: Tx) -> list[Any]:
    return await tx.fetch(KEYS)
