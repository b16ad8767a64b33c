"""Passwords: argon2id, in threads, never more than two at once.

One hash takes 64 MiB and about a tenth of a second; that is its purpose, and also what somebody could flood us
with. So a few wait in line and the rest is told to come back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, TypeVarTuple, Unpack

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.errors import Invalid, TooMany

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

AT_ONCE = 2
IN_LINE = 20
MIN_LENGTH = 10

_hasher = PasswordHash((Argon2Hasher(),))


class Hashing:
    """The line before the hashing threads; one per event loop."""

    def __init__(self, at_once: int = AT_ONCE, in_line: int = IN_LINE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._capacity = at_once + in_line
        self._inside = 0

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Does the password fit? Without a hash it takes as long and the answer is no. Raises TooMany."""
        fits = await self._run(_fits, password, password_hash or _nobodys_hash())
        return fits and password_hash is not None

    async def hash(self, password: str) -> str:
        """Raises Invalid for a password that is too short, TooMany when the line is full."""
        if len(password) < MIN_LENGTH:
            raise Invalid("password_too_short", f"at least {MIN_LENGTH} characters", field="password")
        return await self._run(_hasher.hash, password)

    def check_room(self) -> None:
        """Raises TooMany when the line is full, before anything else is done for this caller."""
        if self._inside >= self._capacity:
            raise TooMany("sign_in_busy", "many people are signing in: try again in a moment", retry_after_s=2)

    async def _run(self, work: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        self.check_room()
        self._inside += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work, *args)
        finally:
            self._inside -= 1


def hash_now(password: str) -> str:
    """For seeds and the command line, which have nobody waiting."""
    return _hasher.hash(password)


def _fits(password: str, password_hash: str) -> bool:
    return _hasher.verify(password, password_hash)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def of_process(state: Any) -> Hashing:
    """The one line before the hashing threads of this process, kept on the application's state."""
    if not hasattr(state, "hashing"):
        state.hashing = Hashing()
    hashing: Hashing = state.hashing
    return hashing
