"""Lines that break at a chosen byte: between a caller and the service, and between the service and its database."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

from app.serving import cluster

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
"""How the driver asks for it, as one message."""
CRASH = "terminating connection because of crash of another server process"
PATIENCE_S = 60.0

Cut = Literal["before", "after"]


class LostAnswer:
    """Carries one request to the service and keeps the answer: the caller sees the line break."""

    def __init__(self, port: int, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self.answer: bytes | None = None
        """Body of the answer that nobody got."""
        self.url = ""
        self._port, self._meanwhile = port, meanwhile

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            before.write(b"".join(await _message(reader)))
            _, self.answer = await asyncio.wait_for(_message(behind), PATIENCE_S)
            await self._meanwhile()
        finally:
            before.transport.abort()
            writer.transport.abort()


@asynccontextmanager
async def lost_answer(port: int, meanwhile: Callable[[], Awaitable[object]]) -> AsyncIterator[LostAnswer]:
    """A line to the service on `port`. `meanwhile` is done once the answer has left the service."""
    line = LostAnswer(port, meanwhile)
    async with await asyncio.start_server(line.carry, "127.0.0.1", 0) as server:
        line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield line


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one HTTP message that says how long it is."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head, await reader.readexactly(int(length))


class BrittleLine:
    """Between the driver and the server. Breaks at the next COMMIT when `cut` is set."""

    def __init__(self, dsn: str, directory: Path) -> None:
        self._upstream, self._directory = make_url(dsn), directory
        self._open: set[asyncio.StreamWriter] = set()
        self.cut: Cut | None = None
        self.cuts = 0
        self.slow_s = 0.0
        """How long the server's answers are on their way."""
        self._dark = False

    @property
    def dsn(self) -> str:
        """The same database through this line."""
        query = {"host": str(self._directory), "port": str(cluster.PORT)}
        return self._upstream.set(host=None, port=None, query=query).render_as_string(hide_password=False)

    def last_word(self) -> None:
        """What a dying server says to everybody; it hangs up later, or never."""
        fields = b"".join(code + word.encode() + b"\0" for code, word in ((b"S", "FATAL"), (b"V", "FATAL"),
                                                                        (b"C", "57P02"), (b"M", CRASH)))  # fmt: skip
        for writer in self._open:
            writer.write(b"E" + (len(fields) + 5).to_bytes(4) + fields + b"\0")

    def hang_up(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def go_dark(self, seconds: float) -> None:
        """Nobody gets through, and whoever was connected is cut off."""
        self._dark = True
        self.hang_up()
        await asyncio.sleep(seconds)
        self._dark = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._dark:
            writer.transport.abort()
            return
        behind, before = await self._connect()
        self._open.add(writer)
        answers = asyncio.create_task(self._pump(behind, writer))
        try:
            while data := await reader.read(1 << 16):
                if self.cut is not None and data.endswith(COMMIT):
                    await self._break(self.cut, data, answers, behind, before)
                    return
                before.write(data)
        except ConnectionError:
            return
        finally:
            answers.cancel()
            self._open.discard(writer)
            before.transport.abort()
            writer.transport.abort()

    async def _break(
        self,
        cut: Cut,
        data: bytes,
        answers: asyncio.Task[None],
        behind: asyncio.StreamReader,
        before: asyncio.StreamWriter,
    ) -> None:
        self.cut, self.cuts = None, self.cuts + 1
        if cut == "before":
            return
        answers.cancel()
        with suppress(asyncio.CancelledError):
            await answers
        before.write(data)
        done = await asyncio.wait_for(behind.read(1 << 16), PATIENCE_S)
        assert done.startswith(b"C\x00\x00\x00\x0bCOMMIT\x00"), done

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        url = self._upstream
        host, port = url.query.get("host", url.host), url.query.get("port", url.port or cluster.PORT)
        assert isinstance(host, str)
        assert isinstance(port, str | int)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(port))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                await asyncio.sleep(self.slow_s)
                writer.write(data)
        writer.transport.abort()


@asynccontextmanager
async def brittle_line(dsn: str) -> AsyncIterator[BrittleLine]:
    """A line to the database at `dsn`, on a socket of its own."""
    directory = Path(tempfile.mkdtemp(prefix="nuanxian-line-"))
    try:
        line = BrittleLine(dsn, directory)
        async with await asyncio.start_unix_server(line.carry, directory / f".s.PGSQL.{cluster.PORT}") as server:
            yield line
            line.hang_up()
            server.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
