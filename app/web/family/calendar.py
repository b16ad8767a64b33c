"""A family's visits as a calendar (RFC 5545) that their own calendar program subscribes to. Pure.

Times are in UTC, so that no time zone has to be explained; what an event is called keeps its number for good, its
sequence goes up with the order's version, and a visit that was called off stays in it as cancelled, because a program
that no longer finds an event may keep showing the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

MEDIA_TYPE = "text/calendar; charset=utf-8"
LINE = 75
"""Octets of a line, without its end (3.1)."""
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})


@dataclass(frozen=True, slots=True)
class Event:
    """One visit. `changed_at`: when it last changed; `sequence` goes up with every change."""

    uid: str
    sequence: int
    changed_at: datetime
    begins_at: datetime
    ends_at: datetime
    summary: str
    description: str
    status: Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]


def calendar(name: str, events: Iterable[Event]) -> str:
    """The whole file, its lines folded."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Nuanxian//12349//ZH", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]  # fmt: skip
    for event in events:
        lines += _event(event)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _event(event: Event) -> list[str]:
    return [
        "BEGIN:VEVENT", f"UID:{event.uid}", f"SEQUENCE:{event.sequence}", f"DTSTAMP:{_instant(event.changed_at)}",
        f"LAST-MODIFIED:{_instant(event.changed_at)}", f"DTSTART:{_instant(event.begins_at)}",
        f"DTEND:{_instant(event.ends_at)}", f"SUMMARY:{_text(event.summary)}",
        f"DESCRIPTION:{_text(event.description)}", f"STATUS:{event.status}", "CLASS:PRIVATE", "END:VEVENT",
    ]  # fmt: skip


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """Escaped as TEXT (3.3.11); control characters, which it cannot hold, are left out."""
    kept = "".join(c for c in value if c.isprintable() or c == "\n")
    return kept.translate(_ESCAPES)


def _folded(line: str) -> Iterator[str]:
    """Pieces of at most 75 octets, each but the first begun by a space; no character is cut in two."""
    piece, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + octets
    yield piece
