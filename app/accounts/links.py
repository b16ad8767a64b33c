"""Signed links: a way to one thing for somebody without an account. Only a hash of the token is kept."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.accounts import queries_records
from app.accounts.tokens import hash_of, new_token
from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound

MAX_USES = 10_000
"""A link that is opened more often than any family would is being abused."""


async def issue(tx: Tx, purpose: str, subject_id: UUID, valid_for: timedelta) -> str:
    """A new token that leads to `subject_id` for `purpose`, for a while."""
    token, now = new_token(""), clock.now()
    await queries_records.add_link(tx, hash_of(token), purpose, subject_id, now, now + valid_for)
    return token


async def resolve(tx: Tx, token: str, purpose: str) -> UUID:
    """Where the token leads; counted. Raises NotFound for an unknown, expired, revoked or worn-out one."""
    subject_id = await queries_records.use_link(tx, hash_of(token), purpose, clock.now(), MAX_USES)
    if subject_id is None:
        raise NotFound("link_unknown", "this link is unknown or has expired")
    return subject_id


async def revoke(tx: Tx, purpose: str, subject_id: UUID) -> int:
    """Close every link to `subject_id` for `purpose`; returns how many were open."""
    return await queries_records.revoke_links(tx, purpose, subject_id, clock.now())
