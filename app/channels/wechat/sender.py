"""WeChat as a channel of `messaging`: template messages of an official account, subscription messages with consent.

An address is `account/openid`. A subscription message needs a consent of its own, used before the message is handed
over and given back only if it certainly was not. What WeChat refuses for good has its errcode as our code: 43101 is
"this person does not want it", after which no consent is left.
"""

from __future__ import annotations

from typing import Any

from app.channels.wechat import queries, tokens
from app.channels.wechat.api import BUSY, WORN_TOKEN, Failed, NotReached, WeChatApi
from app.channels.wechat.events import external_id
from app.channels.wechat.fields import fields_of
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Error, Unavailable
from app.intake import contacts
from app.messaging.sender import Message, NotSent, Refused

PATHS = {
    "template": "/cgi-bin/message/template/send",
    "subscription": "/cgi-bin/message/subscribe/bizsend",
    "mini_program": "/cgi-bin/message/subscribe/send",
}
"""By the way a template goes: 模板消息, 服务号订阅通知, 小程序订阅消息."""
CONSENTED = frozenset({"subscription", "mini_program"})
UNWANTED = 43101


async def address_of(tx: Tx, e164: str, code: str) -> str | None:
    """Where the owner of this phone can be told `code` by WeChat: they proved the phone, follow us (or nobody has told
    that they do not), the account has a template for it, and a consent is left where one is needed."""
    for one in await contacts.senders_of_phone(tx, "wechat", e164):
        template = await queries.template(tx, one.account, code)
        if template is None:
            continue
        if template["way"] in CONSENTED:
            reachable = await queries.has_consent(tx, one.account, one.index, template["template_id"])
        else:
            reachable = await queries.follows(tx, one.account, one.index) is not False
        if reachable:
            return f"{one.account}/{one.sender}"
    return None


class WeChatSender:
    """A `Sender`. `database` is for its own short transactions: consents and the token."""

    def __init__(self, database: Database, api: WeChatApi) -> None:
        self._database, self._api = database, api

    async def send(self, message: Message) -> str | None:
        """Raises Refused, NotSent, or what the API raises when nobody knows."""
        account, _, openid = message.address.partition("/")
        try:
            data, page = fields_of(message.text)
        except ValueError:
            raise Refused("fields_malformed") from None
        async with self._database.transaction() as tx:
            template = await queries.template(tx, account, message.template_code)
            if template is None:
                raise Refused("no_template")
            if template["way"] in CONSENTED and not await self._use_consent(tx, account, openid, template):
                raise Refused("no_consent")
        body = _body(openid, template, data, page)
        try:
            answer = await tokens.post(self._database, self._api, account, PATHS[template["way"]], body)
        except (Failed, NotReached, Error) as failure:
            await self._not_sent(account, openid, template, failure)
            raise _verdict(failure) from None
        msg_id = answer.get("msgid") or answer.get("msgId")
        return None if msg_id is None else external_id(account, msg_id)

    async def _use_consent(self, tx: Tx, account: str, openid: str, template: Any) -> bool:
        index = contacts.sender_index(tx, openid)
        return await queries.use_consent(tx, account, index, template["template_id"], clock.now())

    async def _not_sent(self, account: str, openid: str, template: Any, failure: Exception) -> None:
        """The consent was not used after all, or is worth nothing."""
        if template["way"] not in CONSENTED:
            return
        async with self._database.transaction() as tx:
            index, now = contacts.sender_index(tx, openid), clock.now()
            if isinstance(failure, Failed) and failure.code == UNWANTED:
                await queries.withdraw_consent(tx, account, index, template["template_id"], now)
            else:
                await queries.consent(tx, account, index, template["template_id"], now)


def _body(openid: str, template: Any, data: dict[str, Any], page: str | None) -> dict[str, Any]:
    """A mini-program knows its own pages only; the others open any address, and the message's own comes first."""
    body = {"touser": openid, "template_id": template["template_id"], "data": data}
    opens = template["page"] if template["way"] == "mini_program" else page or template["page"]
    if opens:
        body["url" if template["way"] == "template" else "page"] = opens
    return body


def _verdict(failure: Exception) -> Refused | NotSent:
    """What a failure means for this message: WeChat's refusals are for good unless it says that it is busy."""
    if isinstance(failure, Failed):
        if failure.code in BUSY | WORN_TOKEN:
            return NotSent(str(failure.code))
        return Refused(str(failure.code))
    if isinstance(failure, Error):
        return NotSent(failure.code) if isinstance(failure, Unavailable) else Refused(failure.code)
    return NotSent(str(failure))
