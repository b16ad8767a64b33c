"""Encryption of single fields and blind indexes to find them again.

A sealed value is `suite(1) ‖ key id(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`. The table, column and row id are
authenticated with it, so a ciphertext moved to another row or column no longer opens. A blind index is a keyed
hash of the normalised value with a key of its own per column: a plain hash of a phone number falls to a
dictionary of all phone numbers within hours.

Two suites: AES-256-GCM with SHA-256, and SM4-GCM with SM3 for deployments under GB/T 39786.
"""

from __future__ import annotations

import hmac
import os
from enum import IntEnum
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Suite(IntEnum):
    AES256_SHA256 = 1
    SM4_SM3 = 2


class SealBroken(Exception):
    """The value was altered, moved, or sealed with a key we do not have."""


class Vault:
    """Seals and opens fields. Holds every live master key; new values use the newest.

    `master_keys` maps key ids (1..255) to 32 bytes.
    """

    def __init__(self, master_keys: dict[int, bytes], suite: Suite = Suite.AES256_SHA256) -> None:
        if not master_keys or any(len(key) != 32 for key in master_keys.values()):
            raise ValueError("a vault needs at least one master key of 32 bytes")
        self._masters = dict(master_keys)
        self._newest = max(master_keys)
        self._suite = suite
        self._derived = cache(self._derive)

    def seal(self, field: str, row: UUID | str, plain: str) -> bytes:
        """Encrypt `plain` for `field` ("table.column") of the row `row`."""
        nonce = os.urandom(12)
        header = bytes((self._suite, self._newest))
        key = self._derived(self._newest, f"field:{field.split('.')[0]}")
        aad = f"{field}|{row}".encode()
        return header + nonce + _encrypt(self._suite, key, nonce, plain.encode(), aad)

    def open(self, field: str, row: UUID | str, sealed: bytes) -> str:
        """Decrypt; raises SealBroken when anything about the value, the field or the row differs."""
        sealed = bytes(sealed)
        if len(sealed) < 30 or sealed[1] not in self._masters:
            raise SealBroken(field)
        key = self._derived(sealed[1], f"field:{field.split('.')[0]}")
        try:
            return _decrypt(Suite(sealed[0]), key, sealed[2:14], sealed[14:], f"{field}|{row}".encode()).decode()
        except (InvalidTag, ValueError) as broken:
            raise SealBroken(field) from broken

    def blind(self, index: str, value: str) -> bytes:
        """Sixteen bytes that stand for `value` in the blind index `index`; equal values, equal bytes."""
        # The oldest key: an index must give the same answer before and after a rotation of field keys.
        key = self._derived(min(self._masters), f"blind:{index}")
        if self._suite is Suite.SM4_SM3:
            mac = HMAC(key, hashes.SM3())
            mac.update(value.encode())
            return mac.finalize()[:16]
        return hmac.digest(key, value.encode(), "sha256")[:16]

    def key_for(self, purpose: str) -> bytes:
        """A 32-byte key for `purpose` (signed links, cursors), derived and never stored."""
        return self._derived(self._newest, f"purpose:{purpose}")

    def _derive(self, key_id: int, purpose: str) -> bytes:
        return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(self._masters[key_id])


def _encrypt(suite: Suite, key: bytes, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
    if suite is Suite.AES256_SHA256:
        return AESGCM(key).encrypt(nonce, plain, aad)
    encryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    return encryptor.update(plain) + encryptor.finalize() + encryptor.tag


def _decrypt(suite: Suite, key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    if suite is Suite.AES256_SHA256:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    decryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce, sealed[-16:])).decryptor()
    decryptor.authenticate_additional_data(aad)
    return decryptor.update(sealed[:-16]) + decryptor.finalize()
