"""SQL of what gateways report."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

KEEP = """INSERT INTO message_receipt (id, channel, external_id, address_index, delivered, code, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (channel, external_id, address_index, delivered, code) DO NOTHING"""
# By its own id while we have no answer yet; then only under the name the gateway gave it.
MESSAGE = """SELECT id, status, external_id, address_index FROM outgoing_message
WHERE channel = $1 AND (external_id = $2 OR (id = $3 AND external_id IS NULL)) AND status NOT IN ('suppressed')
  AND ($4 = ''::bytea OR address_index = $4)
ORDER BY external_id NULLS LAST LIMIT 1 FOR UPDATE"""
FOLDED = """SELECT bool_or(delivered) AS delivered, min(code) FILTER (WHERE NOT delivered) AS code FROM message_receipt
WHERE channel = $1 AND external_id = $2 AND address_index IN (''::bytea, $3)"""
FATE = """UPDATE outgoing_message SET status = $2, failure = $3, external_id = $4, settled_at = $5
WHERE id = $1 AND (status <> $2 OR failure IS DISTINCT FROM $3)"""
FORGET = "DELETE FROM message_receipt WHERE received_at < $1"
OF_MESSAGE = """SELECT delivered, code, received_at FROM message_receipt
WHERE channel = $1 AND external_id = $2 AND address_index IN (''::bytea, $3) ORDER BY received_at, id LIMIT 50"""


async def keep(tx: Tx, *values: Any) -> bool:
    """True for a receipt that was not there."""
    return await tx.run(KEEP, *values) == 1


async def message(tx: Tx, channel: str, external_id: str, message_id: UUID | None, address_index: bytes) -> Any:
    """The message a receipt is about, locked; None for one we did not send, or not to this address."""
    return await tx.fetchrow(MESSAGE, channel, external_id, message_id, address_index)


async def folded(tx: Tx, channel: str, external_id: str, address_index: bytes) -> Any:
    """`delivered` is null without any receipt."""
    return await tx.fetchrow(FOLDED, channel, external_id, address_index)


async def fate(tx: Tx, message_id: UUID, status: str, failure: str | None, external_id: str, now: datetime) -> bool:
    """True when that is news."""
    return await tx.run(FATE, message_id, status, failure, external_id, now) == 1


async def forget(tx: Tx, before: datetime) -> int:
    return await tx.run(FORGET, before)


async def of_message(tx: Tx, channel: str, external_id: str, address_index: bytes) -> list[Any]:
    return await tx.fetch(OF_MESSAGE, channel, external_id, address_index)
