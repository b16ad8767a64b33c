"""`scripts/bench lifecycle`: a closed loop over HTTP, and the floor under it.

One lifecycle = place → match and offer → accept with a caregiver → check in → check out → rate → in the statement.
The desk places, providers learn of offers from their feeds (one reader each), accept, and report from the door; the
family rates by its signed link; the clerk runs the settlement over everything at the end of a level.

The floor: the statements of real lifecycles, recorded at the driver, replayed by asyncpg alone on a copy of the
same database, with the same number of clients.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson

from app.core import clock
from benchmarks import cpu, floor, past, town
from benchmarks.client import Connection, bearer, signed
from benchmarks.town import Elder, Service, Town

STEPS = ("place", "offer", "accept", "check_in", "check_out", "link", "rate")
PLACE = {"crs": "wgs84", "accuracy_m": 10}


@dataclass
class Level:
    """What one level of clients came to. Times in milliseconds by step."""

    clients: int
    done: int = 0
    wall_s: float = 0.0
    settle_s: float = 0.0
    settled: int = 0
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_s: dict[str, float] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def rate(self) -> float:
        """Lifecycles per second, the statement included.

        A run settles the whole month again: of its time, the lines of earlier levels are not this level's.
        """
        own = min(1.0, self.done / max(self.settled, 1))
        return self.done / (self.wall_s + self.settle_s * own) if self.done else 0.0


class Loop:
    """The people of one level, as coroutines of one process."""

    def __init__(self, service: Service, found: Town, clients: int) -> None:
        self._service, self._town = service, found
        self._offers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._early: dict[str, dict[str, Any]] = {}
        self.level = Level(clients)
        self._stop = False

    async def run(self, seconds: float) -> Level:
        readers = [asyncio.create_task(self._read_feed(provider)) for provider in self._town.keys]
        await asyncio.sleep(0.5)
        before, began = self._cpu(), time.perf_counter()
        await asyncio.gather(*(self._client(began + seconds) for _ in range(self.level.clients)))
        self.level.wall_s = time.perf_counter() - began
        self._stop = True
        await self._settle()
        after = self._cpu()
        self.level.cpu_s = {role: after[role] - before[role] for role in after}
        await asyncio.gather(*readers)
        return self.level

    def _cpu(self) -> dict[str, float]:
        return {
            "web": cpu.of_tree(self._service.web_pid),
            "worker": cpu.of_tree(self._service.worker_pid),
            "server": cpu.of_tree(self._service.server_pid),
            "client": time.process_time(),
        }

    async def _read_feed(self, provider: UUID) -> None:
        """One provider's system: follows its feed from now on and hands offers to whoever waits for them."""
        key, secret = self._town.keys[provider]
        connection, cursor = Connection("127.0.0.1", self._service.port), town.LAST_CURSOR.get(provider, "")
        while not self._stop:
            query = f"cursor={cursor}&limit=200&wait=1" if cursor else "limit=200&wait=1"
            query = "&".join(sorted(query.split("&")))
            headers = signed(key, secret, "GET", "/v1/provider/feed", query)
            status, page = await connection.request("GET", f"/v1/provider/feed?{query}", headers)
            if status != 200:
                continue
            cursor = town.LAST_CURSOR[provider] = page["next_cursor"]
            for event in page["events"]:
                if event["type"] == "offer.made":
                    self._hear(event)
        connection.close()

    def _hear(self, event: dict[str, Any]) -> None:
        waiting = self._offers.pop(event["order_id"], None)
        if waiting is None:
            self._early[event["order_id"]] = event["offer"]
        elif not waiting.done():
            waiting.set_result(event["offer"])

    async def _client(self, until: float) -> None:
        connection = Connection("127.0.0.1", self._service.port)
        while time.perf_counter() < until:
            try:
                await self._one(connection)
                self.level.done += 1
            except Refused as refused:
                self.level.failures[str(refused)] += 1
            except TimeoutError:
                self.level.failures["no offer within 10 s"] += 1
        connection.close()

    async def _one(self, connection: Connection) -> None:
        timed, begun = self.level.steps, time.perf_counter()

        def lap(step: str) -> None:
            nonlocal begun
            now = time.perf_counter()
            timed[step].append((now - begun) * 1000)
            begun = now

        elder, body = order_body(self._town)
        answer = await connection.request("POST", "/v1/orders", bearer(self._town.staff), body)
        order = await self._expect(answer, 201, "place")
        if order["status"] != "dispatched":
            raise Refused("nobody found")
        lap("place")
        offer = await self._offer_of(order["id"])
        lap("offer")
        pair = self._town.keys[UUID(order["provider"]["id"])]
        await self._call(
            connection, pair, f"/v1/provider/offers/{offer['id']}/acceptance", {"caregiver_id": offer["caregiver_id"]}
        )
        lap("accept")
        for kind in ("checked_in", "checked_out"):
            event = event_body(kind, order, offer["caregiver_id"], elder)
            answer = await self._call(connection, pair, "/v1/provider/events", {"events": [event]})
            if answer["results"][0]["result"] != "applied":
                raise Refused(f"{kind}: {answer['results'][0]}")
            lap("check_in" if kind == "checked_in" else "check_out")
        path = f"/v1/orders/{order['id']}/family-links"
        link = await self._expect(await connection.request("POST", path, bearer(self._town.staff)), 201, "link")
        lap("link")
        body = orjson.dumps({"score": random.choice((4, 5, 5)), "tags": []})
        path = f"/v1/family/orders/{link['token']}/rating"
        await self._expect(
            await connection.request("POST", path, {"idempotency-key": link["token"]}, body), 201, "rate"
        )
        lap("rate")

    async def _offer_of(self, order_id: str) -> dict[str, Any]:
        early = self._early.pop(order_id, None)
        if early is not None:
            return early
        waiting = self._offers[order_id] = asyncio.get_running_loop().create_future()
        return await asyncio.wait_for(waiting, 10)

    async def _call(self, connection: Connection, pair: tuple[str, str], path: str, body: Any) -> Any:
        raw = orjson.dumps(body)
        answer = await connection.request("POST", path, signed(*pair, "POST", path, "", raw), raw)
        return await self._expect(answer, 200, path.rsplit("/", 1)[-1])

    async def _expect(self, answer: tuple[int, Any], status: int, what: str) -> Any:
        if answer[0] != status:
            raise Refused(f"{what}: {answer[0]} {(answer[1] or {}).get('code')}")
        return answer[1]

    async def _settle(self) -> None:
        began = time.perf_counter()
        connection = Connection("127.0.0.1", self._service.port)
        body = orjson.dumps({"period": clock.today().strftime("%Y-%m")})
        answer = await connection.request("POST", "/v1/settlement-runs", bearer(self._town.clerk), body)
        run = await self._expect(answer, 200, "settle")
        self.level.settle_s = time.perf_counter() - began
        self.level.settled = sum(s["lines"] for s in run["statements"])
        connection.close()


def order_body(found: Town) -> tuple[Elder, bytes]:
    """Somebody wants a meal within three hours, some time in the next 240 days."""
    elder = random.choice(found.elders)
    begin = clock.now() + timedelta(days=1, minutes=15 * random.randrange(4 * 24 * 240))
    wanted = {"from": begin.isoformat(), "to": (begin + timedelta(hours=3)).isoformat()}
    body = {"elder_id": str(elder.id), "item_code": town.ITEM, "urgency": "appointment", "wanted": wanted}
    return elder, orjson.dumps(body)


def event_body(kind: str, order: dict[str, Any], caregiver_id: str, elder: Elder) -> dict[str, Any]:
    return {
        "event_id": str(uuid4()), "type": kind, "order_id": order["id"], "caregiver_id": caregiver_id,
        "occurred_at": clock.now().isoformat(), "method": "gps",
        "location": {"lng": elder.lng, "lat": elder.lat, **PLACE},
    }  # fmt: skip


class Refused(Exception):
    """An answer a lifecycle cannot go on from; counted, never hidden."""


async def run(options: argparse.Namespace) -> int:
    home = Path(options.data_dir) if options.data_dir else Path(tempfile.mkdtemp(prefix="nuanxian-bench-"))
    service = Service(home, options.web_processes)
    try:
        levels = [int(text) for text in options.clients.split(",")]
        await service.create("empty")
        database = service.database("empty")
        found = await town.build(database)
        await database.close()
        print(f"town: {len(found.elders)} elders, {town.PROVIDERS} providers, {town.PROVIDERS * town.TEAM} caregivers")
        empty = await _measure("empty database", service, "empty", found, levels, options)
        if options.past:
            began = time.perf_counter()
            await past.load(service, "empty", "old", options.past)
            print(f"\nloaded {options.past:,} past orders in {time.perf_counter() - began:.0f} s")
            old = await _measure(f"{options.past:,} past orders", service, "old", found, levels, options)
            # The machine is not the same an hour later: what is compared lies between two of its likes.
            again = await _measure("empty database again", service, "empty", found, levels, options)
            for before, between, after in zip(empty, old, again, strict=True):
                mean = (before.rate + after.rate) / 2
                print(f"{between.clients:>3} clients: {between.rate / max(mean, 1e-9):.2f} of empty")
    finally:
        service.stop()
        if not options.data_dir:
            shutil.rmtree(home, ignore_errors=True)
    return 0


async def _measure(
    title: str, service: Service, name: str, found: Town, levels: list[int], options: argparse.Namespace
) -> list[Level]:
    print(f"\n== {title}", flush=True)
    await past.stand_at_the_end(service, name, found)
    await service.start(name)
    results = []
    try:
        # As crowded as it will be: every connection of the pool prepares its statements once.
        await Loop(service, found, max(levels)).run(6)
        for clients in levels:
            results.append(await Loop(service, found, clients).run(options.seconds))
            _print(results[-1])
    finally:
        service.stop_children()
    if options.floor:
        await past.stand_at_the_end(service, name, found)
        recording = await floor.record(service, name, found, options.floor)
        print(f"\nfloor: {recording.statements_each:.0f} statements a lifecycle, driven by asyncpg alone")
        for level in results:
            bare = await floor.replay(service, name, recording, level.clients)
            print(
                f"{level.clients:>3} clients: {bare.rate:6.1f}/s, server {bare.server_ms:.1f} ms, "
                f"client {bare.client_ms:.1f} ms a lifecycle; the service reaches {level.rate / bare.rate:.2f} of it"
            )
        if options.statements:
            _print_statements(recording)
    return results


def _print_statements(recording: floor.Recording) -> None:
    print("\nms a lifecycle   calls   statement (elapsed at the driver, one client)")
    count = len(recording.lifecycles)
    for sql, elapsed in recording.server_ms.most_common(40):
        print(f"{elapsed / count:12.2f} {recording.calls[sql] / count:8.2f}   {sql}")


def _print(level: Level) -> None:
    print(f"\n{level.clients} clients: {level.rate:.1f} lifecycles/s, statement included")
    print(f"  {level.done} done in {level.wall_s:.1f} s; settlement of {level.settled} lines {level.settle_s:.2f} s")
    per = {role: seconds * 1000 / max(level.done, 1) for role, seconds in level.cpu_s.items()}
    print("  CPU ms per lifecycle: " + ", ".join(f"{role} {ms:.1f}" for role, ms in per.items()))
    for step in STEPS:
        if times := sorted(level.steps[step]):
            cut = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
            print(f"  {step:<10} p50 {cut[49]:7.1f}  p95 {cut[94]:7.1f}  p99 {cut[98]:7.1f} ms")
    if level.failures:
        print("  refused: " + ", ".join(f"{what} ×{count}" for what, count in level.failures.items()))
