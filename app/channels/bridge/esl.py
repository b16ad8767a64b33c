"""FreeSWITCH's event socket, inbound mode, as bytes: frames of header lines, an empty line, and a body. Pure.

A frame says its `Content-Type`, and `Content-Length` when it has a body: `auth/request`, `command/reply` (with
`Reply-Text`), `api/response`, `text/event-json`, `text/disconnect-notice`. Values are percent-encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from app.core.json import loads

MAX_HEAD, MAX_BODY = 64 * 1024, 4 * 1024 * 1024
EVENTS = "CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE RECORD_STOP BACKGROUND_JOB CUSTOM callcenter::info vm::maintenance"
"""What is asked for; everything else an exchange says of its channels is not needed."""


class EslError(Exception):
    """The other side does not speak the protocol, or refuses us."""


@dataclass(frozen=True, slots=True)
class Frame:
    head: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        return self.head.get("content-type", "")


class Frames:
    """Bytes in, whole frames out, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Raises EslError for what cannot become a frame any more."""
        self._rest += data
        found = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    def _next(self) -> Frame | None:
        rest = self._rest.lstrip(b"\n")
        end = rest.find(b"\n\n")
        if end < 0:
            if len(rest) > MAX_HEAD:
                raise EslError("a frame's head does not end")
            return None
        head = _head(rest[:end])
        length = head.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY):
            raise EslError("a frame's length makes no sense")
        begin, stop = end + 2, end + 2 + int(length)
        if len(rest) < stop:
            return None
        self._rest = rest[stop:]
        return Frame(head, rest[begin:stop])


def _head(lines: bytes) -> dict[str, str]:
    head = {}
    for line in lines.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if not colon:
            raise EslError("a head's line has no colon")
        head[name.strip().lower()] = unquote(value.strip())
    return head


def event_of(frame: Frame) -> dict[str, Any]:
    """The event in a frame. Raises EslError when there is none."""
    try:
        found = loads(text(frame.body))
    except ValueError:
        raise EslError("an event is no JSON") from None
    if not isinstance(found, dict):
        raise EslError("an event is no object")
    return found


def text(body: bytes) -> str:
    """Names shown by far exchanges may be in any encoding; what is no UTF-8 is replaced."""
    return body.decode("utf-8", "replace")


def auth(password: str) -> bytes:
    """Raises EslError for a password that would break the line."""
    if not password or any(mark in password for mark in "\r\n\0"):
        raise EslError("a password is one line")
    return f"auth {password}\n\n".encode()


SUBSCRIBE = f"event json {EVENTS}\n\n".encode()
SHOW_CHANNELS = b"api show channels as json\n\n"
