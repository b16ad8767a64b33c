"""WeChat's side of the protocol: sealing and signing a push, written from its public description."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import struct
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scripts.simulate.doors import Doors, Refused

BLOCK = 32
WINDOW_S = 300
"""How old a stamp may be when it is read."""
DELIVERIES = 5


def sealed(aes_key: str, appid: str, message: bytes) -> str:
    """16 random bytes, the length, the message, the appid; padded to 32; AES-256-CBC; base64."""
    key = base64.b64decode(aes_key + "=")
    plain = os.urandom(16) + struct.pack(">I", len(message)) + message + appid.encode()
    fill = BLOCK - len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()


def signed(token: str, *parts: str) -> str:
    return hashlib.sha1("".join(sorted((token, *parts))).encode()).hexdigest()  # noqa: S324 (the protocol's)


def text_message(openid: str, account: str, words: str, msg_id: int, at: int) -> bytes:
    return (
        f"<xml><ToUserName>{escape(account)}</ToUserName><FromUserName>{escape(openid)}</FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType>text</MsgType><Content>{escape(words)}</Content>"
        f"<MsgId>{msg_id}</MsgId></xml>"
    ).encode()


async def push(doors: Doors, account: dict[str, str], message: bytes) -> None:
    """Deliver one message as WeChat does; returns when the service has acknowledged it.

    Every delivery is sealed and stamped anew. A refused one is tried again only if its stamp had really become too
    old on the service's clock: any other refusal is Refused.
    """
    path, stamp = f"/channels/wechat/{account['account']}", 0

    def delivery() -> tuple[str, bytes, dict[str, str]]:
        nonlocal stamp
        stamp, nonce = int(doors.pace.now().timestamp()), secrets.token_hex(6)
        encrypted = sealed(account["aes_key"], account["appid"], message)
        envelope = f"<xml><ToUserName>{account['account']}</ToUserName><Encrypt>{encrypted}</Encrypt></xml>"
        query = {
            "timestamp": str(stamp), "nonce": nonce, "encrypt_type": "aes",
            "msg_signature": signed(account["token"], str(stamp), nonce, encrypted),
        }  # fmt: skip
        return urlencode(query), envelope.encode(), {"Content-Type": "text/xml"}

    for last in (*[False] * DELIVERIES, True):
        try:
            answer = await doors.repeat("POST", path, delivery)
            break
        except Refused as refused:
            await doors.read_clock()
            if last or refused.status != 401 or abs(doors.pace.now().timestamp() - stamp) < WINDOW_S:
                raise
    if answer.text != "success":
        raise AssertionError(f"WeChat expects 'success', not {answer.text[:40]!r}")
