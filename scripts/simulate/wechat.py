"""WeChat's side of the protocol: sealing and signing a push, written from its public description."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import struct
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scripts.simulate.doors import Doors

BLOCK = 32


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
    """Deliver one message as WeChat does; returns when the service has acknowledged it."""
    stamp, nonce = str(int(doors.pace.now().timestamp())), secrets.token_hex(6)
    encrypted = sealed(account["aes_key"], account["appid"], message)
    envelope = f"<xml><ToUserName>{account['account']}</ToUserName><Encrypt>{encrypted}</Encrypt></xml>"
    query = {
        "timestamp": stamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": signed(account["token"], stamp, nonce, encrypted),
    }
    path = f"/channels/wechat/{account['account']}"
    headers = {"Content-Type": "text/xml"}
    answer = await doors.send("POST", path, query=query, content=envelope.encode(), headers=headers, keyed=False)
    if answer.text != "success":
        raise AssertionError(f"WeChat expects 'success', not {answer.text[:40]!r}")
