"""Verbs of the elders' register, as other rooms use them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.accounts.tokens import hash_of
from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller
from app.elders import queries, queries_cards, registration, seals
from app.elders.facts import (
    Door,
    ElderFacts,
    NewElder,
    NewFamilyMember,
    NewPhone,
    NewTag,
    PhoneMatch,
)
from app.elders.tags import as_of

__all__ = [
    "Door", "ElderFacts", "NewElder", "NewFamilyMember", "NewPhone", "NewTag", "PhoneMatch", "approved_family",
    "door", "doors", "elder", "find_by_phone", "is_card_of", "phones", "register",
]  # fmt: skip


async def elder(tx: Tx, elder_id: UUID) -> ElderFacts:
    """Facts for decisions. Raises NotFound. Whether the caller may see the elder is the caller's room to check."""
    today = clock.today()
    row = await queries.facts(tx, elder_id, today)
    if row is None:
        raise NotFound("elder_not_found", "there is no such elder")
    facts = dict(row)
    facts["tags"] = tuple(sorted({as_of(tag, today) for tag in row["tags"]}))
    return ElderFacts(**facts)


async def door(tx: Tx, elder_id: UUID) -> Door:
    """Where to ring and what to mind, in plain text, for whoever has the order. Raises NotFound."""
    found = await doors(tx, [elder_id])
    if elder_id not in found:
        raise NotFound("elder_not_found", "there is no such elder")
    return found[elder_id]


async def doors(tx: Tx, elder_ids: Sequence[UUID]) -> dict[UUID, Door]:
    """`door` for many; unknown ids are missing from the answer."""
    vault = tx.vault
    return {
        row["id"]: Door(
            address=seals.open_(vault, seals.ADDRESS, row["id"], row["address"]),
            phone=seals.open_(vault, seals.PHONE, row["phone_id"], row["phone"]),
            lng=row["lng"],
            lat=row["lat"],
            notes=seals.open_(vault, seals.HEALTH_NOTE, row["id"], row["health_note"]),
        )
        for row in await queries.doors(tx, elder_ids)
    }


async def phones(tx: Tx, elder_id: UUID) -> list[str]:
    """Every number the elder can be reached at, E.164, in plain text."""
    return [tx.vault.open(seals.PHONE, row.id, row.phone) for row in await queries.phones(tx, [elder_id])]


async def is_card_of(tx: Tx, elder_id: UUID, scanned: str, at: datetime) -> bool:
    """Is this what the elder's card said at that time: an address that ends in its token, or the token alone?"""
    return await queries_cards.was_card_of(tx, elder_id, hash_of(scanned.strip().rsplit("/", 1)[-1]), at)


async def find_by_phone(tx: Tx, e164: str) -> list[PhoneMatch]:
    """Everybody a number may belong to: a shared landline gives several elders, a child's phone the parents."""
    vault = tx.vault
    rows = await queries.by_phone(tx, seals.phone_index(vault, e164), seals.family_phone_index(vault, e164))
    return [PhoneMatch(row["elder_id"], row["name"], row["relation"]) for row in rows]


async def approved_family(tx: Tx, elder_id: UUID) -> list[tuple[UUID, str]]:
    """Relatives the elder has agreed to, with their phones in plain text: `(member_id, e164)`."""
    return [
        (row.id, phone)
        for row in await queries.family(tx, [elder_id])
        if row.approved_at and (phone := seals.open_(tx.vault, seals.FAMILY_PHONE, row.id, row.phone))
    ]


async def register(tx: Tx, caller: Caller, new: NewElder) -> UUID:
    """Enter an elder and return the id; see `registration.register` for warnings and errors."""
    return (await registration.register(tx, caller, new)).id
