"""Bearer tokens: 256 random bits, of which only a hash is stored. The prefix says what kind of session it is."""

from __future__ import annotations

import hashlib

from app.core.ids import new_secret

STAFF = "st_"
FAMILY = "fa_"
CAREGIVER = "cg_"


def new_token(prefix: str) -> str:
    return prefix + new_secret()


def hash_of(token: str) -> bytes:
    """What is stored. Plain SHA-256 is enough for 256 random bits; it would not be for a password."""
    return hashlib.sha256(token.encode()).digest()
