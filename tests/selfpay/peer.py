"""WeChat Pay's side, from the documents alone: it signs, seals resources, checks every request it gets with plain
arithmetic (RFC 8017, PKCS #1 v1.5), and on loopback answers in good and in bad ways."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.core import clock
from app.core.db import Tx
from app.core.http import SYSTEM
from app.selfpay import merchants
from app.selfpay.merchants import Terms

NAME, MCHID, APPID, API_KEY = "jinchang", "1900000109", "wx0000000000000001", "abcdefghijklmnopqrstuvwxyz012345"
SERIAL, PUBLIC_KEY_ID = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "PUB_KEY_ID_0119000001092026"
OUR_SERIAL = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
_AUTHORIZATION = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="(\d+)",nonce_str="([^"]{1,32})",signature="([^"]+)",timestamp="(\d+)",'
    r'serial_no="([0-9A-F]+)"'
)
_numbers = itertools.count(1)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One key pair of the test process for each name: ours, platform, other."""
    return rsa.generate_private_key(65537, 2048)


def private_pem(name: str) -> str:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(name: str) -> str:
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _encoded(text: bytes) -> int:
    digest = SHA256 + hashlib.sha256(text).digest()
    return int.from_bytes(b"\x00\x01" + b"\xff" * (256 - 3 - len(digest)) + b"\x00" + digest)


def sign(name: str, text: bytes) -> str:
    return base64.b64encode(key(name).sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()


def holds(name: str, signature: str, text: bytes) -> bool:
    public = key(name).public_key().public_numbers()
    return pow(int.from_bytes(base64.b64decode(signature)), public.e, public.n) == _encoded(text)


def terms(**changes: Any) -> Terms:
    usual: dict[str, Any] = {
        "division_code": "620300",
        "mchid": MCHID,
        "appid": APPID,
        "api_key": API_KEY,
        "private_key": private_pem("ours"),
        "private_serial": OUR_SERIAL,
        "platform_keys": {SERIAL: public_pem("platform"), PUBLIC_KEY_ID: public_pem("platform")},
    }
    return Terms(**usual | changes)


async def make_merchant(tx: Tx, name: str = NAME, **changes: Any) -> None:
    await merchants.put(tx, SYSTEM, name, terms(**changes))


def proof(
    body: bytes, *, at: int | None = None, serial: str = SERIAL, by: str = "platform", nonce: str = "c5ac7061fccab6bf"
) -> dict[str, str]:
    """The headers with which WeChat proves a body."""
    timestamp = str(int(clock.now().timestamp()) if at is None else at)
    text = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    return {
        "Wechatpay-Serial": serial,
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(by, text),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }


def transaction(out_trade_no: str, total: int, /, **changes: Any) -> dict[str, Any]:
    """A paid transaction."""
    usual = {
        "mchid": MCHID,
        "appid": APPID,
        "out_trade_no": out_trade_no,
        "transaction_id": f"42000000{next(_numbers):020d}",
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "attach": "",
        "success_time": clock.now().astimezone(clock.SHANGHAI).isoformat(timespec="seconds"),
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"},
    }
    return usual | changes


def notice(inside: Any, *, api_key: str = API_KEY, event: str = "TRANSACTION.SUCCESS", **changes: Any) -> bytes:
    """The body of a notice around `inside`, sealed as the documents say."""
    nonce, associated = b"fdasflkja484", b"transaction"
    sealing = Cipher(algorithms.AES(api_key.encode()), modes.GCM(nonce)).encryptor()
    sealing.authenticate_additional_data(associated)
    plain = inside if isinstance(inside, bytes) else orjson.dumps(inside)
    sealed = sealing.update(plain) + sealing.finalize() + sealing.tag
    usual = {
        "id": f"EV-{next(_numbers):024d}",
        "create_time": clock.now().astimezone(clock.SHANGHAI).isoformat(timespec="seconds"),
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": "支付成功",
        "resource": {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": associated.decode(),
            "nonce": nonce.decode(),
        },
    }
    return orjson.dumps(usual | changes)


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    body: Any
    fair: bool
    """Signed by us, for exactly this."""


@dataclass
class Stub:
    """`states` of transactions by our numbers. `fault` is one of slow, reset, 500, forged, unsigned, stale, odd."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    fault: str = ""
    before_answer: Any = None
    """Awaited with the path before an answer is written."""

    def to(self, ending: str) -> list[Asked]:
        return [one for one in self.asked if one.target.split("?")[0].endswith(ending)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split(" ")
                headers = {}
                while (header := await reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                fair = _is_fair(method, target, headers.get("authorization", ""), body)
                self.asked.append(Asked(method, target, orjson.loads(body) if body else None, fair))
                if self.fault == "slow":
                    await asyncio.sleep(1.0)
                if self.fault == "reset":
                    return
                status, answer = self._answer(method, urlsplit(target).path, self.asked[-1])
                if self.before_answer is not None:
                    await self.before_answer(target)
                writer.write(self._sealed(status, answer))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    def _sealed(self, status: int, answer: Any) -> bytes:
        body = b"" if answer is None else orjson.dumps(answer)
        body = b"[]" if self.fault == "odd" else body
        stale = int(clock.now().timestamp()) - 301 if self.fault == "stale" else None
        signed = proof(body, at=stale, by="other" if self.fault == "forged" else "platform")
        if self.fault == "unsigned":
            signed = {}
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in signed.items())]
        if status != 204:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def _answer(self, method: str, path: str, asked: Asked) -> tuple[int, Any]:
        if self.fault == "500":
            return 500, {"code": "SYSTEM_ERROR", "message": "系统错误"}
        if not asked.fair:
            return 401, {"code": "SIGN_ERROR", "message": "签名错误"}
        if path.endswith(("/native", "/jsapi")):
            number, total = asked.body["out_trade_no"], asked.body["amount"]["total"]
            self.states.setdefault(number, open_transaction(number, total))
            way = path.rsplit("/", 1)[-1]
            return 200, {"code_url": f"weixin://wxpay/{number}"} if way == "native" else {"prepay_id": f"wx{number}"}
        number = path.removesuffix("/close").rsplit("/", 1)[-1]
        if number not in self.states:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        if path.endswith("/close"):
            if self.states[number]["trade_state"] == "SUCCESS":
                return 400, {"code": "ORDERPAID", "message": "订单已支付"}
            self.states[number]["trade_state"] = "CLOSED"
            return 204, None
        return 200, self.states[number]


def open_transaction(number: str, total: int) -> dict[str, Any]:
    return {
        "mchid": MCHID, "appid": APPID, "out_trade_no": number, "trade_state": "NOTPAY", "trade_state_desc": "未支付",
        "amount": {"total": total, "currency": "CNY"},
    }  # fmt: skip


def _is_fair(method: str, target: str, authorization: str, body: bytes) -> bool:
    given = _AUTHORIZATION.fullmatch(authorization)
    if given is None:
        return False
    mchid, nonce, signature, timestamp, serial = given.groups()
    text = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
    known = (mchid, serial) == (MCHID, OUR_SERIAL) and abs(int(timestamp) - clock.now().timestamp()) < 60
    return known and holds("ours", signature, text)


@asynccontextmanager
async def stub() -> AsyncIterator[Stub]:
    made = Stub()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
