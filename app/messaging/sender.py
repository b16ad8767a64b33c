"""What a channel has to offer for messages to leave by it, and the sender that sends nothing."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID

from app.core import clock
from app.core.json import dumps


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. Printing it shows neither the address nor the words.

    `text` is the whole wording; `params` are the values in it, for gateways that keep the wording themselves.
    """

    id: UUID
    template_code: str
    channel: str
    language: str
    address: str = field(repr=False)
    text: str = field(repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)


class Refused(Exception):
    """The gateway will never take this message (a dead number, a forbidden word). `code` is ours, and short."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotSent(Exception):
    """Certainly not sent, and worth another try: no connection, or the gateway asked us to wait.

    `of_channel`: it says something about the whole channel, not about this message or recipient only.
    """

    def __init__(self, code: str, *, of_channel: bool = True) -> None:
        super().__init__(code)
        self.code, self.of_channel = code, of_channel


class Sender(Protocol):
    async def send(self, message: Message) -> str | None:
        """Hand one message to the gateway; returns its name for it, if it has one.

        Raises Refused or NotSent. Any other failure, a time-out above all, means that nobody knows.
        """
        ...


class RecordingSender:
    """Sends nothing. Remembers the last thousand ids, never an address or a word."""

    def __init__(self) -> None:
        self.sent: deque[UUID] = deque(maxlen=1000)

    async def send(self, message: Message) -> str | None:
        self.sent.append(message.id)
        return f"recorded-{message.id}"


class OutboxFile:
    """Writes messages to a file that only its owner reads, for a demo world whose people do not exist.

    Somebody trying the product finds one-time codes there. Never for people who do.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def send(self, message: Message) -> str | None:
        facts = {
            "at": clock.now(),
            "id": message.id,
            "template": message.template_code,
            "address": message.address,
            "text": message.text,
        }
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(dumps(facts) + "\n")
        return f"outbox-{message.id}"
