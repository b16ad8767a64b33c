"""The floor under the service: the same statements, driven by asyncpg alone.

`record` runs lifecycles one after the other through the application inside this process, on a copy of the database,
and writes down every statement the driver sends, with its arguments. `replay` sends the very same statements, on
fresh copies, from as many connections as the level had clients: no HTTP, no Python of ours, one transaction where
the service had one. What is left between the two figures is what the service itself costs.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson

from app import wiring
from app.main import create_app
from benchmarks import cpu, town
from benchmarks.client import bearer, signed
from benchmarks.town import Service, Town

Statement = tuple[str, tuple[Any, ...]]


@dataclass
class Recording:
    """Statements by lifecycle, in order; the first few are warm-up and left out."""

    lifecycles: list[list[Statement]] = field(default_factory=list)
    server_ms: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def statements_each(self) -> float:
        return sum(map(len, self.lifecycles)) / max(1, len(self.lifecycles))


class Recorder:
    """Hears every statement of the application's pool."""

    def __init__(self) -> None:
        self.current: list[Statement] = []
        self.recording = Recording()

    def hear(self, query: Any) -> None:
        self.current.append((query.query, tuple(query.args or ())))
        name = " ".join(query.query.split())[:100]
        self.recording.server_ms[name] += query.elapsed * 1000
        self.recording.calls[name] += 1


async def record(service: Service, name: str, found: Town, count: int) -> Recording:
    """Record `count` lifecycles on a copy of database `name`."""
    copy = f"{name}_recorded"
    service.server.drop_database(copy)
    service.server.create_database(copy, template=name)
    database = service.database(copy, wiring.bus())
    recorder = Recorder()
    _listen(database, recorder)
    app = create_app(service.settings(copy), database)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with (
        wiring.background(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://bench", headers={"content-type": "application/json"}
        ) as client,
    ):
        for number in range(count + 20):
            recorder.current = []
            await _lifecycle(client, found)
            await asyncio.sleep(0)  # the driver tells of a statement a turn of the loop later
            if number == 19:
                recorder.recording = Recording()
            elif number > 19:
                recorder.recording.lifecycles.append(recorder.current)
    await database.close()
    service.server.drop_database(copy)
    return recorder.recording


def _listen(database: Any, recorder: Recorder) -> None:
    from sqlalchemy import event

    @event.listens_for(database.engine.sync_engine, "connect")
    def connected(adapted: Any, _record: Any) -> None:
        adapted.driver_connection.add_query_logger(recorder.hear)


async def _lifecycle(client: httpx.AsyncClient, found: Town) -> None:
    """The same seven steps as the loop, without the reader of the feed."""
    from benchmarks.lifecycle import event_body, order_body

    elder, body = order_body(found)
    order = _ok(await client.post("/v1/orders", headers=bearer(found.staff), content=body))
    pair = found.keys[UUID(order["provider"]["id"])]
    path, query = "/v1/provider/feed", f"cursor={town.LAST_CURSOR.get(pair[0], '')}&limit=200"
    while True:
        page = await client.get(f"{path}?{query}", headers=signed(*pair, "GET", path, query))
        offers = [e["offer"] for e in _ok(page)["events"] if e["type"] == "offer.made" and e["order_id"] == order["id"]]
        town.LAST_CURSOR[pair[0]] = page.json()["next_cursor"]
        query = f"cursor={town.LAST_CURSOR[pair[0]]}&limit=200"
        if offers:
            break
    caregiver = offers[0]["caregiver_id"]
    steps = [(f"/v1/provider/offers/{offers[0]['id']}/acceptance", {"caregiver_id": caregiver})]
    steps += [("/v1/provider/events", {"events": [event_body(kind, order, caregiver, elder)]})
              for kind in ("checked_in", "checked_out")]  # fmt: skip
    for path, content in steps:
        raw = orjson.dumps(content)
        _ok(await client.post(path, headers=signed(*pair, "POST", path, "", raw), content=raw))
    link = _ok(await client.post(f"/v1/orders/{order['id']}/family-links", headers=bearer(found.staff)))
    raw = orjson.dumps({"score": 5, "tags": []})
    key = {"idempotency-key": secrets.token_hex(16)}
    _ok(await client.post(f"/v1/family/orders/{link['token']}/rating", headers=key, content=raw))


def _ok(answer: httpx.Response) -> Any:
    if answer.status_code >= 300:
        raise RuntimeError(f"{answer.request.url.path}: {answer.status_code} {answer.text}")
    return answer.json()


@dataclass
class Floor:
    """What the bare statements come to: lifecycles a second, and CPU milliseconds a lifecycle."""

    rate: float
    server_ms: float
    client_ms: float


async def replay(service: Service, name: str, recording: Recording, clients: int) -> Floor:
    """Send the recorded statements again on a fresh copy of `name`, from `clients` connections."""
    copy = f"{name}_replayed"
    service.server.drop_database(copy)
    service.server.create_database(copy, template=name)
    same = {"plan_cache_mode": "force_generic_plan", "jit": "off"}  # as the service asks for
    pool = [await asyncpg.connect(service.server.dsn(copy), server_settings=same) for _ in range(clients)]
    queue = list(reversed(recording.lifecycles))

    async def one(connection: asyncpg.Connection) -> None:
        while queue:
            for sql, args in queue.pop():
                await (connection.fetch(sql, *args) if args else connection.execute(sql))

    server, own, began = cpu.of_tree(service.server_pid), time.process_time(), time.perf_counter()
    await asyncio.gather(*map(one, pool))
    wall, count = time.perf_counter() - began, len(recording.lifecycles)
    spent = time.process_time() - own
    server = cpu.of_tree(service.server_pid) - server
    for connection in pool:
        await connection.close()
    service.server.drop_database(copy)
    return Floor(count / wall, server * 1000 / count, spent * 1000 / count)
