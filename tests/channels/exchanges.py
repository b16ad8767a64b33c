"""Exchanges that speak the wire protocols on loopback, play what they are given, and cut it wherever they are told."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

PASSWORD = "ClueCon-for-tests"
Said = dict[str, str]


@asynccontextmanager
async def listening(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[int]:
    """The port of a server that ends with the block, connections included."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Playing:
    """What an exchange says, connection by connection; each ends with the line going dead."""

    def __init__(self, parts: list[list[Said]], open_rows: list[list[Said]] | None = None, seed: int = 1) -> None:
        self.parts = parts
        self._open_rows = open_rows or []
        self._dice = random.Random(seed)
        self.connections = 0
        self.heard: list[str] = []
        self.obeys: Callable[[str], bytes] | None = None
        """Instead of playing: what it says to each command."""

    def open_rows(self) -> list[Said]:
        """What is open when this connection is made."""
        return self._open_rows[self.connections - 1] if self.connections <= len(self._open_rows) else []

    async def obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, end: bytes) -> None:
        assert self.obeys is not None
        while True:
            self.heard.append((await reader.readuntil(end)).decode().strip())
            writer.write(self.obeys(self.heard[-1]))
            await writer.drain()

    async def play(self, writer: asyncio.StreamWriter, written: Callable[[Said], bytes]) -> None:
        """Send this connection's part in pieces that have nothing to do with its messages."""
        if self.connections > len(self.parts):
            await asyncio.sleep(3600)
        data = b"".join(written(said) for said in self.parts[self.connections - 1])
        place = 0
        while place < len(data):
            stop = place + self._dice.choice((1, 7, 100, 1000, 20_000))
            writer.write(data[place:stop])
            await writer.drain()
            await asyncio.sleep(0)
            place = stop


def esl_frame(kind: str, body: bytes = b"", **more: str) -> bytes:
    lines = [f"Content-Type: {kind}", *(f"{name.replace('_', '-')}: {value}" for name, value in more.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\n".join(lines) + "\n\n").encode() + body


def freeswitch(playing: Playing) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    """An event socket: `auth`, `event json`, `api show channels as json`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing.connections += 1
        try:
            writer.write(esl_frame("auth/request"))
            while (line := (await reader.readuntil(b"\n\n")).decode().strip()) != "api show channels as json":
                playing.heard.append(line)
                if line.startswith("auth ") and line != f"auth {PASSWORD}":
                    writer.write(esl_frame("command/reply", Reply_Text="-ERR invalid"))
                    writer.write(esl_frame("text/disconnect-notice", b"Disconnected, goodbye.\n"))
                    await writer.drain()
                    return
                writer.write(esl_frame("command/reply", Reply_Text="%2BOK accepted"))
            rows = playing.open_rows()
            answer = {"row_count": len(rows), "rows": rows} if rows else {"row_count": 0}
            writer.write(esl_frame("api/response", json.dumps(answer).encode()))
            if playing.obeys is not None:
                await playing.obey(reader, writer, b"\n\n")
            await playing.play(writer, lambda said: esl_frame("text/event-json", json.dumps(said).encode()))
        finally:
            writer.close()

    return serve


def ami_message(said: Said) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in said.items()).encode() + b"\r\n"


def asterisk(playing: Playing) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    """A manager interface: `Login`, `CoreShowChannels`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing.connections += 1
        try:
            writer.write(b"Asterisk Call Manager/9.0.0\r\n")
            login = (await reader.readuntil(b"\r\n\r\n")).decode()
            playing.heard.append(login)
            if f"Secret: {PASSWORD}" not in login:
                writer.write(
                    ami_message({"Response": "Error", "ActionID": "login", "Message": "Authentication failed"})
                )
                await writer.drain()
                return
            writer.write(
                ami_message({"Response": "Success", "ActionID": "login", "Message": "Authentication accepted"})
            )
            writer.write(ami_message({"Event": "FullyBooted", "Status": "Fully Booted"}))
            await reader.readuntil(b"\r\n\r\n")
            rows = playing.open_rows()
            writer.write(ami_message({"Response": "Success", "ActionID": "open", "EventList": "start"}))
            for row in rows:
                writer.write(ami_message({"Event": "CoreShowChannel", "ActionID": "open", **row}))
            writer.write(
                ami_message({"Event": "CoreShowChannelsComplete", "ActionID": "open", "ListItems": str(len(rows))})
            )
            if playing.obeys is not None:
                await playing.obey(reader, writer, b"\r\n\r\n")
            await playing.play(writer, ami_message)
        finally:
            writer.close()

    return serve
