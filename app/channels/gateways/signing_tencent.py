"""TC3-HMAC-SHA256, the signature of Tencent Cloud's API 3.0, for JSON bodies. Pure.

Source: cloud.tencent.com/document/api/382/52072 (签名方法 v3); its worked example is our test.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"


def authorization(key_id: str, key: str, *, service: str, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    """The `Authorization` of a POST to "/". `headers` are those that are signed, by their names in lower case; their
    values count in lower case, too."""
    timestamp, day = int(at.timestamp()), at.astimezone(UTC).strftime("%Y-%m-%d")
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{service}/tc3_request"
    to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = f"TC3{key}".encode()
    for part in (day, service, "tc3_request"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
