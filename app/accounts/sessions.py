"""Signing in and out.

Every refusal has the same words and takes the same time, whether the name is unknown, the password wrong, the
account locked or the one-time password stale: whoever guesses learns nothing.

A try is counted before the password is looked at, in a transaction of its own: a refusal cannot roll it back, and
a hundred guesses sent at once are still a hundred tries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyotp

from app.accounts import audit, policy, queries_staff, tokens
from app.accounts.guard import ABSOLUTE, NOBODY
from app.accounts.lockout import pause_after
from app.accounts.passwords import Hashing
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Unauthorized
from app.core.http import Caller

OTP_STEP_S = 30


@dataclass(frozen=True, slots=True)
class Session:
    """An opened session; the token is shown this once."""

    token: str
    expires_at: datetime
    roles: tuple[str, ...]
    divisions: tuple[str, ...]


async def sign_in(database: Database, hashing: Hashing, username: str, password: str, otp: str | None) -> Session:
    """Open a session. Raises Unauthorized, always in the same words, or TooMany when too many people sign in."""
    hashing.check_room()
    now = clock.now()
    async with database.transaction() as tx:
        row = await _counted(tx, username.strip().lower(), now)
    fits = await hashing.verify(password, None if row is None else row["password_hash"])
    if row is None or not fits:
        raise _refused()
    async with database.transaction() as tx:
        step = _otp_step(tx, row, otp, now)
        if step is None or not await queries_staff.admit(tx, row["id"], step):
            raise _refused()
        return await _open(tx, row, now)


async def sign_out(tx: Tx, caller: Caller) -> None:
    """End the caller's session; nothing happens when it has ended already."""
    await queries_staff.close_session(tx, caller.kind, caller.facts["session"])


async def _counted(tx: Tx, username: str, now: datetime) -> Any:
    """The account, with this try counted and written down; None for an unknown, disabled or locked one."""
    row = await queries_staff.take_try(tx, username, now)
    # An unknown name leaves a row too: a transaction without one would be quicker, and say so.
    await audit.record(tx, NOBODY, "session.try", "staff", "unknown" if row is None else row["id"])
    # Not a lock of no length: whoever read the clock a moment earlier and waits for this row would meet it, uncounted.
    if row is not None and (pause := pause_after(row["failed_count"])):
        await queries_staff.lock_until(tx, row["id"], now + pause)
    return row


async def _open(tx: Tx, row: Any, now: datetime) -> Session:
    token = tokens.new_token(tokens.STAFF)
    await queries_staff.open_session(tx, tokens.hash_of(token), row["id"], now, now + ABSOLUTE)
    caller = Caller(kind=policy.STAFF, id=str(row["id"]), name=row["name"])
    await audit.record(tx, caller, "session.open", "staff", row["id"])
    return Session(token, now + ABSOLUTE, tuple(sorted(row["roles"])), tuple(row["divisions"]))


def _otp_step(tx: Tx, row: Any, otp: str | None, now: datetime) -> int | None:
    """The 30-second step whose password was given; 0 when none is asked for, None when it does not fit."""
    if row["otp_secret"] is None:
        return 0
    totp = pyotp.TOTP(tx.vault.open("staff.otp_secret", row["id"], row["otp_secret"]), interval=OTP_STEP_S)
    current = int(now.timestamp()) // OTP_STEP_S
    given = (otp or "").strip()
    return next(
        (s for s in (current, current - 1, current + 1) if pyotp.utils.strings_equal(totp.generate_otp(s), given)), None
    )


def _refused() -> Unauthorized:
    return Unauthorized(
        "sign_in_failed",
        "name, password or one-time password is wrong, or there were too many tries: then wait up to 15 minutes",
    )
