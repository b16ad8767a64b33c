"""Relatives who signed in by phone: which elders they are bound to, and by whose consent (`approved_at`)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller
from app.elders import registration as elders
from app.elders import seals
from app.elders.facts import NewFamilyMember
from app.intake import contacts, queries, service
from app.intake.contacts import Kept
from app.intake.queries import RequestRow
from app.intake.requests import Channel
from app.intake.service import NewRequest, Requester

BINDING = re.compile(r"绑定\s*([0-9]{8})")
CODE_LIVES = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class BoundElder:
    """`member` and `relation`: as whom the caller is known to this elder."""

    id: UUID
    name: str
    division_code: str
    member: str
    relation: str
    member_id: UUID


async def bound_elders(tx: Tx, caller: Caller) -> list[BoundElder]:
    """The elders whose approved family member this caller is."""
    index = caller.facts.get("phone_index")
    if not isinstance(index, bytes):
        return []
    return [BoundElder(*row.values()) for row in await queries.bound_elders(tx, index)]


async def bound_elder(tx: Tx, caller: Caller, elder_id: UUID) -> BoundElder:
    """Raises NotFound when the caller is not bound to this elder."""
    for elder in await bound_elders(tx, caller):
        if elder.id == elder_id:
            return elder
    raise NotFound("elder_not_found")


async def bound_by(tx: Tx, member_id: UUID) -> BoundElder:
    """The elder this relative is bound to. Raises NotFound for somebody who is not (any more)."""
    row = await queries.bound_by(tx, member_id)
    if row is None:
        raise NotFound("family_member_not_found")
    return BoundElder(*row.values())


async def open_requests(tx: Tx, bound: Sequence[BoundElder]) -> list[RequestRow]:
    """What was asked for these elders and is no order yet, newest first."""
    return await queries.open_of_elders(tx, [elder.id for elder in bound])


async def binding_words(tx: Tx, caller: Caller) -> tuple[str, datetime]:
    """What the caller says to our WeChat account within ten minutes to be known there. Raises NotFound for
    somebody who is nobody's family."""
    phone = await phone_of(tx, caller)
    code, expires_at = f"{secrets.randbelow(10**8):08d}", clock.now() + CODE_LIVES
    code_index = _code_index(tx, code)
    await queries.forget_codes(tx, clock.now())
    await queries.keep_code(tx, code_index, tx.vault.seal("sender_code.phone", code_index.hex(), phone), expires_at)
    return f"绑定 {code}", expires_at


async def phone_of(tx: Tx, caller: Caller) -> str:
    """E.164 of the phone the caller signed in with. Raises NotFound for somebody who is nobody's family."""
    index = caller.facts.get("phone_index")
    member = await queries.member(tx, index) if isinstance(index, bytes) else None
    if member is None:
        raise NotFound("family_member_not_found")
    return tx.vault.open(seals.FAMILY_PHONE, member["id"], member["phone"])


async def bind_by_words(tx: Tx, channel: str, account: str, sender: str, words: str) -> bool:
    """Bind the sender if the words are a live code; a code binds once."""
    said = BINDING.fullmatch(words.strip())
    if said is None:
        return False
    code_index = _code_index(tx, said[1])
    sealed = await queries.use_code(tx, code_index, clock.now())
    if sealed is None:
        return False
    phone = tx.vault.open("sender_code.phone", code_index.hex(), sealed)
    await contacts.bind_sender(tx, channel, account, sender, phone)
    return True


async def requester_by_phone(tx: Tx, e164: str | None) -> Requester:
    """As whom somebody is known who proved this phone; the phone alone for a stranger."""
    if e164 is None:
        return Requester()
    member = await queries.member(tx, seals.family_phone_index(tx.vault, e164))
    if member is None:
        return Requester(phone=e164)
    return Requester(member["name"], e164, member["relation"])


async def ask_to_be_family(tx: Tx, elder_id: UUID, e164: str) -> bool:
    """Put somebody down as family of an elder, for the elder to approve; False when they are already on record."""
    if await queries.is_member(tx, elder_id, seals.family_phone_index(tx.vault, e164)):
        return False
    known = await requester_by_phone(tx, e164)
    await elders.add_family(tx, elder_id, NewFamilyMember(known.name or "微信用户", "other", e164))
    return True


async def ask_through_channel(
    tx: Tx, caller: Caller, channel: str, contact: Kept, note: str, elder_id: UUID | None, *, since: datetime
) -> UUID:
    """A request made by a tap and not by words; a tap of the same sender since then that is still open is the same."""
    index = contact.sender_index
    if index is not None:
        await tx.one_at_a_time("contact", channel, contact.account, index.hex())
        before = await queries.recent_of_sender(tx, channel, contact.account, index, "event", since)
        if before is not None and (await queries.get(tx, before)).elder_id == elder_id:
            return before
    phone = await contacts.phone_of_sender(tx, channel, contact.account, index)
    asks = await requester_by_phone(tx, phone)
    asked = NewRequest(channel=Channel(channel), requester=asks, elder_id=elder_id, note=note, contact_id=contact.id)
    return (await service.take_request(tx, caller, asked)).id


def _code_index(tx: Tx, code: str) -> bytes:
    return tx.vault.blind("sender_code.code", code)
