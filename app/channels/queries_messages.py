"""SQL of the message log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.db import Tx

_SHOWN = """m.id, m.template_code, m.channel, m.recipient_kind, m.recipient_id, m.address, m.order_id, m.urgent,
  m.status, m.attempts, m.failure, m.not_before, m.created_at, m.handed_over_at, m.settled_at, m.stands_in_for"""
# A message belongs where its order or the relative's elder belongs. One that belongs nowhere is everybody's.
_PLACED = """FROM outgoing_message m LEFT JOIN care_order o ON o.id = m.order_id
LEFT JOIN family_member f ON f.id = CASE WHEN m.recipient_kind = 'family' THEN m.recipient_id::uuid END
LEFT JOIN elder e ON e.id = f.elder_id"""
_PLACE = "coalesce(o.division_code, e.division_code)"
_WITHIN = f"""({_PLACE} IS NULL OR EXISTS (SELECT 1 FROM unnest({{low}}::text[], {{high}}::text[]) AS r (low, high)
    WHERE {_PLACE} >= r.low AND {_PLACE} < r.high))"""
FIND = f"""SELECT {_SHOWN} {_PLACED}
WHERE ($1::uuid IS NULL OR m.order_id = $1) AND ($2::text IS NULL OR m.recipient_kind = $2)
  AND ($3::text IS NULL OR m.recipient_id = $3) AND ($4::text IS NULL OR m.status = $4)
  AND ($5::text IS NULL OR m.channel = $5) AND ($6::uuid IS NULL OR m.id < $6)
  AND {_WITHIN.format(low="$7", high="$8")}
ORDER BY m.id DESC LIMIT $9"""
ONE = f"""SELECT {_SHOWN}, m.params, m.external_id, m.address_index {_PLACED}
WHERE m.id = $1 AND {_WITHIN.format(low="$2", high="$3")}"""
CHANNELS = """SELECT w.channel, w.waiting, b.failures, b.open_until, b.last_failure, b.changed_at
FROM unnest($1::text[]) AS c (channel)
CROSS JOIN LATERAL (SELECT c.channel, count(*) AS waiting FROM outgoing_message m
  WHERE m.channel = c.channel AND m.status = 'queued') w
LEFT JOIN channel_breaker b ON b.channel = c.channel ORDER BY c.channel"""
DIVISION_OF_MEMBER = """SELECT e.division_code FROM family_member f JOIN elder e ON e.id = f.elder_id WHERE f.id = $1"""

MEMBERS = "SELECT id FROM family_member WHERE phone_index = $1 AND approved_at IS NOT NULL ORDER BY id"


async def find(tx: Tx, *values: Any, ranges: Sequence[tuple[str, str]], limit: int) -> list[Any]:
    """Messages within division ranges, newest first; `values` are the filters in their order, then the cursor."""
    return await tx.fetch(FIND, *values, *_split(ranges), limit)


async def one(tx: Tx, message_id: UUID, ranges: Sequence[tuple[str, str]]) -> Any:
    return await tx.fetchrow(ONE, message_id, *_split(ranges))


async def channels(tx: Tx, names: Sequence[str]) -> list[Any]:
    """How each channel does: what waits, and whether its breaker is open."""
    return await tx.fetch(CHANNELS, list(names))


async def division_of_member(tx: Tx, member_id: UUID) -> str | None:
    """None for no such relative."""
    found: str | None = await tx.fetchval(DIVISION_OF_MEMBER, member_id)
    return found


async def members(tx: Tx, phone_index: bytes) -> list[UUID]:
    """Approved relatives with this phone."""
    return [row["id"] for row in await tx.fetch(MEMBERS, phone_index)]


def _split(ranges: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [low for low, _ in ranges], [high for _, high in ranges]
