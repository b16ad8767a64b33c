"""WeChat's side of a push, written a second time: AES, padding, framing and signature from the documents alone.

Nothing here is the product's, nor its cryptographic library's: AES is FIPS 197 in plain Python, with tables made from
the field's arithmetic. Slow, and right for the published vectors (`test_wechat_crypto`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


def _doubled(byte: int) -> int:
    return (byte << 1 ^ 0x11B) & 0xFF if byte & 0x80 else byte << 1


def _substitutions() -> bytes:
    """The S-box: inverses in GF(2⁸), by powers of 3, and the affine step."""
    powers, value = [], 1
    for _ in range(255):
        powers.append(value)
        value ^= _doubled(value)
    box = [0x63] + [0] * 255
    for exponent, number in enumerate(powers):
        inverse = powers[-exponent % 255]
        spread = inverse
        for turn in range(1, 5):
            spread ^= (inverse << turn | inverse >> 8 - turn) & 0xFF
        box[number] = spread ^ 0x63
    return bytes(box)


SBOX = _substitutions()
_TWICE = bytes(_doubled(byte) for byte in range(256))
_SHIFT = [(4 * (column + row) + row) % 16 for column in range(4) for row in range(4)]


def _round_keys(key: bytes) -> list[bytes]:
    words = [key[at : at + 4] for at in range(0, 32, 4)]
    constant = 1
    for number in range(8, 60):
        word = words[-1]
        if number % 8 == 0:
            word = bytes(SBOX[byte] for byte in word[1:] + word[:1])
            word, constant = bytes((word[0] ^ constant,)) + word[1:], _doubled(constant)
        elif number % 8 == 4:
            word = bytes(SBOX[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word, strict=True)))
    return [b"".join(words[at : at + 4]) for at in range(0, 60, 4)]


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(16)


def _mixed(state: bytes) -> bytes:
    out = bytearray()
    for at in (0, 4, 8, 12):
        a, b, c, d = state[at : at + 4]
        every = a ^ b ^ c ^ d
        out += bytes((
            a ^ every ^ _TWICE[a ^ b], b ^ every ^ _TWICE[b ^ c], c ^ every ^ _TWICE[c ^ d], d ^ every ^ _TWICE[d ^ a],
        ))  # fmt: skip
    return bytes(out)


def encrypted_block(keys: Sequence[bytes], block: bytes) -> bytes:
    """AES-256 of one block of 16 bytes."""
    state = _xor(block, keys[0])
    for key in keys[1:-1]:
        state = _xor(_mixed(bytes(SBOX[state[at]] for at in _SHIFT)), key)
    return _xor(bytes(SBOX[state[at]] for at in _SHIFT), keys[-1])


@dataclass(frozen=True)
class Post:
    """A push as WeChat would send it: the query as it stands in the request line, and the body."""

    query: str
    body: bytes


class WeChat:
    """WeChat with the token, EncodingAESKey and appid of one account."""

    def __init__(self, token: str, encoding_key: str, appid: str) -> None:
        key = base64.b64decode(encoding_key + "=")
        self._token, self._appid, self._iv = token, appid, key[:16]
        self._keys = _round_keys(key)

    def sealed(self, message: bytes, random: bytes) -> str:
        plain = random + len(message).to_bytes(4) + message + self._appid.encode()
        fill = 32 - len(plain) % 32
        plain += bytes((fill,)) * fill
        last, out = self._iv, []
        for at in range(0, len(plain), 16):
            last = encrypted_block(self._keys, _xor(plain[at : at + 16], last))
            out.append(last)
        return base64.b64encode(b"".join(out)).decode()

    def sign(self, *parts: str) -> str:
        return hashlib.sha1("".join(sorted([self._token, *parts])).encode()).hexdigest()  # noqa: S324 (the protocol's)

    def post(
        self,
        message: bytes,
        *,
        timestamp: int,
        nonce: str,
        random: bytes,
        to: str = "gh_1",
        openid: str = "oElder1",
        lines: bool = True,
    ) -> Post:
        """With `lines` laid out as WeChat does it, otherwise all on one line."""
        sealed = self.sealed(message, random)
        query = (
            f"signature={self.sign(str(timestamp), nonce)}&timestamp={timestamp}&nonce={nonce}&openid={openid}"
            f"&encrypt_type=aes&msg_signature={self.sign(str(timestamp), nonce, sealed)}"
        )
        apart, end = ("\n    ", "\n") if lines else ("", "")
        body = (
            f"<xml>{apart}<ToUserName><![CDATA[{to}]]></ToUserName>{apart}"
            f"<Encrypt><![CDATA[{sealed}]]></Encrypt>{end}</xml>{end}"
        )
        return Post(query, body.encode())
