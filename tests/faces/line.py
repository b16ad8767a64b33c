"""The line between a browser and a service that comes and goes: it can be down, and it can break in mid-answer."""

from __future__ import annotations

import asyncio
import random
import struct
import zlib
from collections.abc import Iterator


class Line:
    """A relay on one port of its own. `port` is where the service is now; None while the line is down.

    `breaks` are paths of POST requests whose next answer never arrives: the service has done what was asked, and then
    the connection is reset. `posts` counts.
    """

    def __init__(self) -> None:
        self.port: int | None = None
        self.posts = 0
        self.breaks: list[str] = []
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.down()
        self._server.close()

    def down(self) -> None:
        """From now on nothing gets through, and what is under way is reset."""
        self.port = None
        for writer in list(self._open):
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.port is None:
            writer.transport.abort()
            return
        try:
            above, below = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        both, asked = {writer, below}, Asked()
        self._open |= both
        await asyncio.gather(
            self._up(reader, below, asked), self._down(above, writer, asked, both), return_exceptions=True
        )
        self._open -= both
        for one in both:
            one.close()

    async def _up(self, reader: asyncio.StreamReader, below: asyncio.StreamWriter, asked: Asked) -> None:
        while chunk := await reader.read(65536):
            if chunk.startswith(b"POST "):
                self.posts += 1
                path = chunk.split(b" ", 2)[1].decode()
                if path in self.breaks:
                    self.breaks.remove(path)
                    asked.in_vain = True
            below.write(chunk)
            await below.drain()
        below.write_eof()

    async def _down(
        self, above: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Asked, both: set[asyncio.StreamWriter]
    ) -> None:
        while chunk := await above.read(65536):
            if asked.in_vain:
                for one in both:
                    one.transport.abort()
                return
            writer.write(chunk)
            await writer.drain()
        writer.close()


class Asked:
    """What is known of one connection: whether its next answer is to be lost."""

    in_vain = False


def png(width: int, height: int) -> bytes:
    """A picture with enough in it to be worth compressing."""
    pattern = random.Random(5).randbytes(61) * (width // 10)

    def rows() -> Iterator[bytes]:
        for y in range(height):
            start = (y // 8) * 3 % 61
            yield b"\0" + pattern[start : start + width * 3]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    taken = chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0SECRETPLACE")
    return (
        b"\x89PNG\r\n\x1a\n" + head + taken + chunk(b"IDAT", zlib.compress(b"".join(rows()), 1)) + chunk(b"IEND", b"")
    )
