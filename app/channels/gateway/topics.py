"""What devices say over MQTT: `sos/up/{device}/alarm` and `sos/up/{device}/heartbeat`. Pure.

Who speaks is in the topic, which the broker's access list guards; a device number in the payload is not believed. The
payload is JSON with `type` (our word or the maker's code), and, where the device knows them, `msg_id`, `occurred_at`,
`location` {lng, lat, crs}, `battery`, `note`; or a single word. What cannot be read is an alarm all the same.

    class TopicError: a topic that is none of ours
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.channels.report import (
    HEARTBEAT,
    LONG,
    SHORT,
    UNREADABLE,
    Report,
    fingerprint,
    percent,
    place,
    report,
    stamped,
    words,
)
from app.core.json import loads

ALARMS, HEARTBEATS = "sos/up/+/alarm", "sos/up/+/heartbeat"


class TopicError(Exception):
    """Not a topic of alarms or heartbeats."""


def reading(topic: str, payload: bytes, now: datetime, *, retained: bool = False) -> Report:
    """What the service is told. `retained`: the broker keeps it and says it to everybody who comes, so that only its
    bytes tell whether it was heard before. Raises TopicError."""
    device, kind = _parts(topic)
    said = _said(payload)
    if kind == HEARTBEAT:
        return report(device, HEARTBEAT, HEARTBEAT, b"", battery=percent(said.get("battery")))
    spot = said.get("location")
    point = spot if isinstance(spot, dict) else said
    number = words(said.get("msg_id"), LONG)
    return report(
        device,
        words(said.get("type", said.get("code")), SHORT) or UNREADABLE,
        number or (fingerprint(payload) if retained else stamped(payload, now)),
        payload,
        occurred_at=_time(said.get("occurred_at")),
        location=place(point.get("lng"), point.get("lat"), point.get("crs")),
        battery=percent(said.get("battery")),
        note=words(said.get("note"), LONG) or None,
    )


def taken(topic: str) -> str:
    """Where a device hears that its alarm was taken. Raises TopicError."""
    return f"sos/down/{_parts(topic)[0]}/taken"


def _parts(topic: str) -> tuple[str, str]:
    parts = topic.split("/")
    if len(parts) != 4 or parts[:2] != ["sos", "up"] or parts[3] not in {"alarm", HEARTBEAT}:
        raise TopicError("no topic of a device")
    return parts[2], parts[3]


def _said(payload: bytes) -> dict[str, Any]:
    try:
        said = loads(payload)
    except ValueError:
        said = payload.decode("utf-8", "replace") if len(payload) <= LONG else ""
    if isinstance(said, dict):
        return said
    return {"type": words(said, SHORT)}


def _time(said: object) -> str | None:
    """Only a time with its offset is one."""
    try:
        at = datetime.fromisoformat(said)  # type: ignore[arg-type]
        return at.astimezone(UTC).isoformat() if at.tzinfo is not None and 2000 <= at.year < 2100 else None
    except (TypeError, ValueError, OverflowError):
        return None
