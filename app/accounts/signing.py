"""The signature of outside systems: provider apps, call centres, device platforms.

A request carries four headers:

    X-App-Key     the key's public name
    X-Timestamp   Unix seconds, at most 300 s from our clock
    X-Nonce       8 to 128 of the characters A-Z a-z 0-9 . _ ~ -, never used before with this key
    X-Signature   hex(HMAC-SHA256(secret, text)), lower case

where `secret` is the UTF-8 bytes of the secret as it was handed out, and `text` is, in UTF-8, these six lines
joined by a line feed, without one at the end:

    METHOD                in capitals
    PATH                  as sent, percent-encoding included, without the query: /v1/provider/events
    CANONICAL_QUERY       see below; empty when there is no query
    TIMESTAMP             as in the header
    NONCE                 as in the header
    hex(sha256(body))     lower case; of the empty body when there is none

Canonical query: decode the query into name and value pairs ("+" means a space, a missing "=" an empty value),
percent-encode each name and value again as UTF-8, leaving only A-Z a-z 0-9 - . _ ~ as they are, join each pair by
"=", sort the pairs as bytes, join them by "&".

Test vector: secret `s3cret-for-tests`, POST `/v1/provider/events?b=2&a=%E9%87%91+%E6%98%8C&a=1`, body `{"events":[]}`,
timestamp `1767225600`, nonce `nonce-0001`. The canonical query is `a=%E9%87%91%20%E6%98%8C&a=1&b=2`, the signature
`63cce7165205728142f4b414c48626f1a733832fe41f2c751ccffadf51dd63eb`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote

WINDOW = timedelta(seconds=300)
NONCE = re.compile(r"[A-Za-z0-9._~-]{8,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


def canonical_query(query: str) -> str:
    """The one form of a raw query string that is signed."""
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs))


def signed_text(method: str, path: str, query: str, body: bytes, timestamp: str, nonce: str) -> bytes:
    """The bytes that are signed. `path` as it stands in the request line, `query` raw, without "?"."""
    lines = (method.upper(), path, canonical_query(query), timestamp, nonce, hashlib.sha256(body).hexdigest())
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def signature(secret: str, text: bytes) -> str:
    return hmac.digest(secret.encode(), text, "sha256").hex()


def sign(
    secret: str,
    method: str,
    path: str,
    query: str,
    body: bytes,
    timestamp: int,
    nonce: str,
    *,
    key: str | None = None,
) -> dict[str, str]:
    """The headers of a signed request; `X-App-Key` is among them when `key` is given."""
    text = signed_text(method, path, query, body, str(timestamp), nonce)
    headers = {"X-Timestamp": str(timestamp), "X-Nonce": nonce, "X-Signature": signature(secret, text)}
    return headers if key is None else {"X-App-Key": key, **headers}


def is_signed_by(secrets: Iterable[str], text: bytes, given: str) -> bool:
    """Does one of the live secrets make this signature? Takes the same time for a near miss as for a far one."""
    if not _SIGNATURE.fullmatch(given):
        return False
    matches = [hmac.compare_digest(signature(secret, text), given) for secret in secrets]
    return any(matches)


def is_timely(timestamp: str, now: datetime) -> bool:
    """Within the window on either side of our clock."""
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    return abs(int(timestamp) - now.timestamp()) <= WINDOW.total_seconds()


def _encoded(text: str) -> str:
    return quote(text, safe="-._~", errors="surrogateescape")
