"""What an event means, worked off after it was stored: who follows us, whose card was scanned, who consents to what,
and whether a message of ours has arrived. Events that nobody waits for (VIEW, LOCATION) are only kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

from app.accounts import links
from app.channels.wechat import messages, queries, replies
from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller
from app.elders.events import CardRevoked
from app.intake import contacts, families
from app.intake.contacts import Kept
from app.messaging import receipts

PROCESS = "channels.wechat_event"
CARD = "elder_card"
VOID_CARD = "（扫了已作废的求助卡，不知是哪位老人，请回复问明需要）"
ASKED_WITHIN = timedelta(minutes=30)
"""Pressing the same key again within this time is the same wish."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of a sender, with what else it says."""

    contact: Kept
    key: str
    root: Element

    @property
    def account(self) -> str:
        return self.contact.account

    @property
    def at(self) -> datetime:
        """When it happened, by WeChat's clock; when it came, if that makes no sense."""
        created = messages.said(self.root, "CreateTime")
        if not created.isdecimal() or len(created) > 10:
            return self.contact.received_at
        return min(datetime.fromtimestamp(int(created), UTC), self.contact.received_at)


async def process_event(tx: Tx, payload: dict[str, Any]) -> None:
    """The task PROCESS: do what the stored event asks for, once."""
    contact = await contacts.held(tx, UUID(payload["contact_id"]))
    if contact.processed:
        return
    push = messages.read(contact.raw)
    act = ACTIONS.get(push.event or "")
    request_id = None
    if act is not None and contact.sender_index is not None:
        request_id = await act(tx, Heard(contact, push.key or "", messages.parsed(contact.raw)))
    await contacts.done(tx, contact.id, request_id)


async def _subscribed(tx: Tx, heard: Heard) -> UUID | None:
    await _follow(tx, heard, following=True)
    return await _scanned(tx, heard)


async def _unsubscribed(tx: Tx, heard: Heard) -> None:
    await _follow(tx, heard, following=False)


async def _follow(tx: Tx, heard: Heard, *, following: bool) -> None:
    assert heard.contact.sender_index is not None  # noqa: S101 (checked by process_event)
    await queries.follow(tx, heard.account, heard.contact.sender_index, following, heard.at)


async def _scanned(tx: Tx, heard: Heard) -> UUID | None:
    """Somebody holds an elder's card: the desk is to ask what is needed; and if we know who it is, that they wish to
    be family is put to the elder, who approves or does not."""
    token = replies.card_token("scan", heard.key)
    if token is None:
        return None
    try:
        elder_id = await links.resolve(tx, token, CARD)
    except NotFound:
        # They were told that the desk knows; and it is to know, though not of whom.
        return await _asked(tx, heard, VOID_CARD) if await links.was_issued(tx, token, CARD) else None
    phone = await contacts.phone_of_sender(tx, "wechat", heard.account, heard.contact.sender_index)
    if phone is not None:
        await families.ask_to_be_family(tx, elder_id, phone)
    return await _asked(tx, heard, "（扫了老人的求助卡，请回电问明需要）", elder_id)


async def on_card_revoked(tx: Tx, event: CardRevoked) -> None:
    """The code of WeChat is on the card, or beside it: it goes with it."""
    await links.revoke(tx, CARD, event.elder_id)


async def _clicked(tx: Tx, heard: Heard) -> UUID | None:
    meaning = replies.KEYS.get(heard.key)
    return await _asked(tx, heard, meaning.asks) if meaning is not None and meaning.asks else None


async def _asked(tx: Tx, heard: Heard, note: str, elder_id: UUID | None = None) -> UUID:
    caller = Caller(kind="wechat", id=heard.account, name="微信公众号")
    return await families.ask_through_channel(
        tx, caller, "wechat", heard.contact, note, elder_id, since=clock.now() - ASKED_WITHIN
    )


async def _consented(tx: Tx, heard: Heard) -> None:
    """The answer to our question for consent, or a refusal in the settings later on."""
    index, now = heard.contact.sender_index, clock.now()
    assert index is not None  # noqa: S101 (checked by process_event)
    for one in heard.root.iter("List"):
        template_id, answer = messages.said(one, "TemplateId"), messages.said(one, "SubscribeStatusString")
        if template_id and answer == "accept":
            await queries.consent(tx, heard.account, index, template_id, now)
        elif template_id and answer in {"reject", "ban"} and heard.root.find("SubscribeMsgChangeEvent") is not None:
            await queries.withdraw_consent(tx, heard.account, index, template_id, now)


async def _template_finished(tx: Tx, heard: Heard) -> None:
    """`success`, `failed:user block`, `failed: system failed`."""
    status = messages.said(heard.root, "Status").lower()
    failure = "user_block" if "block" in status else "system_failed"
    await _receipt(tx, heard, messages.said(heard.root, "MsgID"), failure=None if status == "success" else failure)


async def _subscription_sent(tx: Tx, heard: Heard) -> None:
    for one in heard.root.iter("List"):
        code = messages.said(one, "ErrorCode")
        await _receipt(tx, heard, messages.said(one, "MsgID"), failure=None if code == "0" else code[:20] or "unknown")


async def _receipt(tx: Tx, heard: Heard, msg_id: str, *, failure: str | None) -> None:
    name = external_id(heard.account, msg_id)
    await receipts.note_receipt(tx, "wechat", name, delivered=failure is None, failure=failure)


def external_id(account: str, msg_id: object) -> str:
    """A message's name: WeChat numbers them per account."""
    return f"{account}:{msg_id}"


Act = Callable[[Tx, Heard], Awaitable[UUID | None]]
ACTIONS: dict[str, Act] = {
    "subscribe": _subscribed,
    "unsubscribe": _unsubscribed,
    "scan": _scanned,
    "click": _clicked,
    "subscribe_msg_popup_event": _consented,
    "subscribe_msg_change_event": _consented,
    "subscribe_msg_sent_event": _subscription_sent,
    "templatesendjobfinish": _template_finished,
}
