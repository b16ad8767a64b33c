"""The connections to the exchanges: sign in, ask which calls there are, then hand on what happens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from app.channels.bridge import ami, asterisk, esl, freeswitch
from app.channels.bridge.dialling import Dial, Outcome
from app.channels.bridge.told import OpenCall, Told
from app.core import clock

PIECE = 64 * 1024
ANSWER_S = 10.0
"""How long the exchange may take to sign us in and to say which calls there are."""


class ExchangeError(ConnectionError):
    """The exchange is not there, does not speak its protocol, or refuses us."""


@dataclass(frozen=True, slots=True)
class DialOut:
    """How operators are connected: `through` is the way out, and `settled` is told what became of each request."""

    through: str
    settled: Callable[[Outcome], None]


class Exchange(Protocol):
    """One connection. `open` before `events`; both raise ExchangeError when the exchange is gone."""

    async def open(self) -> list[OpenCall]: ...

    def events(self) -> AsyncIterator[list[Told]]: ...

    async def dial(self, dial: Dial) -> None: ...

    async def close(self) -> None: ...


def keep_alive(line: socket.socket) -> None:
    """A line whose other end has lost its power is noticed within half a minute, even when nobody calls."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


class _Line:
    """Bytes to and from one address."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        try:
            self._reader, self._writer = await asyncio.open_connection(*self._address)
            keep_alive(self._writer.get_extra_info("socket"))
        except OSError as away:
            raise ExchangeError(f"no exchange at {self._address[0]}:{self._address[1]}") from away

    async def read(self) -> bytes:
        """Raises ExchangeError at the end."""
        assert self._reader is not None  # noqa: S101 (connected before)
        try:
            data = await self._reader.read(PIECE)
        except OSError as away:
            raise ExchangeError("the connection broke") from away
        if not data:
            raise ExchangeError("the exchange hung up")
        return data

    async def write(self, data: bytes) -> None:
        assert self._writer is not None  # noqa: S101 (connected before)
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as away:
            raise ExchangeError("the connection broke") from away

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()


class FreeSwitch:
    """The event socket (mod_event_socket). `numbers` are ours: a call to one of them is a call, queue or no queue."""

    def __init__(
        self, host: str, port: int, password: str, numbers: frozenset[str], out: DialOut | None = None
    ) -> None:
        self._line, self._out = _Line(host, port), out
        self._password, self._numbers = password, numbers
        self._frames = esl.Frames()
        self._early: list[esl.Frame] = []

    async def open(self) -> list[OpenCall]:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._line.connect()
                await self._answer("auth/request")
                await self._line.write(esl.auth(self._password))
                await self._accepted()
                await self._line.write(esl.SUBSCRIBE)
                await self._accepted()
                await self._line.write(esl.SHOW_CHANNELS)
                shown = await self._answer("api/response")
                return freeswitch.open_calls(esl.text(shown.body), self._numbers)
        except (TimeoutError, esl.EslError, ValueError) as wrong:
            raise ExchangeError(str(wrong) or "no answer in time") from wrong

    async def events(self) -> AsyncIterator[list[Told]]:
        early, self._early = self._early, []
        while True:
            for frame in early:
                if frame.kind == "text/disconnect-notice":
                    raise ExchangeError("the exchange said good-bye")
                if frame.kind == "text/event-json" and (told := self._translated(frame)):
                    yield told
            early = await self._read()

    async def dial(self, dial: Dial) -> None:
        if self._out is not None:
            await self._line.write(freeswitch.originate(dial, self._out.through))

    async def close(self) -> None:
        await self._line.close()

    def _translated(self, frame: esl.Frame) -> list[Told]:
        try:
            said = esl.event_of(frame)
        except esl.EslError as wrong:
            raise ExchangeError(str(wrong)) from wrong
        if self._out is not None and (done := freeswitch.outcome(said)) is not None:
            self._out.settled(done)
        return freeswitch.translate(said, self._numbers)

    async def _read(self) -> list[esl.Frame]:
        try:
            return self._frames.feed(await self._line.read())
        except esl.EslError as wrong:
            raise ExchangeError(str(wrong)) from wrong

    async def _answer(self, kind: str) -> esl.Frame:
        """The next frame of this kind; events that come before it are kept for later."""
        while True:
            for place, frame in enumerate(self._early):
                if frame.kind == kind:
                    return self._early.pop(place)
                if frame.kind == "text/disconnect-notice":
                    raise ExchangeError("the exchange said good-bye")
            self._early += await self._read()

    async def _accepted(self) -> None:
        reply = (await self._answer("command/reply")).head.get("reply-text", "")
        if not reply.startswith("+OK"):
            raise ExchangeError(f"the exchange refused: {reply[:80]}")


class Asterisk:
    """The manager interface. The user needs to read `call` and `agent` (and `dialplan` for recordings), write nothing
    but `reporting`, and `originate` where operators dial. `trunks`: how the channels of calls from outside begin."""

    def __init__(
        self, host: str, port: int, user: str, secret: str, trunks: tuple[str, ...], out: DialOut | None = None
    ) -> None:
        self._line, self._out = _Line(host, port), out
        self._user, self._secret, self._trunks = user, secret, trunks
        self._messages = ami.Messages()
        self._calls = asterisk.Calls(trunks)
        self._early: list[ami.Message] = []

    async def open(self) -> list[OpenCall]:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._line.connect()
                await self._line.write(ami.action("Login", Username=self._user, Secret=self._secret, ActionID="login"))
                await self._accepted("login")
                await self._line.write(ami.action("CoreShowChannels", ActionID="open"))
                await self._accepted("open")
                listed = await self._listed("open")
        except (TimeoutError, ami.AmiError) as wrong:
            raise ExchangeError(str(wrong) or "no answer in time") from wrong
        now = clock.now()
        calls = asterisk.open_calls(listed, self._trunks, now)
        for call in calls:
            if call.waits_for_us:
                self._calls.know(call.call_id, now)
        return calls

    async def events(self) -> AsyncIterator[list[Told]]:
        early, self._early = self._early, []
        while True:
            for said in early:
                if self._out is not None and (done := asterisk.outcome(said)) is not None:
                    self._out.settled(done)
                if "Event" in said and (told := self._calls.add(said, clock.now())):
                    yield told
            early = await self._read()

    async def dial(self, dial: Dial) -> None:
        if self._out is not None:
            await self._line.write(ami.action("Originate", **asterisk.originate(dial, self._out.through)))

    async def close(self) -> None:
        await self._line.close()

    async def _read(self) -> list[ami.Message]:
        try:
            return self._messages.feed(await self._line.read())
        except ami.AmiError as wrong:
            raise ExchangeError(str(wrong)) from wrong

    async def _accepted(self, action_id: str) -> None:
        while True:
            for place, said in enumerate(self._early):
                if "Response" in said and said.get("ActionID", action_id) == action_id:
                    if said["Response"] != "Success":
                        raise ExchangeError(f"the exchange refused: {said.get('Message', '')[:80]}")
                    del self._early[place]
                    return
            self._early += await self._read()

    async def _listed(self, action_id: str) -> list[ami.Message]:
        while True:
            of_list = [said for said in self._early if said.get("ActionID") == action_id]
            if any(said.get("Event") == "CoreShowChannelsComplete" for said in of_list):
                self._early = [said for said in self._early if said.get("ActionID") != action_id]
                return [said for said in of_list if said.get("Event") == "CoreShowChannel"]
            self._early += await self._read()
