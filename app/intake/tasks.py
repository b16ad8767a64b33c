"""Work put off: what the channels stored becomes a care request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.intake import contacts, families, queries, service
from app.intake.requests import Channel, Kind
from app.intake.service import NewRequest

WORDLESS = {
    "image": "图片",
    "video": "视频",
    "shortvideo": "小视频",
    "voice": "语音",
    "location": "位置",
    "link": "链接",
}


async def process_contact(tx: Tx, payload: dict[str, Any]) -> None:
    """Make a care request of a WeChat message. Events and unreadable pushes are only kept.

    The sender is known only if they have proved a phone number (and saying the code proves it); even then they
    are the requester, and an operator says who is to be cared for.
    """
    contact = await queries.locked_contact(tx, UUID(payload["contact_id"]))
    if contact["processed_at"] is not None:
        return
    note = _note(tx, contact)
    if note is None or await _is_binding(tx, contact, note):
        await queries.processed(tx, contact["id"], clock.now(), None)
        return
    phone = await contacts.phone_of_sender(tx, contact["channel"], contact["account"], contact["sender_index"])
    caller = Caller(kind="wechat", id=contact["account"], name="微信公众号")
    asked = NewRequest(
        channel=Channel.WECHAT,
        kind=Kind.SERVICE,
        requester=await families.requester_by_phone(tx, phone),
        note=note,
        contact_id=contact["id"],
    )
    request = await service.take_request(tx, caller, asked)
    await queries.processed(tx, contact["id"], clock.now(), request.id)


async def _is_binding(tx: Tx, contact: Any, words: str) -> bool:
    if contact["sender"] is None:
        return False
    sender = tx.vault.open("inbound_contact.sender", contact["id"], contact["sender"])
    return await families.bind_by_words(tx, contact["channel"], contact["account"], sender, words)


def _note(tx: Tx, contact: Any) -> str | None:
    if contact["words"] is not None:
        return tx.vault.open("inbound_contact.words", contact["id"], contact["words"])
    wordless = WORDLESS.get(contact["kind"])
    return f"（用户发来{wordless}，请在公众号后台查看）" if wordless else None
