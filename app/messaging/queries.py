"""SQL of templates and outgoing messages."""

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

ADD = """INSERT INTO outgoing_message (id, template_code, channel, language, recipient_kind, recipient_id, address,
  params, order_id, dedupe_key, urgent, status, failure, not_before, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (dedupe_key) DO NOTHING RETURNING id"""

POSTPONE = """UPDATE outgoing_message SET not_before = $2 WHERE id = $1 AND status = 'queued' AND NOT urgent"""
HOLD_BACK = """UPDATE outgoing_message SET status = 'suppressed', failure = $3
WHERE recipient_kind = $1 AND recipient_id = ANY($2) AND status = 'queued' AND NOT urgent"""
# From here on nobody knows whether the person has it, until SETTLE says so.
HAND_OVER = """UPDATE outgoing_message SET status = 'unknown', attempts = attempts + 1, handed_over_at = $2
WHERE id = $1 AND status = 'queued'
RETURNING id, template_code, channel, language, address, params, attempts, created_at"""
SETTLE = """UPDATE outgoing_message SET status = $2, external_id = $3, failure = $4, settled_at = $5
WHERE id = $1 AND status = 'unknown'"""
REQUEUE = """UPDATE outgoing_message SET status = 'queued', failure = $2, not_before = $3
WHERE id = $1 AND status = 'unknown'"""
RECEIPT = """UPDATE outgoing_message SET status = $3, failure = $4, settled_at = $5
WHERE channel = $1 AND external_id = $2 AND status IN ('sent', 'unknown')"""
FORGET = """UPDATE outgoing_message SET address = NULL, params = NULL
WHERE created_at < $1 AND params IS NOT NULL"""
OF_ORDER = """SELECT id, template_code, channel, recipient_kind, recipient_id, status, failure, created_at, settled_at
FROM outgoing_message WHERE order_id = $1 ORDER BY created_at, id"""


async def wording(tx: Tx, code: str, channel: str, language: str, day: date) -> str | None:
    """The city's own words on that day; None when it has none."""
    text: str | None = await tx.fetchval(WORDING, code, channel, language, day)
    return text


async def put_wording(tx: Tx, code: str, channel: str, language: str, day: date, text: str) -> None:
    await tx.run(PUT_WORDING, code, channel, language, day, text)


async def add(tx: Tx, row: Mapping[str, Any]) -> UUID | None:
    """The id of the new message; None when one with this dedupe key exists."""
    columns = (
        "id", "template_code", "channel", "language", "recipient_kind", "recipient_id", "address", "params",
        "order_id", "dedupe_key", "urgent", "status", "failure", "not_before", "created_at",
    )  # fmt: skip
    added: UUID | None = await tx.fetchval(ADD, *(row[column] for column in columns))
    return added


async def postpone(tx: Tx, message_id: UUID, until: datetime) -> bool:
    """True when the message was waiting and is not urgent."""
    return await tx.run(POSTPONE, message_id, until) == 1


async def hold_back(tx: Tx, recipient_kind: str, recipient_ids: Sequence[str], because: str) -> int:
    return await tx.run(HOLD_BACK, recipient_kind, list(recipient_ids), because)


async def hand_over(tx: Tx, message_id: UUID, now: datetime) -> Any:
    """The message, now of unknown fate; None when it is not waiting any more."""
    return await tx.fetchrow(HAND_OVER, message_id, now)


async def settle(
    tx: Tx, message_id: UUID, status: str, external_id: str | None, failure: str | None, now: datetime
) -> None:
    await tx.run(SETTLE, message_id, status, external_id, failure, now)


async def requeue(tx: Tx, message_id: UUID, failure: str, not_before: datetime) -> bool:
    return await tx.run(REQUEUE, message_id, failure, not_before) == 1


async def receipt(tx: Tx, channel: str, external_id: str, status: str, failure: str | None, now: datetime) -> bool:
    return await tx.run(RECEIPT, channel, external_id, status, failure, now) > 0


async def forget_contents(tx: Tx, before: datetime) -> int:
    return await tx.run(FORGET, before)


async def of_order(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(OF_ORDER, order_id)
