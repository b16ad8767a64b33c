"""WeChat's message protection, as its developer documentation defines it.

    key        = base64(EncodingAESKey + "="), 32 bytes; IV = key[:16]; AES-256-CBC
    plain      = 16 random bytes ‖ length of message (uint32, big-endian) ‖ message ‖ appid
    padding    = PKCS#7 to blocks of 32 bytes, not 16
    signature  = hex(SHA-1 of the sorted concatenation of token, timestamp, nonce[, Encrypt])

SHA-1 is WeChat's choice; what stands against forgery is the secret token inside it, compared in constant time.
The protocol knows no time window and no replay: the window is ours, the replay falls on the unique key of the
stored contact. Whatever is wrong, there is one error and no word about which part it was.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.core.errors import Unauthorized

BLOCK = 32
WINDOW = timedelta(minutes=10)
_ENCODING_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
_TIMESTAMP = re.compile(r"\d{1,12}")
_HEAD = 20


class WeChatAuthError(Unauthorized):
    """The push is not from WeChat, not for us, not fresh, or not whole. Never says which."""

    def __init__(self) -> None:
        super().__init__("wechat_not_authentic", "the push could not be verified")


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What an account shares with WeChat. Never printed."""

    account: str
    appid: str
    token: str
    key: bytes

    @classmethod
    def of(cls, account: str, appid: str, token: str, encoding_aes_key: str) -> Keys:
        """Raises ValueError unless the EncodingAESKey is 43 base64 characters that make 32 bytes."""
        if not _ENCODING_KEY.fullmatch(encoding_aes_key) or not token or not appid:
            raise ValueError("a WeChat account has an appid, a token and an EncodingAESKey of 43 characters")
        # The last character carries four bits beyond the 32 bytes; published keys leave them set.
        return cls(account, appid, token, base64.b64decode(encoding_aes_key + "="))


def signature(token: str, *parts: str) -> str:
    """40 hex digits over the sorted parts."""
    joined = "".join(sorted((token, *parts)))
    return hashlib.sha1(joined.encode()).hexdigest()  # noqa: S324 (the protocol's)


def check_signature(keys: Keys, given: str, timestamp: str, nonce: str, *encrypted: str, now: datetime) -> None:
    """Signature first, then freshness. Raises WeChatAuthError."""
    expected = signature(keys.token, timestamp, nonce, *encrypted)
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise WeChatAuthError
    if not _TIMESTAMP.fullmatch(timestamp) or not timestamp.isascii():
        raise WeChatAuthError
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise WeChatAuthError


def encrypt(keys: Keys, message: bytes, random: bytes | None = None) -> str:
    """Base64 text of the protected message. `random` (16 bytes) is given only by tests of published vectors."""
    prefix = os.urandom(16) if random is None else random
    plain = prefix + struct.pack(">I", len(message)) + message + keys.appid.encode()
    fill = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(keys).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes((fill,)) * fill) + encryptor.finalize()).decode()


def decrypt(keys: Keys, encrypted: str) -> bytes:
    """The message inside. Raises WeChatAuthError for anything but a whole message for this appid."""
    try:
        sealed = base64.b64decode(encrypted.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise WeChatAuthError from None
    if not sealed or len(sealed) % BLOCK:
        raise WeChatAuthError
    decryptor = _cipher(keys).decryptor()
    plain = _unpadded(decryptor.update(sealed) + decryptor.finalize())
    if len(plain) < _HEAD:
        raise WeChatAuthError
    (length,) = struct.unpack(">I", plain[16:_HEAD])
    message, appid = plain[_HEAD : _HEAD + length], plain[_HEAD + length :]
    if len(message) != length or not hmac.compare_digest(appid, keys.appid.encode()):
        raise WeChatAuthError
    return message


def _cipher(keys: Keys) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(keys.key), modes.CBC(keys.key[:16]))


def _unpadded(padded: bytes) -> bytes:
    fill = padded[-1]
    whole = 1 <= fill <= BLOCK and hmac.compare_digest(padded[-fill:], bytes((fill,)) * fill)
    if not whole:
        raise WeChatAuthError
    return padded[:-fill]
