"""One message of a device as the service's door takes it (`channels.schemas.DeviceAlarm`). Pure, and total: whatever
a device says becomes a report the door accepts, for a malformed alarm is an alarm."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Any

Report = dict[str, Any]
LONG, SHORT = 200, 40
UNREADABLE = "unreadable"
HEARTBEAT = "heartbeat"
DATUMS = frozenset({"wgs84", "gcj02", "bd09"})


def report(device: str, kind: str, msg_id: str, raw: bytes, **facts: Any) -> Report:
    """`kind` is our word or the maker's code; facts that are None are left out. `raw` is kept as text."""
    made: Report = {
        "device_id": words(device, LONG) or "-",
        "msg_id": words(msg_id, LONG) or fingerprint(raw),
        "type": words(kind, SHORT) or UNREADABLE,
        "raw": {"text": raw.decode("latin-1").encode("unicode_escape").decode("ascii")},
    }
    return made | {name: value for name, value in facts.items() if value is not None}


def words(said: object, longest: int) -> str:
    """Text or a whole number as one storable line; empty for anything else."""
    if isinstance(said, bool) or not isinstance(said, str | int):
        return ""
    plain = "".join(" " if ord(one) < 32 or 0xD800 <= ord(one) < 0xE000 else one for one in str(said))
    return plain.strip()[:longest].strip()


def place(lng: object, lat: object, datum: object = "wgs84") -> dict[str, Any] | None:
    """None for what is no point on Earth. 0,0 is what a receiver without a fix says."""
    try:
        east, north = float(lng), float(lat)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    on_earth = math.isfinite(east) and math.isfinite(north) and abs(east) <= 180 and abs(north) <= 90
    if not on_earth or (east == 0 and north == 0):
        return None
    return {"lng": east, "lat": north, "crs": datum if datum in DATUMS else "wgs84"}


def percent(said: object) -> int | None:
    """A battery's level; None for what is none."""
    try:
        level = int(said)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return level if 0 <= level <= 100 else None


def fingerprint(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def stamped(raw: bytes, now: datetime) -> str:
    """Number of a message that carries none: the same bytes within a minute are one message sent again. Longer would
    be dangerous: a button without a clock says the same each time it is pressed."""
    return f"{fingerprint(raw)}@{now.astimezone(UTC):%Y%m%d%H%M}"
