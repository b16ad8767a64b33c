"""What gateways report later about messages they took.

A receipt is stored under its natural key and then folded with all others of its message, so that copies, reports in
the wrong order, and a report that is faster than the gateway's own answer all lead to the same fate: delivered if any
says so, else failed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.ids import new_id
from app.messaging import queries_receipts as queries
from app.messaging import service

MAX_CODE = 60


async def note_receipt(
    tx: Tx,
    channel: str,
    external_id: str,
    *,
    delivered: bool,
    failure: str | None = None,
    address: str | None = None,
    message_id: UUID | None = None,
) -> bool:
    """Keep one receipt; False when it told nothing new, or of no message of ours (yet).

    With an `address` it counts only for a message to that address. `message_id` is our own id, where the gateway
    gives it back: then the message is found even before the gateway's answer has been written down.
    """
    # A receipt and our own note of the gateway's answer may come at the same moment, each unseen by the other.
    await tx.one_at_a_time("receipt", channel, external_id)
    index = tx.vault.blind(service.ADDRESS, address) if address else b""
    code = "" if delivered else (failure or "unknown")[:MAX_CODE]
    fresh = await queries.keep(tx, new_id(), channel, external_id, index, delivered, code, clock.now())
    row = await queries.message(tx, channel, external_id, message_id, index) if fresh else None
    return row is not None and await fold(tx, row, channel, external_id)


async def fold(tx: Tx, message: Any, channel: str, external_id: str) -> bool:
    """Bring a message, held by this transaction, up to what its receipts say; True when that is news. What turns out
    not to have arrived is said by the next way."""
    told = await queries.folded(tx, channel, external_id, bytes(message["address_index"] or b""))
    if told["delivered"] is None:
        return False
    status, failure = ("delivered", None) if told["delivered"] else ("failed", told["code"])
    news = await queries.fate(tx, message["id"], status, failure, external_id, clock.now())
    if news and status == "failed":
        await service.stand_in(tx, message["id"])
    return news


async def answered(tx: Tx, message_id: UUID, channel: str, external_id: str) -> None:
    """The gateway's name for a message has just been written down: receipts may have come before it."""
    row = await queries.message(tx, channel, external_id, message_id, b"")
    if row is not None:
        await fold(tx, row, channel, external_id)
