"""The watches' line protocol, `[3G*8800000015*000D*LK,50,100,100]`. Pure.

Maker, device number, length of the content in four hexadecimal digits, content; some makers put an index before the
length. Content is a command and its fields. A watch repeats `LK` (I am here) and `AL` (alarm) until it is answered
with the same command. The protocol proves nothing about who is talking: it belongs into a private network.

    class WatchError: what comes cannot become a frame any more
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.channels.report import HEARTBEAT, Report, percent, place, report, stamped

LONGEST_CONTENT = 4096
"""Longer content (voice, pictures) is counted off and let go."""
MOST_NOISE = 1024
LONGEST_HEADER = 48
_HEADER = re.compile(rb"\[([A-Za-z0-9]{2})\*([A-Za-z0-9]{1,20})\*(?:([0-9A-Fa-f]{4})\*)?([0-9A-Fa-f]{4})\*")
_UNDECIDED = re.compile(rb"\[([A-Za-z0-9]{2})\*([A-Za-z0-9]{1,20})\*([0-9A-Fa-f]{4})\*([0-9A-Fa-f]{0,4})")
"""An index and the length, or the length and the beginning of the content? Known with the next byte."""
_BEGINS = re.compile(rb"\[([A-Za-z0-9]{0,2}(\*([A-Za-z0-9]{0,20}(\*([0-9A-Fa-f]{0,4})?)?)?)?)?")

ANSWERED = frozenset({"LK", "AL"})
STATUS_FIELD, BATTERY_FIELD = 15, 12
KINDS = ((16, "sos"), (21, "fall"), (22, "fall"), (20, "removed"), (18, "fence_out"), (19, "fence_in"),
         (17, "low_battery"), (0, "low_battery"))  # fmt: skip
"""Bits of the status word, the gravest first."""
NO_BIT = "al"
"""An alarm that does not say which."""
GRAVE = frozenset({"sos", "fall"})


class WatchError(Exception):
    """Too much came in a row that is no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    maker: str
    device: str
    index: str | None
    command: str
    fields: tuple[str, ...]
    raw: bytes


class Frames:
    """Bytes in, whole frames out, however they are cut. What is no frame is passed over."""

    def __init__(self) -> None:
        self._rest = b""
        self._letting_go = 0
        self._noise = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Raises WatchError when nothing but noise comes."""
        if self._letting_go:
            gone = min(self._letting_go, len(data))
            self._letting_go -= gone
            data = data[gone:]
        self._rest += data
        found = []
        while self._rest:
            frame, used = self._next()
            if frame is not None:
                found.append(frame)
                self._noise = 0
            if used == 0:
                break
        return found

    def _next(self) -> tuple[Frame | None, int]:
        """A frame, if one is whole, and how many bytes were used up; 0 to wait for more."""
        begin = self._rest.find(b"[")
        if begin:
            return None, self._pass_over(begin if begin > 0 else len(self._rest))
        header = _HEADER.match(self._rest)
        if header is None or (header.group(3) is None and _UNDECIDED.fullmatch(self._rest)):
            may_become = _BEGINS.fullmatch(self._rest) or _UNDECIDED.fullmatch(self._rest)
            return None, 0 if may_become else self._pass_over(1)
        length = int(header.group(4), 16)
        end = header.end() + length
        if length > LONGEST_CONTENT:
            self._letting_go = max(0, end + 1 - len(self._rest))
            return None, self._use(min(end + 1, len(self._rest)))
        if len(self._rest) <= end:
            return None, 0
        if self._rest[end : end + 1] != b"]":  # no length after all
            return None, self._pass_over(1)
        raw = self._rest[: end + 1]
        return _frame(header, raw), self._use(end + 1)

    def _use(self, count: int) -> int:
        self._rest = self._rest[count:]
        return count

    def _pass_over(self, count: int) -> int:
        self._noise += count
        if self._noise > MOST_NOISE:
            raise WatchError("no frame in what comes")
        return self._use(count)


def _frame(header: re.Match[bytes], raw: bytes) -> Frame:
    maker, device, index, _ = (part.decode("ascii") if part else None for part in header.groups())
    command, *fields = raw[header.end() : -1].decode("latin-1").split(",")
    return Frame(maker or "", device or "", index, command.strip().upper(), tuple(fields), raw)


def answer(frame: Frame) -> bytes | None:
    """What the watch waits for; None where it waits for nothing."""
    if frame.command not in ANSWERED:
        return None
    index = f"{frame.index}*" if frame.index is not None else ""
    return f"[{frame.maker}*{frame.device}*{index}{len(frame.command):04X}*{frame.command}]".encode("ascii")


def is_alarm(frame: Frame) -> bool:
    """`AL`, whatever it carries; and any other report in which the watch says that somebody pressed or fell."""
    return frame.command == "AL" or (frame.command.startswith("UD") and bool(GRAVE & set(_said(frame))))


def reading(frame: Frame, now: datetime) -> Report:
    """What the service is told: an alarm, or a sign of life."""
    if not is_alarm(frame):
        return report(frame.device, HEARTBEAT, HEARTBEAT, b"", battery=battery(frame))
    said = _said(frame)
    return report(
        frame.device,
        said[0] if said else NO_BIT,
        stamped(frame.raw, now),
        frame.raw,
        occurred_at=_time(frame),
        location=_place(frame),
        battery=battery(frame),
        note=f"手表报告：{'、'.join(said)}" if len(said) > 1 else None,
    )


def battery(frame: Frame) -> int | None:
    field = 2 if frame.command == "LK" else BATTERY_FIELD
    return percent(frame.fields[field]) if len(frame.fields) > field else None


def _said(frame: Frame) -> list[str]:
    """The kinds of alarm in the status word, the gravest first."""
    try:
        status = int(frame.fields[STATUS_FIELD], 16)
    except (IndexError, ValueError):
        return []
    return list(dict.fromkeys(kind for bit, kind in KINDS if status >> bit & 1))


def _place(frame: Frame) -> dict[str, Any] | None:
    """WGS-84; None without a fix, which is how most alarms come."""
    if len(frame.fields) < 7 or frame.fields[2] != "A":
        return None
    lat, north, lng, east = frame.fields[3:7]
    return place(f"-{lng}" if east == "W" else lng, f"-{lat}" if north == "S" else lat)


def _time(frame: Frame) -> str | None:
    """By the watch's own clock, in UTC; it decides nothing."""
    try:
        return datetime.strptime("".join(frame.fields[:2]), "%d%m%y%H%M%S").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return None
