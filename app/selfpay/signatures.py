"""WeChat Pay's protection: what it signs is verified, what it seals is opened, what we ask is signed.

All signatures are RSA with SHA-256 and PKCS #1 v1.5 padding over lines that end with a line feed, the last one too
(WECHATPAY2-SHA256-RSA2048). Which of WeChat's keys are good is on record here; a signature by another one is refused
and nothing is fetched, so that nobody makes us ask the outside by inventing serial numbers. Now and then WeChat sends
signatures that are wrong on purpose, to see them refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from app.core.errors import Unauthorized
from app.core.ids import new_secret
from app.selfpay.notices import Envelope

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW_S = 300
SMALLEST_KEY_BITS = 2048

Headers = Iterable[tuple[bytes, bytes]]
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Forged(Unauthorized):
    """WeChat Pay did not say this, or not just now. One answer for every reason."""

    def __init__(self, reason: str) -> None:
        super().__init__("wechatpay_signature_wrong", "this could not be verified")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Merchant:
    """One of our accounts at WeChat Pay, with its keys opened."""

    name: str
    mchid: str
    appid: str
    private_serial: str
    api_key: bytes = field(repr=False)
    private_key: RSAPrivateKey = field(repr=False)
    platform_keys: Mapping[str, RSAPublicKey] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """The headers that prove a body."""

    serial: str
    timestamp: str
    nonce: str
    signature: str


def proof_of(headers: Headers) -> Proof:
    """Raises Forged unless each of the four is there once, and the scheme is ours where it is named."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    if found.get(b"wechatpay-signature-type", [SCHEME.encode()]) != [SCHEME.encode()]:
        raise Forged("scheme")

    def one(name: str) -> str:
        values = found.get(b"wechatpay-" + name.encode(), [])
        if len(values) != 1 or not values[0].isascii():
            raise Forged(name)
        return values[0].decode()

    return Proof(one("serial"), one("timestamp"), one("nonce"), one("signature"))


def verify(merchant: Merchant, proof: Proof, body: bytes, *, now: datetime) -> None:
    """Raises Forged: the serial is not on our list, the time is not now, or the signature is not of these bytes."""
    key = merchant.platform_keys.get(proof.serial)
    if key is None:
        raise Forged("serial")
    if not _TIMESTAMP.fullmatch(proof.timestamp) or abs(now.timestamp() - int(proof.timestamp)) > WINDOW_S:
        raise Forged("timestamp")
    text = f"{proof.timestamp}\n{proof.nonce}\n".encode() + body + b"\n"
    try:
        key.verify(_canonical(proof.signature), text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Forged("signature") from None


def open_resource(merchant: Merchant, sealed: Envelope) -> bytes:
    """What the notice holds. Raises Forged when it was sealed with another APIv3 key or changed."""
    try:
        return AESGCM(merchant.api_key).decrypt(sealed.nonce, sealed.sealed, sealed.associated)
    except (InvalidTag, ValueError):
        raise Forged("resource") from None


def authorization(merchant: Merchant, method: str, target: str, body: bytes, *, now: datetime) -> str:
    """The Authorization header of a request to WeChat Pay; `target` is path and query."""
    timestamp, nonce = str(int(now.timestamp())), new_secret(16)
    text = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
    parts = {
        "mchid": merchant.mchid,
        "nonce_str": nonce,
        "signature": sign(merchant, text),
        "timestamp": timestamp,
        "serial_no": merchant.private_serial,
    }
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in parts.items())


def page_parameters(merchant: Merchant, prepay_id: str, *, now: datetime) -> dict[str, str]:
    """What a page inside WeChat needs to open the payment (`WeixinJSBridge`, `wx.requestPayment`)."""
    timestamp, nonce, package = str(int(now.timestamp())), new_secret(16), f"prepay_id={prepay_id}"
    text = f"{merchant.appid}\n{timestamp}\n{nonce}\n{package}\n".encode()
    return {
        "appId": merchant.appid,
        "timeStamp": timestamp,
        "nonceStr": nonce,
        "package": package,
        "signType": "RSA",
        "paySign": sign(merchant, text),
    }


def sign(merchant: Merchant, text: bytes) -> str:
    return base64.b64encode(merchant.private_key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()


def private_key(pem: str) -> RSAPrivateKey:
    """Raises ValueError for anything but an unencrypted RSA key of 2048 bits or more."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, ValueError) as broken:
        raise ValueError("not an unencrypted private key in PEM") from broken
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_KEY_BITS:
        raise ValueError("not an RSA key of 2048 bits or more")
    return key


def public_key(pem: str) -> RSAPublicKey:
    """Of a public key or a certificate in PEM. Raises ValueError for anything but RSA of 2048 bits or more."""
    try:
        if "BEGIN CERTIFICATE" in pem:
            key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        else:
            key = load_pem_public_key(pem.encode())  # type: ignore[assignment]
    except Exception as broken:  # the library has many ways to say no
        raise ValueError("neither a public key nor a certificate in PEM") from broken
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
        raise ValueError("not an RSA key of 2048 bits or more")
    return key


def _canonical(signature: str) -> bytes:
    """The bytes of the one spelling that Base64 has for them. Raises Forged for any other."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise Forged("signature") from None
    if base64.b64encode(raw).decode() != signature:
        raise Forged("signature")
    return raw
