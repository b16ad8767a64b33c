"""Identifiers: UUID version 7 (RFC 9562), time-ordered, so that the newest rows lie together in an index."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of Unix milliseconds, 74 random bits."""
    millis = time.time_ns() // 1_000_000
    value = (millis & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def new_secret(nbytes: int = 32) -> str:
    """An unguessable URL-safe token of `nbytes` random bytes."""
    return secrets.token_urlsafe(nbytes)
