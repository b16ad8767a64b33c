"""Somebody who opens the stream and never reads: nobody else waits, and he is let go."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from app.channels import desk, stream
from app.core.db import Database
from app.jobs import feed
from tests.faces.conftest import Served
from tests.intake.doors import small_app
from tests.world.accounts import staff_token

PACKED = "x" * 20_000
EVENTS = 300


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "INTERVAL_S", 0.02)
    monkeypatch.setattr(stream, "STALLED_S", 1.0)


async def test_who_never_reads_slows_nobody_and_is_let_go(clean_database: Database) -> None:
    clean_database.cache.clear()
    token, app = await staff_token(clean_database), small_app(clean_database)
    ask = f"GET /v1/desk/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n".encode()
    async with Served(app) as served:
        port = int(served.url.rsplit(":", 1)[1])
        silent = await _asks(port, ask)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        writer.write(ask)
        await reader.readuntil(b"event: ready")
        loop, worst = asyncio.get_running_loop(), 0.0
        for number in range(EVENTS):
            began = loop.time()
            await _tell(clean_database, number=number, packed=PACKED)
            await asyncio.wait_for(reader.readuntil(f'"number":{number},'.encode()), 5)
            worst = max(worst, loop.time() - began)
        assert worst < 3
        async with asyncio.timeout(10):
            while app.state.desk_feed.listeners != 1:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        kept = await asyncio.to_thread(_drain, silent)
        assert 0 < kept < EVENTS * len(PACKED) / 2
        writer.close()


async def test_a_session_holds_so_many_and_a_closed_one_makes_room(clean_database: Database) -> None:
    clean_database.cache.clear()
    app = small_app(clean_database)
    mine, others = await staff_token(clean_database), await staff_token(clean_database)
    async with Served(app) as served:
        port = int(served.url.rsplit(":", 1)[1])
        lines = [await _opens(port, mine) for _ in range(stream.MOST_OF_A_SESSION)]
        assert {head.split()[1] for head, _ in lines} == {b"200"}
        refused, line = await _opens(port, mine)
        line.close()
        assert refused.split()[1] == b"429"
        assert b"retry-after: " in refused.lower()
        lines.append(await _opens(port, others))
        assert lines[-1][0].split()[1] == b"200", "another's is another's"
        lines[0][1].close()
        async with asyncio.timeout(5):
            while app.state.desk_feed.listeners > stream.MOST_OF_A_SESSION:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        lines.append(await _opens(port, mine))
        assert lines[-1][0].split()[1] == b"200"
        for _, writer in lines:
            writer.close()
            await writer.wait_closed()


async def _opens(port: int, token: str) -> tuple[bytes, asyncio.StreamWriter]:
    """The head of the answer, and the line it came by."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/desk/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if head.split()[1] == b"200":
        await reader.readuntil(b"event: ready")
    return head, writer


async def _asks(port: int, ask: bytes) -> socket.socket:
    """Somebody who asks and then does not read; with a small pocket."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.to_thread(one.connect, ("127.0.0.1", port))
    one.sendall(ask)
    return one


def _drain(one: socket.socket) -> int:
    one.settimeout(3)
    total = 0
    try:
        while some := one.recv(1 << 16):
            total += len(some)
    except OSError:
        pass
    one.close()
    return total


async def _tell(database: Database, **facts: Any) -> None:
    async with database.transaction() as tx:
        await feed.append(tx, "desk", "news", facts=facts)
