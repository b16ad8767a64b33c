"""Where watches call in. Each `LK` is answered at once: it only says that we are here, and a watch that hears nothing
restarts itself. `AL` is answered when the service has it; until then the watch goes on repeating it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from app.channels.gateway import watch
from app.channels.gateway.handing import Handing
from app.channels.gateway.watch import Frame, Frames, WatchError
from app.channels.report import Report
from app.core import clock, log

SILENT_S = 1200.0
"""A watch says `LK` every five to eight minutes; a connection this silent is dead."""
CONNECTIONS = 20_000
PENDING = 8
"""Alarms of one connection that are being handed on. A watch repeats what is not answered, so more can wait."""
READ = 4096


class Listener:
    """A TCP port for watches; `close` ends every connection. What is being handed on is given up: it was not
    answered, so the watch sends it again."""

    def __init__(self, handing: Handing, *, connections: int = CONNECTIONS) -> None:
        self._handing = handing
        self._room = connections
        self._open: set[asyncio.Task[None]] = set()
        self._pending: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listens from now on; the port. Raises OSError."""
        self._server = await asyncio.start_server(self._admit, host, port, limit=READ)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for one in (*self._open, *self._pending):
            one.cancel()
        await asyncio.gather(*self._open, *self._pending, return_exceptions=True)

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._open) >= self._room:
            log.get("gateway").warning("too_many_watches", connections=len(self._open))
            writer.close()
            return
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        pending: set[asyncio.Task[None]] = set()
        try:
            while data := await asyncio.wait_for(reader.read(READ), SILENT_S):
                for frame in frames.feed(data):
                    self._take(frame, writer, pending)
                await writer.drain()
        except WatchError:
            log.get("gateway").warning("watch_unreadable")
        except (OSError, TimeoutError):
            pass  # gone, and it will call again
        # The line may be gone while the alarm is on its way; it goes on all the same, until we are stopped.
        await asyncio.gather(*pending, return_exceptions=True)

    def _take(self, frame: Frame, writer: asyncio.StreamWriter, pending: set[asyncio.Task[None]]) -> None:
        told = watch.reading(frame, clock.now())
        if not watch.is_alarm(frame):
            self._handing.alive(told)
            _answer(frame, writer)
        elif len(pending) < PENDING:
            task = asyncio.create_task(self._alarm(frame, told, writer))
            for waiting in (pending, self._pending):
                waiting.add(task)
                task.add_done_callback(waiting.discard)

    async def _alarm(self, frame: Frame, told: Report, writer: asyncio.StreamWriter) -> None:
        await self._handing.alarm(told)
        _answer(frame, writer)


def _answer(frame: Frame, writer: asyncio.StreamWriter) -> None:
    said = watch.answer(frame)
    if said is not None and not writer.is_closing():
        with suppress(OSError):
            writer.write(said)
