"""What a caregiver's phone reports is signed by a key that never leaves the phone: a copied cookie reports nothing.

The phone makes a P-256 key that cannot be exported (WebCrypto) and names its public half when somebody signs in. The
signed text is `METHOD\\nPATH\\nIDEMPOTENCY-KEY\\nhex(sha256(body))`. There is no nonce: the doors behind it are
repeatable, so sending the same bytes again changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from fastapi import Request

from app.core.errors import Forbidden, Invalid, Unauthorized
from app.core.http import Caller

HEADER = "x-device-signature"
POINT_BYTES = 65
HALF = 32
"""A WebCrypto signature is the two numbers r and s one after the other, 32 bytes each."""


def public_key(text: str) -> bytes:
    """The point in base64url as the phone names it. Raises Invalid for anything that is no point of the curve."""
    point = _decoded(text)
    try:
        if len(point) != POINT_BYTES:
            raise ValueError("uncompressed points have 65 bytes")
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as wrong:
        raise Invalid(
            "device_key_malformed", "an uncompressed point of P-256 in base64url", field="device_key"
        ) from wrong
    return point


def signed_text(method: str, path: str, key: str, body: bytes) -> bytes:
    return f"{method}\n{path}\n{key}\n{hashlib.sha256(body).hexdigest()}".encode()


async def check(caller: Caller, request: Request) -> None:
    """Raises Forbidden for a session without a phone's key, Unauthorized unless that key signed this request."""
    point = caller.facts.get("device_key")
    if point is None:
        raise Forbidden("device_key_missing", "this browser has not named a key: sign in again in another one")
    key = request.headers.get("idempotency-key", "")
    text = signed_text(request.method, request.scope["path"], key, await request.body())
    if not _is_signed(bytes(point), _decoded(request.headers.get(HEADER, "")), text):
        raise Unauthorized("device_signature_wrong", "this was not signed by the phone that signed in")


def _is_signed(point: bytes, signature: bytes, text: bytes) -> bool:
    if len(signature) != 2 * HALF:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:HALF], signature[HALF:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    try:
        key.verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
