"""Signed links: a way to one thing for somebody without an account. Only a hash of the token is kept.

Who opens one leaves a line: when, and with what kind of device. The line holds no address and nothing that tells one
telephone from another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from app.accounts import queries_records
from app.accounts.tokens import hash_of, new_token
from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound

MAX_USES = 10_000
"""A link that is opened more often than any family would is being abused."""
SLOT = timedelta(minutes=10)
OPENINGS_KEPT = timedelta(days=183)
"""Records of who came in are kept for six months at the least (网络安全法, article 21)."""

Device = Literal["wechat", "phone", "computer", "program"]


async def issue(tx: Tx, purpose: str, subject_id: UUID, valid_for: timedelta, held_by: str | None = None) -> str:
    """A new token that leads to `subject_id` for `purpose`, for a while. `held_by`: whom it is given to."""
    token, now = new_token(""), clock.now()
    await queries_records.add_link(tx, hash_of(token), purpose, subject_id, now, now + valid_for, held_by)
    return token


async def resolve(tx: Tx, token: str, purpose: str) -> UUID:
    """Where the token leads; counted. Raises NotFound for an unknown, expired, revoked or worn-out one."""
    return await _used(tx, token, purpose, None)


async def opened(tx: Tx, token: str, purpose: str, user_agent: str) -> UUID:
    """`resolve`, for somebody who is shown what lies behind the link: it is written down that they looked."""
    return await _used(tx, token, purpose, device_of(user_agent))


async def leads_to(tx: Tx, token: str, purpose: str) -> UUID:
    """`resolve`, uncounted: for a page that is open already and asks for news."""
    found = await queries_records.find_link(tx, hash_of(token), purpose, clock.now(), MAX_USES)
    if found is None:
        raise _unknown()
    return UUID(str(found["subject_id"]))


async def was_issued(tx: Tx, token: str, purpose: str) -> bool:
    """Whether the token led anywhere once, revoked or worn out as it may be."""
    return await queries_records.was_link(tx, hash_of(token), purpose)


async def revoke(tx: Tx, purpose: str, subject_id: UUID) -> int:
    """Close every link to `subject_id` for `purpose`; returns how many were open."""
    return await queries_records.revoke_links(tx, purpose, subject_id, clock.now())


async def standing(tx: Tx, purpose: str, subject_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Until when there is a link to each of these for `purpose`; those without one are missing."""
    rows = await queries_records.standing_links(tx, purpose, subject_ids, clock.now())
    return {row["subject_id"]: row["expires_at"] for row in rows}


async def openings(tx: Tx, purpose: str, subject_id: UUID, limit: int = 100) -> list[Any]:
    """Who looked by a link, the latest first: `opened_at, last_at, times, device, held_by`."""
    return await queries_records.openings(tx, purpose, subject_id, limit)


def device_of(user_agent: str) -> Device:
    """What kind of device says this of itself: coarse on purpose."""
    if "MicroMessenger" in user_agent:
        return "wechat"
    if any(word in user_agent for word in ("Mobile", "Android", "iPhone", "HarmonyOS")):
        return "phone"
    return "computer" if user_agent.startswith("Mozilla/") else "program"


async def _used(tx: Tx, token: str, purpose: str, device: Device | None) -> UUID:
    now, token_hash = clock.now(), hash_of(token)
    found = await queries_records.find_link(tx, token_hash, purpose, now, MAX_USES)
    if found is None:
        raise _unknown()
    await queries_records.count_link(tx, token_hash)
    if device is not None:
        slot = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % SLOT
        await queries_records.note_opening(
            tx, token_hash, device, slot, purpose, found["subject_id"], found["held_by"], now
        )
    return UUID(str(found["subject_id"]))


def _unknown() -> NotFound:
    return NotFound("link_unknown", "this link is unknown or has expired")
