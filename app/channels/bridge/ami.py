"""Asterisk's manager interface as bytes: a banner, then messages of `Name: value` lines and an empty line. Pure."""

from __future__ import annotations

MAX_MESSAGE = 64 * 1024
BANNER = b"Asterisk Call Manager/"

Message = dict[str, str]


class AmiError(Exception):
    """The other side does not speak the protocol, or refuses us."""


class Messages:
    """Bytes in, whole messages out, however they are cut. The first line has to be the banner."""

    def __init__(self) -> None:
        self._rest = b""
        self._greeted = False

    def feed(self, data: bytes) -> list[Message]:
        """Raises AmiError for what cannot become a message any more."""
        self._rest += data
        if not self._greeted and not self._greet():
            return []
        *whole, self._rest = self._rest.split(b"\r\n\r\n")
        if len(self._rest) > MAX_MESSAGE:
            raise AmiError("a message does not end")
        return [_message(one) for one in whole if one.strip()]

    def _greet(self) -> bool:
        line, end, rest = self._rest.partition(b"\r\n")
        if not (line.startswith(BANNER) or BANNER.startswith(line)):
            raise AmiError("no manager interface")
        if end:
            self._rest, self._greeted = rest, True
        return bool(end)


def _message(lines: bytes) -> Message:
    """The first of a repeated name counts; a line that is none, such as a command's output, is left out."""
    message: Message = {}
    for line in lines.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            message.setdefault(name.strip(), value.strip())
    return message


def action(name: str, **fields: str) -> bytes:
    """Raises AmiError for a value that would break its line."""
    lines = [("Action", name), *fields.items()]
    if any(mark in value for _, value in lines for mark in "\r\n\0"):
        raise AmiError("a value is one line")
    return "".join(f"{field}: {value}\r\n" for field, value in lines).encode() + b"\r\n"
