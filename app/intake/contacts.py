"""Record first: what comes from outside is stored under its own identity before anybody works on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.calls import numbers
from app.core import clock
from app.core.db import Tx
from app.core.ids import new_id
from app.intake import queries
from app.jobs.queue import enqueue

PROCESS = "intake.process_contact"


@dataclass(frozen=True, slots=True)
class Arrival:
    """`raw` is kept byte by byte; `external_id` is what copies of the same thing have in common; `at` is when it
    came, if that was not just now."""

    channel: str
    account: str
    external_id: str
    kind: str
    raw: bytes
    sender: str | None = None
    words: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """`fresh`: this copy was the first. `same`: its bytes equal the first copy's."""

    contact_id: UUID
    fresh: bool
    same: bool
    care_request_id: UUID | None
    received_at: datetime
    """When the first copy came."""


async def receive(tx: Tx, arrival: Arrival, *, job: str | None = None) -> Receipt:
    """Store a contact unless it is stored; `job` is what the worker does with it later, PROCESS for instance."""
    contact_id, seal, now = new_id(), tx.vault.seal, arrival.at or clock.now()
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
    if job is not None:
        await enqueue(tx, job, {"contact_id": contact_id})
    return Receipt(contact_id, True, True, None, now)


def sender_index(tx: Tx, sender: str) -> bytes:
    return tx.vault.blind("inbound_contact.sender", sender)


async def bind_sender(tx: Tx, channel: str, account: str, sender: str, e164: str) -> None:
    """Remember that this sender proved to own this phone; a later proof replaces an earlier one."""
    row_id = new_id()
    sealed = tx.vault.seal("contact_sender.phone", row_id, e164)
    kept = tx.vault.seal("contact_sender.sender", row_id, sender)
    index = sender_index(tx, sender)
    await queries.bind(tx, row_id, channel, account, index, sealed, clock.now(), kept, numbers.index(tx, e164))


async def phone_of_sender(tx: Tx, channel: str, account: str, index: bytes | None) -> str | None:
    """E.164 of a sender who has proved it."""
    if index is None:
        return None
    row = await queries.sender(tx, channel, account, index)
    return tx.vault.open("contact_sender.phone", row["id"], row["phone"]) if row is not None else None


@dataclass(frozen=True, slots=True)
class Proven:
    """A sender who has proved a phone."""

    account: str
    sender: str
    index: bytes


async def senders_of_phone(tx: Tx, channel: str, e164: str) -> list[Proven]:
    """Whom to write to on `channel` to reach this phone's owner, who proved it last first."""
    return [
        Proven(row["account"], tx.vault.open("contact_sender.sender", row["id"], row["sender"]), row["sender_index"])
        for row in await queries.senders(tx, channel, numbers.index(tx, e164))
    ]


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored contact, opened again, and held until the transaction ends."""

    id: UUID
    account: str
    sender: str | None
    sender_index: bytes | None
    raw: bytes
    received_at: datetime
    processed: bool


async def held(tx: Tx, contact_id: UUID) -> Kept:
    """Raises NotFound."""
    row = await queries.locked_contact(tx, contact_id)
    sender = tx.vault.open("inbound_contact.sender", row["id"], row["sender"]) if row["sender"] is not None else None
    raw = tx.vault.open("inbound_contact.raw", row["id"], row["raw"]).encode("latin-1")
    processed = row["processed_at"] is not None
    return Kept(row["id"], row["account"], sender, row["sender_index"], raw, row["received_at"], processed)


async def done(tx: Tx, contact_id: UUID, care_request_id: UUID | None = None) -> None:
    """Everything that follows from this contact has been done."""
    await queries.processed(tx, contact_id, clock.now(), care_request_id)
