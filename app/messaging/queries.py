"""SQL of templates, outgoing messages, and the breakers of their channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

WORDING = """SELECT text FROM template
WHERE code = $1 AND channel = $2 AND language = $3 AND valid_from <= $4 ORDER BY valid_from DESC LIMIT 1"""
PUT_WORDING = """INSERT INTO template (code, channel, language, valid_from, text) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (code, channel, language, valid_from) DO UPDATE SET text = excluded.text"""

COLUMNS = (
    "id", "template_code", "channel", "language", "recipient_kind", "recipient_id", "address", "address_index",
    "params", "order_id", "dedupe_key", "urgent", "status", "failure", "not_before", "created_at", "otherwise",
    "stands_in_for", "division_code",
)  # fmt: skip
ADD = f"""INSERT INTO outgoing_message ({", ".join(COLUMNS)})
VALUES ({", ".join(f"${place}" for place in range(1, len(COLUMNS) + 1))})
ON CONFLICT (dedupe_key) DO NOTHING RETURNING id"""
KNOWN = """SELECT w.channel, w.address, c.allowed FROM (SELECT $1::text AS kind, $2::text AS id) r
LEFT JOIN recipient_way w ON w.recipient_kind = r.kind AND w.recipient_id = r.id
LEFT JOIN recipient_choice c ON c.recipient_kind = r.kind AND c.recipient_id = r.id AND c.purpose = $3"""
TOLD = """SELECT id, template_code, channel, status, created_at, order_id, params FROM outgoing_message
WHERE recipient_kind = $1 AND recipient_id = ANY($2::text[]) AND status <> 'suppressed'
ORDER BY created_at DESC, id DESC LIMIT $3"""
PUT_WAY = """INSERT INTO recipient_way (recipient_kind, recipient_id, channel, address, since)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (recipient_kind, recipient_id, channel) DO UPDATE SET address = excluded.address, since = excluded.since"""
DROP_WAY = "DELETE FROM recipient_way WHERE recipient_kind = $1 AND recipient_id = $2 AND channel = $3"
PUT_CHOICE = """INSERT INTO recipient_choice (recipient_kind, recipient_id, purpose, allowed, decided_at, decided_by)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (recipient_kind, recipient_id, purpose) DO UPDATE SET allowed = excluded.allowed,
  decided_at = excluded.decided_at, decided_by = excluded.decided_by"""
CHOICE = """SELECT allowed, decided_at, decided_by FROM recipient_choice
WHERE recipient_kind = $1 AND recipient_id = $2 AND purpose = $3"""

WAITING = """SELECT m.channel, m.urgent, m.template_code, b.failures, b.open_until, b.probe_until, ARRAY(
    SELECT c.purpose FROM recipient_choice c
    WHERE c.recipient_kind = m.recipient_kind AND c.recipient_id = m.recipient_id AND NOT c.allowed) AS declined
FROM outgoing_message m LEFT JOIN channel_breaker b ON b.channel = m.channel WHERE m.id = $1 AND m.status = 'queued'"""
POSTPONE = """UPDATE outgoing_message SET not_before = $2 WHERE id = $1 AND status = 'queued' AND NOT urgent"""
HOLD_BACK = """UPDATE outgoing_message SET status = 'suppressed', failure = $3
WHERE recipient_kind = $1 AND recipient_id = ANY($2) AND status = 'queued' AND NOT urgent"""
END_HERE = """UPDATE outgoing_message SET otherwise = NULL
WHERE recipient_kind = $1 AND recipient_id = ANY($2) AND status IN ('unknown', 'sent') AND NOT urgent
  AND otherwise IS NOT NULL"""
SUPPRESS = "UPDATE outgoing_message SET status = 'suppressed', failure = $2 WHERE id = $1 AND status = 'queued'"
# From here on nobody knows whether the person has it, until SETTLE says so.
HAND_OVER = """UPDATE outgoing_message SET status = 'unknown', attempts = attempts + 1, handed_over_at = $2
WHERE id = $1 AND status = 'queued'
RETURNING id, template_code, channel, language, address, params, attempts, created_at, urgent, order_id,
  division_code"""
SETTLE = """UPDATE outgoing_message SET status = $2, external_id = $3, failure = $4, settled_at = $5
WHERE id = $1 AND status = 'unknown'"""
REQUEUE = """UPDATE outgoing_message SET status = 'queued', failure = $2, not_before = $3
WHERE id = $1 AND status = 'unknown'"""
LOST = """SELECT id, template_code FROM outgoing_message
WHERE status = 'unknown' AND urgent AND settled_at IS NULL AND handed_over_at <= $1
ORDER BY handed_over_at LIMIT $2 FOR UPDATE SKIP LOCKED"""
WHOLE = f"SELECT {', '.join(COLUMNS)} FROM outgoing_message WHERE id = $1"
FORGET = """UPDATE outgoing_message SET address = NULL, params = NULL, otherwise = NULL
WHERE created_at < $1 AND params IS NOT NULL"""
OF_ORDER = """SELECT id, template_code, channel, recipient_kind, recipient_id, status, failure, created_at, settled_at
FROM outgoing_message WHERE order_id = $1 ORDER BY created_at, id"""

LOCK_BREAKER = """INSERT INTO channel_breaker (channel, failures, changed_at) VALUES ($1, 0, $2)
ON CONFLICT (channel) DO UPDATE SET channel = excluded.channel RETURNING failures, open_until, probe_until"""
PUT_BREAKER = """UPDATE channel_breaker SET failures = $2, open_until = $3, probe_until = $4,
  last_failure = coalesce($5, last_failure), changed_at = $6 WHERE channel = $1"""
CLOSE_BREAKER = """UPDATE channel_breaker SET failures = 0, open_until = NULL, probe_until = NULL, changed_at = $2
WHERE channel = $1 AND failures > 0"""


async def wording(tx: Tx, code: str, channel: str, language: str, day: date) -> str | None:
    """The city's own words on that day; None when it has none."""
    text: str | None = await tx.fetchval(WORDING, code, channel, language, day)
    return text


async def put_wording(tx: Tx, code: str, channel: str, language: str, day: date, text: str) -> None:
    await tx.run(PUT_WORDING, code, channel, language, day, text)


async def add(tx: Tx, row: Mapping[str, Any]) -> UUID | None:
    """The id of the new message; None when one with this dedupe key exists."""
    added: UUID | None = await tx.fetchval(ADD, *(row[column] for column in COLUMNS))
    return added


async def known(tx: Tx, kind: str, recipient_id: str, purpose: str) -> list[Any]:
    """Other ways to a recipient, each with what they decided on this purpose; at least one row, perhaps empty."""
    return await tx.fetch(KNOWN, kind, recipient_id, purpose)


async def put_way(tx: Tx, kind: str, recipient_id: str, channel: str, address: bytes, now: datetime) -> None:
    await tx.run(PUT_WAY, kind, recipient_id, channel, address, now)


async def drop_way(tx: Tx, kind: str, recipient_id: str, channel: str) -> bool:
    return await tx.run(DROP_WAY, kind, recipient_id, channel) > 0


async def put_choice(tx: Tx, *values: Any) -> None:
    await tx.run(PUT_CHOICE, *values)


async def choice(tx: Tx, kind: str, recipient_id: str, purpose: str) -> Any:
    return await tx.fetchrow(CHOICE, kind, recipient_id, purpose)


async def waiting(tx: Tx, message_id: UUID) -> Any:
    """Channel, template, urgency and breaker of a message that waits, and what its recipient has declined by now; None
    when it does not wait any more."""
    return await tx.fetchrow(WAITING, message_id)


async def postpone(tx: Tx, message_id: UUID, until: datetime) -> bool:
    """True when the message was waiting and is not urgent."""
    return await tx.run(POSTPONE, message_id, until) == 1


async def hold_back(tx: Tx, recipient_kind: str, recipient_ids: Sequence[str], because: str) -> int:
    """What waits is suppressed, and what is under way goes no other way; how many waited."""
    await tx.run(END_HERE, recipient_kind, list(recipient_ids))
    return await tx.run(HOLD_BACK, recipient_kind, list(recipient_ids), because)


async def suppress(tx: Tx, message_id: UUID, because: str) -> None:
    await tx.run(SUPPRESS, message_id, because)


async def hand_over(tx: Tx, message_id: UUID, now: datetime) -> Any:
    """The message, now of unknown fate; None when it is not waiting any more."""
    return await tx.fetchrow(HAND_OVER, message_id, now)


async def settle(
    tx: Tx, message_id: UUID, status: str, external_id: str | None, failure: str | None, now: datetime
) -> bool:
    """False when a receipt was faster."""
    return await tx.run(SETTLE, message_id, status, external_id, failure, now) == 1


async def requeue(tx: Tx, message_id: UUID, failure: str, not_before: datetime) -> bool:
    return await tx.run(REQUEUE, message_id, failure, not_before) == 1


async def lost(tx: Tx, before: datetime, limit: int) -> list[Any]:
    """Urgent messages handed over so long ago without an answer of any kind, locked."""
    return await tx.fetch(LOST, before, limit)


async def whole(tx: Tx, message_id: UUID) -> Any:
    return await tx.fetchrow(WHOLE, message_id)


async def forget_contents(tx: Tx, before: datetime) -> int:
    return await tx.run(FORGET, before)


async def told(tx: Tx, recipient_kind: str, recipient_ids: Sequence[str], limit: int) -> list[Any]:
    return await tx.fetch(TOLD, recipient_kind, list(recipient_ids), limit)


async def of_order(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(OF_ORDER, order_id)


async def locked_breaker(tx: Tx, channel: str, now: datetime) -> Any:
    """The breaker of a channel, made if need be, held until the transaction ends."""
    return await tx.fetchrow(LOCK_BREAKER, channel, now)


async def put_breaker(tx: Tx, channel: str, *values: Any) -> None:
    await tx.run(PUT_BREAKER, channel, *values)


async def close_breaker(tx: Tx, channel: str, now: datetime) -> bool:
    return await tx.run(CLOSE_BREAKER, channel, now) == 1
