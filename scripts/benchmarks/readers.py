"""Hundreds of open consoles and thousands of families' pages: how late each hears of a change, with one among them who
never reads.

Every console hears of every change, every family of its own order and then asks for its page again, as the page does.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from app import wiring
from app.accounts import links, tokens
from app.accounts.passwords import hash_now
from app.accounts.queries_staff import open_session
from app.accounts.service import create_staff
from app.core import clock
from app.core.db import Database
from app.orders.board import FIELDS
from benchmarks import cpu
from benchmarks.board_town import Changer, fill, p95, spread
from benchmarks.client import Connection
from benchmarks.town import Service, build

LATE_S = 1.0
VERSION = FIELDS.index("version")
AT_ONCE = 40
KEPT_BYTES = 4_000_000
"""What the server's machine may hold for somebody who does not read: the buffers of one connection."""


@dataclass
class Heard:
    """Delays of one kind of reader."""

    delays: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    open: int = 0
    ended: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--consoles", type=int, default=200)
    parser.add_argument("--families", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=20.0, help="changes a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--late-ms", type=float, default=1000 * LATE_S, help="p95 of either kind")


async def run(options: argparse.Namespace) -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 16_384), most))
    home = Path(tempfile.mkdtemp(prefix="nuanxian-bench-"))
    service = Service(home, 1)
    try:
        await service.create("readers")
        database = service.database("readers", wiring.bus())
        await build(database)
        ids = await fill(database, max(5000, options.families))
        family = await _links(database, ids[: options.families])
        staff = await _sessions(database, options.consoles + 1)
        await service.start("readers")
        changer = Changer(database, ids[: options.families] or ids, options.rate, random.Random(1))
        kept = await _measured(service, staff, family, changer, options)
        await database.close()
        return 0 if kept else 1
    finally:
        service.stop()
        shutil.rmtree(home, ignore_errors=True)


async def _links(database: Database, ids: list[UUID]) -> dict[UUID, str]:
    async with database.transaction() as tx:
        return {one: await links.issue(tx, "family_order", one, timedelta(days=1)) for one in ids}


async def _sessions(database: Database, count: int) -> list[str]:
    """Of operators who have signed in, each at a desk of their own."""
    made, now = [tokens.new_token(tokens.STAFF) for _ in range(count)], clock.now()
    async with database.transaction() as tx:
        staff = await create_staff(
            tx, "bench-readers", "坐席", hash_now("not used"), ("operator",), ("620300",), with_otp=False
        )
        for token in made:
            await open_session(tx, tokens.hash_of(token), staff.id, now, now + timedelta(hours=12))
    return made


async def _measured(
    service: Service, staff: list[str], family: dict[UUID, str], changer: Changer, options: argparse.Namespace
) -> bool:
    consoles, families = Heard(), Heard()
    gate = asyncio.Semaphore(AT_ONCE)
    began = time.perf_counter()
    tasks = [asyncio.create_task(_console(service, one, changer, consoles, gate)) for one in staff[1:]]
    tasks += [
        asyncio.create_task(_family(service, str(order_id), token, changer, families, gate))
        for order_id, token in family.items()
    ]
    while consoles.open + families.open < len(tasks):  # noqa: ASYNC110 (thousands tell it, each by a count)
        await asyncio.sleep(0.1)
    silent = await _never_reads(service, staff[0])
    print(f"{len(tasks)} streams open after {time.perf_counter() - began:.1f} s", flush=True)
    await changer.run(3)  # warm
    consoles.delays.clear(), families.delays.clear(), families.pages.clear()
    rss, busy = _rss_mb(service.web_pid), cpu.of_tree(service.web_pid)
    await changer.run(options.seconds)
    share = (cpu.of_tree(service.web_pid) - busy) / options.seconds
    await asyncio.sleep(3)
    left = await _drained(silent)
    print(f"consoles: {spread(consoles.delays)}, {consoles.ended} ended")
    print(f"families: {spread(families.delays)}, {families.ended} ended; page again: {spread(families.pages)}")
    print(f"web process: CPU {share:.2f}, {rss:.0f} MB before, {_rss_mb(service.web_pid):.0f} MB after")
    print(f"who never read was kept {left / 1e3:.0f} kB")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    late = max(p95(one.delays) for one, many in ((consoles, options.consoles), (families, options.families)) if many)
    kept = late <= options.late_ms / 1000 and left < KEPT_BYTES and not consoles.ended + families.ended
    print("kept" if kept else "NOT KEPT")
    return kept


async def _console(service: Service, token: str, changer: Changer, heard: Heard, gate: asyncio.Semaphore) -> None:
    target, headers = "/v1/desk/stream", {"authorization": f"Bearer {token}"}
    async for event, data, _ in _events(service, target, headers, heard, gate):
        if event == b"order.changed":
            told: dict[str, Any] = orjson.loads(data)
            at = changer.committed.get((told["order_id"], told["line"][VERSION]))
            if at is not None:
                heard.delays.append(time.time() - at)


async def _family(
    service: Service, order_id: str, token: str, changer: Changer, heard: Heard, gate: asyncio.Semaphore
) -> None:
    connection = Connection("127.0.0.1", service.port)
    async for event, _, position in _events(service, f"/f/{token}/stream?after=1", {}, heard, gate):
        if event == b"changed":
            at = changer.committed.get((order_id, int(position)))
            if at is not None:
                heard.delays.append(time.time() - at)
            asked = time.perf_counter()
            await connection.request("GET", f"/f/{token}", {"accept": "text/html"})
            heard.pages.append(time.perf_counter() - asked)
            connection.close()


async def _events(service: Service, target: str, headers: dict[str, str], heard: Heard, gate: asyncio.Semaphore) -> Any:
    """(event, data, id) of a stream, for as long as it lasts."""
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1 << 22)
        writer.write(_request(service, target, headers))
        while b" 503 " in (head := await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]:
            writer.close()  # asked to give way while the others come in; browsers come again, too
            await asyncio.sleep(1)
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1 << 22)
            writer.write(_request(service, target, headers))
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode(errors="replace"))
    heard.open += 1
    try:
        event, data, position = b"", b"", b"0"
        while line := await reader.readline():
            name, _, value = line.rstrip(b"\r\n").partition(b": ")
            if name == b"event":
                event = value
            elif name == b"data":
                data = value
            elif name == b"id":
                position = value
            elif not name and event:
                yield event, data, position
                event = b""
        heard.ended += 1
    finally:
        writer.close()


def _request(service: Service, target: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {target} HTTP/1.1", f"host: 127.0.0.1:{service.port}", *(f"{n}: {v}" for n, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _never_reads(service: Service, token: str) -> socket.socket:
    """A console whose owner has gone to sleep with the line open."""
    one = socket.create_connection(("127.0.0.1", service.port))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.sendall(_request(service, "/v1/desk/stream", {"authorization": f"Bearer {token}"}))
    return one


async def _drained(one: socket.socket) -> int:
    """How much had been kept for him, once he reads after all; with an end, or without."""

    def read() -> int:
        one.settimeout(1)
        total = 0
        try:
            while some := one.recv(1 << 16):
                total += len(some)
        except OSError:
            pass
        one.close()
        return total

    return await asyncio.to_thread(read)


def _rss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024
