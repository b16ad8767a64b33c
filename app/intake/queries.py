"""SQL of contacts and care requests. Plain asyncpg: the desk's one-step order passes here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.sqlstate import constraint_of


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One row of `care_request`; sealed columns are sealed still."""

    id: UUID
    channel: str
    contact_id: UUID | None
    call_id: UUID | None
    kind: str
    status: str
    urgency: str
    elder_id: UUID | None
    elder_words: bytes | None
    division_code: str | None
    caller_name: str | None
    caller_phone: bytes | None
    caller_phone_index: bytes | None
    relation: str | None
    item_code: str | None
    wanted_from: datetime | None
    wanted_to: datetime | None
    minutes: int | None
    note: bytes | None
    address: bytes | None
    about_order_id: UUID | None
    order_id: UUID | None
    merged_into: UUID | None
    answer: bytes | None
    article_id: UUID | None
    reason: str | None
    taken_by: str
    closed_by: str | None
    created_at: datetime
    updated_at: datetime
    version: int


NAMES = tuple(f.name for f in fields(RequestRow))
COLUMNS = ", ".join(NAMES)

INSERT = f"INSERT INTO care_request ({COLUMNS}) VALUES ({', '.join(f'${i}' for i in range(1, len(NAMES) + 1))})"
GET = f"SELECT {COLUMNS} FROM care_request WHERE id = $1"
LOCK = f"SELECT {COLUMNS} FROM care_request WHERE id = ANY($1) ORDER BY id FOR UPDATE"
CHANGEABLE = frozenset(NAMES) - {"id", "channel", "contact_id", "call_id", "taken_by", "created_at", "version"}

RECEIVE = """INSERT INTO inbound_contact
(id, channel, account, external_id, kind, sender, sender_index, words, raw, digest, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (channel, account, external_id) DO NOTHING RETURNING id"""
FIRST_OF = """SELECT id, digest, care_request_id, received_at FROM inbound_contact
WHERE channel = $1 AND account = $2 AND external_id = $3"""
CONTACT = """SELECT id, channel, account, kind, sender, sender_index, words, raw, received_at, processed_at,
  care_request_id
FROM inbound_contact WHERE id = $1 FOR UPDATE"""
PROCESSED = "UPDATE inbound_contact SET processed_at = $2, care_request_id = $3 WHERE id = $1"
RECENT_OF_SENDER = """SELECT c.care_request_id FROM inbound_contact c JOIN care_request r ON r.id = c.care_request_id
WHERE c.channel = $1 AND c.account = $2 AND c.sender_index = $3 AND c.kind = $4 AND c.received_at >= $5
  AND r.status IN ('new', 'escalated')
ORDER BY c.received_at DESC LIMIT 1"""

BIND = """INSERT INTO contact_sender (id, channel, account, sender_index, phone, bound_at, sender, phone_index)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel, account, sender_index) DO NOTHING"""
SENDER = "SELECT id, phone FROM contact_sender WHERE channel = $1 AND account = $2 AND sender_index = $3"
SENDERS = """SELECT id, account, sender, sender_index FROM contact_sender
WHERE channel = $1 AND phone_index = $2 AND sender IS NOT NULL ORDER BY bound_at DESC"""
IS_MEMBER = "SELECT EXISTS (SELECT FROM family_member WHERE elder_id = $1 AND phone_index = $2)"
UNBIND = "DELETE FROM contact_sender WHERE channel = $1 AND account = $2 AND sender_index = $3"

KEEP_CODE = "INSERT INTO sender_code (code_index, phone, expires_at) VALUES ($1, $2, $3)"
USE_CODE = "DELETE FROM sender_code WHERE code_index = $1 AND expires_at > $2 RETURNING phone"
FORGET_CODES = "DELETE FROM sender_code WHERE expires_at <= $1"
MEMBER = """SELECT id, name, relation, phone FROM family_member WHERE phone_index = $1
ORDER BY (approved_at IS NULL), id LIMIT 1"""

LIKE_IT = """SELECT 'request' AS what, id, NULL::text AS number, kind, item_code, status, wanted_from, created_at
FROM care_request
WHERE status IN ('new', 'escalated') AND id IS DISTINCT FROM $1
  AND (elder_id = $2 OR (elder_id IS NULL AND caller_phone_index = $3))
UNION ALL
SELECT 'order', id, number, 'service', item_code, status, wanted_from, placed_at FROM care_order
WHERE elder_id = $2 AND status = ANY($4) AND status NOT IN ('closed', 'cancelled')
ORDER BY created_at DESC LIMIT 20"""

ELDER_NAMES = "SELECT id, name FROM elder WHERE id = ANY($1)"
BOUND_BY = """SELECT e.id, e.name, e.division_code, f.name AS member, f.relation, f.id AS member_id
FROM family_member f JOIN elder e ON e.id = f.elder_id
WHERE f.id = $1 AND f.approved_at IS NOT NULL AND e.status = 'active'"""
# What a caregiver noticed is the desk's to judge first: it may speak of the relatives themselves.
OPEN_OF_ELDERS = f"""SELECT {COLUMNS} FROM care_request
WHERE elder_id = ANY($1) AND kind = 'service' AND status IN ('new', 'escalated') AND about_order_id IS NULL
ORDER BY created_at DESC LIMIT 50"""
BOUND_ELDERS = """SELECT e.id, e.name, e.division_code, f.name AS member, f.relation, f.id AS member_id
FROM family_member f JOIN elder e ON e.id = f.elder_id
WHERE f.phone_index = $1 AND f.approved_at IS NOT NULL AND e.status = 'active'
ORDER BY e.name, e.id"""


def _row(record: Any) -> RequestRow:
    return RequestRow(*(record[name] for name in NAMES))


async def add(tx: Tx, values: Mapping[str, Any]) -> RequestRow:
    """Insert a request; columns that `values` does not name are null. Raises Invalid for an unknown call."""
    row: list[Any] = [values.get(name) for name in NAMES]
    try:
        await tx.run(INSERT, *row)
    except asyncpg.ForeignKeyViolationError as absent:
        if constraint_of(absent) == "fk_care_request_call_id":
            raise Invalid("call_unknown", "there is no such call", field="call_id") from absent
        raise
    return RequestRow(*row)


def add_later(tx: Tx, values: Mapping[str, Any]) -> None:
    """Insert a request that names no call, with the other writes that wait."""
    tx.later("care_request", INSERT, *(values.get(name) for name in NAMES))


async def get(tx: Tx, request_id: UUID) -> RequestRow:
    record = await tx.fetchrow(GET, request_id)
    if record is None:
        raise NotFound("care_request_not_found")
    return _row(record)


async def lock(tx: Tx, *request_ids: UUID) -> list[RequestRow]:
    """The rows, locked in the order of their ids and answered in the order asked for. Raises NotFound."""
    found = {row["id"]: _row(row) for row in await tx.fetch(LOCK, list(request_ids))}
    if len(found) != len(set(request_ids)):
        raise NotFound("care_request_not_found")
    return [found[request_id] for request_id in request_ids]


async def change(tx: Tx, row: RequestRow, now: datetime, **values: Any) -> RequestRow:
    """Write `values` and the next version to a locked row."""
    if unknown := set(values) - CHANGEABLE:
        raise ValueError(f"these columns do not change: {sorted(unknown)}")
    sets = "".join(f", {name} = ${i}" for i, name in enumerate(values, start=3))
    sql = f"UPDATE care_request SET updated_at = $2, version = version + 1{sets} WHERE id = $1 RETURNING {COLUMNS}"
    return _row(await tx.fetchrow(sql, row.id, now, *values.values()))


async def find(
    tx: Tx,
    *,
    ranges: Iterable[tuple[str, str]],
    statuses: Sequence[str] | None,
    kinds: Sequence[str] | None,
    elder_id: UUID | None,
    with_unplaced: bool,
    updated_since: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[RequestRow]:
    """Requests, newest first, inside division `ranges`; `with_unplaced` adds those of nobody we know yet."""
    args: list[Any] = []

    def arg(value: Any) -> str:
        args.append(value)
        return f"${len(args)}"

    places = [f"(division_code >= {arg(low)} AND division_code < {arg(high)})" for low, high in ranges]
    if with_unplaced:
        places.append("division_code IS NULL")
    where = [f"({' OR '.join(places) or 'false'})"]
    if statuses:
        where.append(f"status = ANY({arg(list(statuses))})")
    if kinds:
        where.append(f"kind = ANY({arg(list(kinds))})")
    if elder_id is not None:
        where.append(f"elder_id = {arg(elder_id)}")
    if updated_since is not None:
        where.append(f"updated_at >= {arg(updated_since)}")
    if before is not None:
        where.append(f"id < {arg(before)}")
    sql = f"SELECT {COLUMNS} FROM care_request WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT {arg(limit)}"
    return [_row(record) for record in await tx.search(sql, *args)]


async def like_it(
    tx: Tx, request_id: UUID | None, elder_id: UUID | None, phone_index: bytes | None, open_orders: Sequence[str]
) -> list[Any]:
    """Open requests and orders of the same elder; without an elder, open requests of the same phone."""
    if elder_id is None and phone_index is None:
        return []
    return await tx.fetch(LIKE_IT, request_id, elder_id, phone_index, list(open_orders))


async def receive(tx: Tx, *values: Any) -> UUID | None:
    """The new contact's id; None when this contact is stored already. Waits for a copy that is being stored."""
    stored: UUID | None = await tx.fetchval(RECEIVE, *values)
    return stored


async def first_of(tx: Tx, channel: str, account: str, external_id: str) -> Any:
    return await tx.fetchrow(FIRST_OF, channel, account, external_id)


async def locked_contact(tx: Tx, contact_id: UUID) -> Any:
    record = await tx.fetchrow(CONTACT, contact_id)
    if record is None:
        raise NotFound("contact_not_found")
    return record


async def processed(tx: Tx, contact_id: UUID, now: datetime, care_request_id: UUID | None) -> None:
    await tx.run(PROCESSED, contact_id, now, care_request_id)


async def recent_of_sender(
    tx: Tx, channel: str, account: str, sender_index: bytes, kind: str, since: datetime
) -> UUID | None:
    """The open request that the same sender's same kind of contact made since then."""
    found: UUID | None = await tx.fetchval(RECENT_OF_SENDER, channel, account, sender_index, kind, since)
    return found


async def bind(tx: Tx, *values: Any) -> None:
    await tx.run(UNBIND, *values[1:4])
    await tx.run(BIND, *values)


async def sender(tx: Tx, channel: str, account: str, sender_index: bytes) -> Any:
    return await tx.fetchrow(SENDER, channel, account, sender_index)


async def senders(tx: Tx, channel: str, phone_index: bytes) -> list[Any]:
    """Senders who proved this phone, the latest first: id, account, sealed sender, sender_index."""
    return await tx.fetch(SENDERS, channel, phone_index)


async def is_member(tx: Tx, elder_id: UUID, phone_index: bytes) -> bool:
    """Whether somebody with this phone is family of the elder, approved or not."""
    return bool(await tx.fetchval(IS_MEMBER, elder_id, phone_index))


async def keep_code(tx: Tx, code_index: bytes, phone: bytes, expires_at: datetime) -> None:
    await tx.run(KEEP_CODE, code_index, phone, expires_at)


async def use_code(tx: Tx, code_index: bytes, now: datetime) -> bytes | None:
    """The phone that this code stands for, once."""
    found: bytes | None = await tx.fetchval(USE_CODE, code_index, now)
    return found


async def forget_codes(tx: Tx, now: datetime) -> int:
    return await tx.run(FORGET_CODES, now)


async def member(tx: Tx, phone_index: bytes) -> Any:
    """The family member with this phone: id, name, relation, sealed phone; None for a stranger."""
    return await tx.fetchrow(MEMBER, phone_index)


async def elder_names(tx: Tx, elder_ids: Sequence[UUID]) -> dict[UUID, str]:
    if not elder_ids:
        return {}
    return {row["id"]: row["name"] for row in await tx.fetch(ELDER_NAMES, list(elder_ids))}


async def bound_by(tx: Tx, member_id: UUID) -> Any:
    """The elder whose approved family member this is, as `bound_elders`; None for nobody's."""
    return await tx.fetchrow(BOUND_BY, member_id)


async def open_of_elders(tx: Tx, elder_ids: Sequence[UUID]) -> list[RequestRow]:
    """Services asked for these elders that are no order yet, newest first."""
    return [_row(record) for record in await tx.fetch(OPEN_OF_ELDERS, list(elder_ids))]


async def bound_elders(tx: Tx, phone_index: bytes) -> list[Any]:
    """Elders whose approved family member has this phone: id, name, division_code, member, relation, member_id."""
    return await tx.fetch(BOUND_ELDERS, phone_index)
