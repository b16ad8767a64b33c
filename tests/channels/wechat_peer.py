"""WeChat's side of a push, written a second time: AES, padding, framing and signature from the documents alone.

Nothing here is the product's, nor its cryptographic library's: AES is FIPS 197 in plain Python, with tables made from
the field's arithmetic. Slow, and right for the published vectors (`test_wechat_crypto`).
"""

from __future__ import annotations

import base64
import hashlib
import struct
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


def _contributions(turn: int) -> list[int]:
    """What a byte of row `turn`, substituted and mixed, gives to its column."""
    given = [bytes((_doubled(byte), byte, byte, _doubled(byte) ^ byte)) for byte in SBOX]
    return [int.from_bytes(four[4 - turn :] + four[: 4 - turn]) for four in given]


_MIXED = [_contributions(turn) for turn in range(4)]
Words = tuple[int, ...]


def _round_keys(key: bytes) -> list[Words]:
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
    return [struct.unpack(">4I", b"".join(words[at : at + 4])) for at in range(0, 60, 4)]


def encrypted_block(keys: Sequence[Words], block: bytes) -> bytes:
    """AES-256 of one block of 16 bytes."""
    first, second, third, fourth = _MIXED
    a, b, c, d = (word ^ key for word, key in zip(struct.unpack(">4I", block), keys[0], strict=True))
    for k, m, n, o in keys[1:-1]:
        a, b, c, d = (
            first[a >> 24] ^ second[b >> 16 & 255] ^ third[c >> 8 & 255] ^ fourth[d & 255] ^ k,
            first[b >> 24] ^ second[c >> 16 & 255] ^ third[d >> 8 & 255] ^ fourth[a & 255] ^ m,
            first[c >> 24] ^ second[d >> 16 & 255] ^ third[a >> 8 & 255] ^ fourth[b & 255] ^ n,
            first[d >> 24] ^ second[a >> 16 & 255] ^ third[b >> 8 & 255] ^ fourth[c & 255] ^ o,
        )
    last, key = struct.pack(">4I", a, b, c, d), struct.pack(">4I", *keys[-1])
    return bytes(SBOX[last[(at + at % 4 * 4) % 16]] ^ key[at] for at in range(16))


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
            chained = bytes(a ^ b for a, b in zip(plain[at : at + 16], last, strict=True))
            last = encrypted_block(self._keys, chained)
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
