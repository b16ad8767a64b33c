"""SQL of staff, their sessions, and people who sign in by phone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

TAKE_TRY = """UPDATE staff SET failed_count = failed_count + 1
WHERE username = $1 AND status = 'active' AND (locked_until IS NULL OR locked_until <= $2)
RETURNING id, name, password_hash, otp_secret, divisions, failed_count,
  ARRAY(SELECT role FROM staff_role WHERE staff_id = staff.id) AS roles"""
LOCK = "UPDATE staff SET locked_until = $2 WHERE id = $1"
# The same one-time password does not serve twice, not even at the same moment.
ADMIT = """UPDATE staff SET failed_count = 0, locked_until = NULL, otp_step = greatest(otp_step, $2)
WHERE id = $1 AND status = 'active' AND ($2 = 0 OR otp_step < $2)"""

OPEN = """INSERT INTO staff_session (token_hash, staff_id, created_at, last_seen_at, expires_at)
VALUES ($1, $2, $3, $3, $4)"""
CLOSE = {
    "staff": "DELETE FROM staff_session WHERE token_hash = $1",
    "family": "DELETE FROM family_session WHERE token_hash = $1",
    "caregiver": "DELETE FROM caregiver_session WHERE token_hash = $1",
}
CLOSE_ALL = "DELETE FROM staff_session WHERE staff_id = $1"

ADD = """INSERT INTO staff (id, username, name, password_hash, otp_secret, divisions, status, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $7) ON CONFLICT (username) DO NOTHING"""
ADD_ROLE = "INSERT INTO staff_role (staff_id, role) VALUES ($1, $2)"
DROP_ROLES = "DELETE FROM staff_role WHERE staff_id = $1"
CHANGE = """UPDATE staff SET name = coalesce($2, name), divisions = coalesce($3, divisions),
  status = coalesce($4, status), password_hash = coalesce($5, password_hash),
  failed_count = 0, locked_until = NULL, version = version + 1, updated_at = $6 WHERE id = $1"""
_COLUMNS = """id, username, name, divisions, status, locked_until, version, otp_secret IS NOT NULL AS has_otp,
  ARRAY(SELECT role FROM staff_role WHERE staff_id = staff.id ORDER BY role) AS roles"""
ONE = f"SELECT {_COLUMNS} FROM staff WHERE id = $1 FOR UPDATE"
ALL = f"SELECT {_COLUMNS} FROM staff WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"


NAMES = "SELECT id, name FROM staff WHERE id = ANY($1::uuid[])"


async def names(tx: Tx, staff_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of members of staff, for histories; unknown ids are missing."""
    return {row["id"]: row["name"] for row in await tx.fetch(NAMES, list(staff_ids))}


async def take_try(tx: Tx, username: str, now: datetime) -> Any:
    """Count a try and return the account; None for an unknown, disabled or locked one."""
    return await tx.fetchrow(TAKE_TRY, username, now)


async def lock_until(tx: Tx, staff_id: UUID, until: datetime) -> None:
    await tx.run(LOCK, staff_id, until)


async def admit(tx: Tx, staff_id: UUID, otp_step: int) -> bool:
    """Forget the failures; False when this one-time password was used, or the account was closed meanwhile."""
    return await tx.run(ADMIT, staff_id, otp_step) == 1


async def open_session(tx: Tx, token_hash: bytes, staff_id: UUID, now: datetime, expires_at: datetime) -> None:
    await tx.run(OPEN, token_hash, staff_id, now, expires_at)


async def close_session(tx: Tx, kind: str, token_hash: bytes) -> None:
    await tx.run(CLOSE[kind], token_hash)


async def close_sessions_of(tx: Tx, staff_id: UUID) -> None:
    await tx.run(CLOSE_ALL, staff_id)


async def add(
    tx: Tx,
    staff_id: UUID,
    username: str,
    name: str,
    password_hash: str,
    otp_secret: bytes | None,
    divisions: list[str],
    now: datetime,
) -> bool:
    """False when the username is taken."""
    return await tx.run(ADD, staff_id, username, name, password_hash, otp_secret, divisions, now) == 1


async def set_roles(tx: Tx, staff_id: UUID, roles: Iterable[str]) -> None:
    await tx.run(DROP_ROLES, staff_id)
    for role in sorted(set(roles)):
        await tx.run(ADD_ROLE, staff_id, role)


async def change(
    tx: Tx,
    staff_id: UUID,
    *,
    name: str | None,
    divisions: list[str] | None,
    status: str | None,
    password_hash: str | None,
    now: datetime,
) -> None:
    await tx.run(CHANGE, staff_id, name, divisions, status, password_hash, now)


async def locked(tx: Tx, staff_id: UUID) -> Any:
    return await tx.fetchrow(ONE, staff_id)


async def page(tx: Tx, after: UUID | None, limit: int) -> list[Any]:
    return await tx.fetch(ALL, after, limit)
