"""Record first: what comes from outside is stored under its own identity before anybody works on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.ids import new_id
from app.intake import queries
from app.jobs.queue import enqueue

PROCESS = "intake.process_contact"


@dataclass(frozen=True, slots=True)
class Arrival:
    """`raw` is kept byte by byte; `external_id` is what copies of the same thing have in common."""

    channel: str
    account: str
    external_id: str
    kind: str
    raw: bytes
    sender: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """`fresh`: this copy was the first. `same`: its bytes equal the first copy's."""

    contact_id: UUID
    fresh: bool
    same: bool
    care_request_id: UUID | None
    received_at: datetime
    """When the first copy came."""


async def receive(tx: Tx, arrival: Arrival, *, process: bool = False) -> Receipt:
    """Store a contact unless it is stored; `process` lets the worker make a care request of it later."""
    contact_id, seal, now = new_id(), tx.vault.seal, clock.now()
    digest = hashlib.sha256(arrival.raw).digest()
    stored = await queries.receive(
        tx, contact_id, arrival.channel, arrival.account, arrival.external_id, arrival.kind,
        seal("inbound_contact.sender", contact_id, arrival.sender) if arrival.sender else None,
        sender_index(tx, arrival.sender) if arrival.sender else None,
        seal("inbound_contact.words", contact_id, arrival.words) if arrival.words else None,
        # Latin-1 maps every byte to one character, so that bytes which are no text survive as well.
        seal("inbound_contact.raw", contact_id, arrival.raw.decode("latin-1")),
        digest, now,
    )  # fmt: skip
    if stored is None:
        first = await queries.first_of(tx, arrival.channel, arrival.account, arrival.external_id)
        return Receipt(
            first["id"], False, bytes(first["digest"]) == digest, first["care_request_id"], first["received_at"]
        )
    if process:
        await enqueue(tx, PROCESS, {"contact_id": contact_id})
    return Receipt(contact_id, True, True, None, now)


def sender_index(tx: Tx, sender: str) -> bytes:
    return tx.vault.blind("inbound_contact.sender", sender)


async def bind_sender(tx: Tx, channel: str, account: str, sender: str, e164: str) -> None:
    """Remember that this sender proved to own this phone; a later proof replaces an earlier one."""
    row_id = new_id()
    sealed = tx.vault.seal("contact_sender.phone", row_id, e164)
    await queries.bind(tx, row_id, channel, account, sender_index(tx, sender), sealed, clock.now())


async def phone_of_sender(tx: Tx, channel: str, account: str, index: bytes | None) -> str | None:
    """E.164 of a sender who has proved it."""
    if index is None:
        return None
    row = await queries.sender(tx, channel, account, index)
    return tx.vault.open("contact_sender.phone", row["id"], row["phone"]) if row is not None else None
