"""Makers for intake: requests, calls, WeChat accounts and pushes, signed posts."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

import orjson

from app.channels.wechat import accounts, crypto
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.db import Tx
from app.core.http import SYSTEM, Caller
from app.core.ids import new_secret
from app.intake import service
from app.intake.queries import RequestRow
from app.intake.requests import Channel
from app.intake.service import NewRequest, Requester
from tests.world.accounts import signed_headers

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
_numbers = count(1)


async def make_care_request(tx: Tx, *, caller: Caller = SYSTEM, **overrides: Any) -> RequestRow:
    """A new service request from a daughter whose mother we do not know yet."""
    usual: dict[str, Any] = {
        "channel": Channel.HOTLINE,
        "requester": Requester("王芳", "13800000001", "child"),
        "note": "想请人打扫",
    }
    return await service.take_request(tx, caller, NewRequest(**usual | overrides))


async def make_wechat_account(tx: Tx, account: str = "jinchang") -> Keys:
    """An account in safe mode."""
    appid, token = f"wx{next(_numbers):016d}", "spamtest"
    await accounts.put_account(tx, SYSTEM, account, appid=appid, token=token, aes_key=AES_KEY)
    return Keys.of(account, appid, token, AES_KEY)


def wechat_text(words: str, msg_id: int, openid: str = "oElder1") -> bytes:
    return (
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{openid}</FromUserName><CreateTime>1</CreateTime>"
        f"<MsgType>text</MsgType><Content><![CDATA[{words}]]></Content><MsgId>{msg_id}</MsgId></xml>"
    ).encode()


def wechat_push(shared: Keys, message: bytes, at: datetime | None = None) -> tuple[dict[str, str], bytes]:
    """Query parameters and body of a push in safe mode."""
    timestamp, nonce = str(int((at or clock.now()).timestamp())), new_secret(8)
    sealed = crypto.encrypt(shared, message)
    query = {
        "encrypt_type": "aes",
        "msg_signature": crypto.signature(shared.token, timestamp, nonce, sealed),
        "timestamp": timestamp,
        "nonce": nonce,
    }
    return query, f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()


async def signed_post(api: Any, key: tuple[str, str], path: str, body: Any) -> Any:
    """POST `body` as JSON, signed."""
    raw = orjson.dumps(body)
    return await api.post(path, content=raw, headers=signed_headers(*key, "POST", path, raw))
