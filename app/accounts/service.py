"""Staff accounts: made and changed by an administrator, every time with an audit row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyotp

from app.accounts import audit, policy, queries_staff
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import SYSTEM, Caller, check_version
from app.core.ids import new_id
from app.regions.divisions import is_code

ISSUER = "Nuanxian"


@dataclass(frozen=True, slots=True)
class NewStaff:
    """`otp_uri` is for the person's authenticator app, shown this once; None when none was asked for."""

    id: UUID
    otp_uri: str | None


async def create_staff(
    tx: Tx,
    username: str,
    name: str,
    password_hash: str,
    roles: Sequence[str],
    divisions: Sequence[str],
    *,
    with_otp: bool = False,
    caller: Caller = SYSTEM,
) -> NewStaff:
    """A new account. Raises Invalid for roles one person may not hold together, Conflict for a taken username."""
    _check(roles, divisions)
    staff_id, username = new_id(), username.strip().lower()
    secret = pyotp.random_base32() if with_otp else None
    sealed = tx.vault.seal("staff.otp_secret", staff_id, secret) if secret else None
    added = await queries_staff.add(tx, staff_id, username, name, password_hash, sealed, list(divisions), clock.now())
    if not added:
        raise Conflict("username_taken", "somebody has this username", username=username)
    await queries_staff.set_roles(tx, staff_id, roles)
    await audit.record(tx, caller, "staff.create", "staff", staff_id, fields=("roles", "divisions"))
    uri = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER) if secret else None
    return NewStaff(staff_id, uri)


async def change_staff(
    tx: Tx,
    caller: Caller,
    staff_id: UUID,
    *,
    expected: int | None = None,
    name: str | None = None,
    roles: Sequence[str] | None = None,
    divisions: Sequence[str] | None = None,
    status: str | None = None,
    password_hash: str | None = None,
) -> Any:
    """Change what is given; whoever loses a role or the account loses their sessions. Returns the row.

    Raises NotFound, Stale, Invalid; Forbidden is not needed: nobody changes their own roles here.
    """
    row = await queries_staff.locked(tx, staff_id)
    if row is None:
        raise NotFound()
    check_version(expected, row["version"])
    if str(staff_id) == caller.id and (roles is not None or status is not None):
        raise Conflict("own_account", "somebody else has to change your roles and status")
    _check(row["roles"] if roles is None else roles, row["divisions"] if divisions is None else divisions)
    await queries_staff.change(
        tx,
        staff_id,
        name=name,
        divisions=None if divisions is None else list(divisions),
        status=status,
        password_hash=password_hash,
        now=clock.now(),
    )
    if roles is not None:
        await queries_staff.set_roles(tx, staff_id, roles)
    if roles is not None or status is not None or password_hash is not None:
        await queries_staff.close_sessions_of(tx, staff_id)
    given = {"name": name, "roles": roles, "divisions": divisions, "status": status, "password": password_hash}
    fields = [field for field, value in given.items() if value is not None]
    await audit.record(tx, caller, "staff.change", "staff", staff_id, fields=fields)
    return await queries_staff.locked(tx, staff_id)


def _check(roles: Sequence[str], divisions: Sequence[str]) -> None:
    if unknown := set(roles) - policy.ROLES:
        raise Invalid("role_unknown", f"unknown: {', '.join(sorted(unknown))}", field="roles")
    if pair := policy.conflicting(roles):
        raise Invalid("roles_conflict", f"one person may not be {' and '.join(sorted(pair))}", field="roles")
    if wrong := [code for code in divisions if not is_code(code)]:
        raise Invalid("division_malformed", f"no division code: {wrong[0]}", field="divisions")
