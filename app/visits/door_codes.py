"""The code an elder reads out at the door: one for each end of a visit, good for one order on one day. Pure.

It can be checked whenever the report arrives, because it follows from the order, the end and the day on which the
caregiver says she was told it. Guessing is no way in: the first check-in of a visit counts, with whatever it brought.
"""

from __future__ import annotations

import hmac
from datetime import date
from uuid import UUID

from app.visits.journal import Kind

PURPOSE = "visits.door_code"
"""What the key is derived for."""
ENDS = (Kind.CHECKED_IN, Kind.CHECKED_OUT)
DIGITS = 6


def code(key: bytes, order_id: UUID, end: Kind, day: date) -> str:
    """Six digits for one end of this order's visit on that service day (truncated as in RFC 4226)."""
    digest = hmac.digest(key, f"{order_id}/{end.value}/{day.isoformat()}".encode(), "sha256")
    at = digest[-1] & 0xF
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"
