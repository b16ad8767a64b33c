"""Who calls in a surge, and who goes on asking beside it, as coroutines of one process."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson

from app.channels.wechat import crypto
from app.core import clock
from benchmarks import town
from benchmarks.client import Connection, bearer, signed
from benchmarks.surge_world import World

if TYPE_CHECKING:
    from benchmarks.surge import Record

WAYS_IN = {"hotline": 0.6, "wechat": 0.2, "app": 0.1, "device": 0.1}
ANSWERED = 0.5
"""Of the calls; the others give up, for operators do not become more."""
TALK_S, PATIENCE_S = 3.0, 2.0
OPERATORS = [f"80{n:02d}" for n in range(20)]


@dataclass
class Promised:
    """What the service has said it has."""

    calls: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    wechat: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)


class City:
    """One of every door's users. Each method is one use, due at `due`."""

    def __init__(self, port: int, world: World, draw: random.Random, record: Record) -> None:
        self._port, self.world, self.draw, self.record = port, world, draw, record
        self._free: list[Connection] = []
        self.promised = Promised()
        self._cursors: dict[str, str] = {}

    async def arrive(self, due: float) -> None:
        """Somebody asks for help, one way or another."""
        way = self.draw.choices(list(WAYS_IN), list(WAYS_IN.values()))[0]
        await getattr(self, way)(due)

    async def hotline(self, due: float) -> None:
        call_id, agent, elder = str(uuid4()), self.draw.choice(OPERATORS), self.draw.choice(self.world.street)
        number = self.world.street.index(elder)
        about = {"call_id": call_id, "caller": f"1009{number:07d}", "called": "12349", "queue": "home-care"}
        if await self._event(due, {"type": "call.queued"} | about) is None:
            return
        self.promised.calls.add(call_id)
        await self._event(time.perf_counter(), {"type": "agent.offered", "agent": agent} | about)
        if self.draw.random() > ANSWERED:
            await asyncio.sleep(PATIENCE_S)
            await self._event(time.perf_counter(), {"type": "call.abandoned"} | about)
            self.promised.given_up.add(call_id)
            return
        await self._event(time.perf_counter(), {"type": "call.answered", "agent": agent} | about)
        found = await self.ask("intake", "find elder", "GET", f"/v1/elders?{urlencode({'q': f'测试老人{number}'})}")
        await asyncio.sleep(TALK_S)
        if found is not None:
            await self._order(str(elder.id))
        await self._event(time.perf_counter(), {"type": "call.ended", "agent": agent} | about)

    async def _order(self, elder_id: str) -> None:
        begin = clock.now() + timedelta(hours=1 + self.draw.randrange(3))
        wanted = {"from": begin.isoformat(), "to": (begin + timedelta(hours=2)).isoformat()}
        order = {"elder_id": elder_id, "item_code": town.ITEM, "urgency": "urgent", "wanted": wanted}
        placed = await self.ask("intake", "place order", "POST", "/v1/orders", order)
        if placed is not None:
            self.promised.orders.add(placed["id"])

    async def _event(self, due: float, event: dict[str, Any]) -> Any:
        event |= {"source": "bench", "at": clock.now().isoformat()}
        return await self.push(due, "call event", "/channels/phone/events", {"events": [event]}, self.world.telephony)

    async def wechat(self, due: float) -> None:
        msg_id, now = str(uuid4().int)[:19], int(time.time())  # WeChat's clock, not ours
        text = (
            f"<xml><ToUserName>gh</ToUserName><FromUserName>o{self.draw.randrange(500)}</FromUserName>"
            f"<CreateTime>{now}</CreateTime><MsgType>text</MsgType><Content>想请人上门</Content><MsgId>{msg_id}</MsgId></xml>"
        )
        sealed, nonce = crypto.encrypt(self.world.wechat, text.encode()), msg_id[:10]
        query = {
            "msg_signature": crypto.signature(self.world.wechat.token, str(now), nonce, sealed),
            "timestamp": str(now), "nonce": nonce, "encrypt_type": "aes",
        }  # fmt: skip
        path = f"/channels/wechat/{self.world.wechat.account}?{urlencode(query)}"
        body = f"<xml><ToUserName>gh</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
        status, _ = await self._send("POST", path, {"content-type": "text/xml"}, body)
        self.record.note("intake", "wechat", status, due)
        if status == 200:
            self.promised.wechat.add(f"msg:{msg_id}")

    async def app(self, due: float) -> None:
        body = {"external_id": str(uuid4()), "caller": {"phone": "10090000001"}, "note": "想请人上门做饭"}
        made = await self.push(due, "app request", "/v1/app/care-requests", body, self.world.app)
        if made is not None:
            self.promised.requests.add(made["id"])

    async def device(self, due: float) -> None:
        device, msg = f"8600000{self.draw.randrange(300):05d}", str(uuid4())
        path = f"/channels/devices/{self.world.vendor}"
        body = {"device_id": device, "msg_id": msg, "type": "sos"}
        taken = await self.push(due, "sos", path, body, self.world.device)
        if taken is not None:
            self.promised.devices.add(taken["contact_id"])

    async def push(self, due: float, what: str, path: str, body: Any, pair: tuple[str, str]) -> Any:
        """A signed push; None when it was not taken."""
        raw = orjson.dumps(body)
        status, answer = await self._send("POST", path, signed(*pair, "POST", path, "", raw), raw)
        self.record.note("intake", what, status, due)
        return answer if status < 300 else None

    async def ask(self, criticality: str, what: str, method: str, path: str, body: Any = None, token: str = "") -> Any:
        due, raw = time.perf_counter(), orjson.dumps(body) if body is not None else b""
        status, answer = await self._send(method, path, bearer(token or self.world.staff), raw)
        self.record.note(criticality, what, status, due)
        return answer if status < 300 else None

    async def board(self) -> None:
        await self.ask("poll", "board", "GET", "/v1/orders?limit=50")

    async def report(self) -> None:
        path = self.draw.choice(
            ("/v1/ledger/accounts", "/v1/statements", "/v1/visits?limit=200", "/v1/hotline-figures?")
        )
        if path.endswith("?"):
            now = clock.now()
            path += urlencode({"begin": (now - timedelta(days=30)).isoformat(), "end": now.isoformat()})
        token = self.world.clerk if "ledger" in path or "statements" in path else self.world.staff
        await self.ask("report", "report", "GET", path, token=token)

    async def feed(self) -> None:
        """A provider's system: reads what is new, and accepts what it is offered."""
        provider = self.draw.choice(list(self.world.providers))
        pair, path = self.world.providers[provider], "/v1/provider/feed"
        query = urlencode(sorted({"limit": "100", "cursor": self._cursors.get(pair[0], "")}.items()))
        due = time.perf_counter()
        status, page = await self._send("GET", f"{path}?{query}", signed(*pair, "GET", path, query), b"")
        self.record.note("poll", "feed", status, due)
        if status != 200:
            return
        self._cursors[pair[0]] = page["next_cursor"]
        for event in page["events"]:
            if event["type"] == "offer.made":
                await self._accept(pair, event["offer"])

    async def _accept(self, pair: tuple[str, str], offer: dict[str, Any]) -> None:
        path, raw = (
            f"/v1/provider/offers/{offer['id']}/acceptance",
            orjson.dumps({"caregiver_id": offer["caregiver_id"]}),
        )
        due = time.perf_counter()
        status, _ = await self._send("POST", path, signed(*pair, "POST", path, "", raw), raw)
        self.record.note("callback", "accept", status, due)

    async def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        connection = self._free.pop() if self._free else Connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(30):
                answer = await connection.request(method, path, headers, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as broken:
            connection.close()
            self.record.phase.failures[f"{path.split('?')[0]}: {type(broken).__name__}"] += 1
            return 599, None
        self._free.append(connection)
        return answer


BESIDE: dict[str, tuple[float, bool]] = {"board": (15.0, False), "feed": (12.0, False), "report": (3.0, True)}
"""Uses a second, and whether they become more in a surge: everybody wants to know."""


class Lines:
    """Draws when somebody comes, and lets them."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, arrivals: float, times: float, seconds: float) -> None:
        """People ask for help `arrivals` times a second for so long, `times` as often as ordinarily."""
        streams: list[tuple[float, Callable[[float], Awaitable[None]]]] = [(arrivals, self._city.arrive)]
        for name, (rate, grows) in BESIDE.items():
            use = getattr(self._city, name)
            streams.append((rate * times if grows else rate, lambda _, use=use: use()))
        await asyncio.gather(*(self._stream(rate, use, seconds) for rate, use in streams))

    async def end(self) -> None:
        """Wait for calls that are still on the line."""
        await asyncio.gather(*self._running)

    async def _stream(self, rate: float, use: Callable[[float], Awaitable[None]], seconds: float) -> None:
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            due += self._city.draw.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.ensure_future(use(due))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
