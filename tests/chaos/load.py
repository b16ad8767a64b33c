"""People at work while the service dies under them: a desk, providers' systems, families, a settlement clerk.

Everybody does what the public contract asks for: an operation keeps its Idempotency-Key, and whoever gets no answer,
or 503, asks again with the same key until there is one. What was attempted is written down before it is sent, what
was promised when the answer is there.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson

from app.core import clock
from tests.chaos.asking import LOST, Asking
from tests.chaos.town import ITEM, PLACE, Provider, Town
from tests.world.accounts import signed_headers

DAYS = 6
HANDLERS = 2
GRACE_S = 60.0


class Crowd:
    """All of them, on one event loop. `told` is what they attempted and were promised."""

    def __init__(self, url: str, town: Town, chance: random.Random, *, desks: int) -> None:
        self._asking = Asking(url, chance)
        self.told = self._asking.told
        self._url, self._town, self._chance, self._desks = url, town, chance, desks
        self._stop = asyncio.Event()
        self._offers: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._at_rest = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []
        self._readers: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        for _ in range(self._desks):
            self._work.append(asyncio.create_task(self._desk(await self._asking.line())))
        for provider in self._town.providers:
            self._offers[str(provider.id)] = asyncio.Queue()
            self._readers.append(asyncio.create_task(self._reader(await self._asking.line(), provider)))
            for _ in range(HANDLERS):
                self._work.append(asyncio.create_task(self._handler(await self._asking.line(), provider)))
        self._work.append(asyncio.create_task(self._clerk(await self._asking.line())))

    async def come_to_rest(self) -> None:
        """Nothing new is begun; what is under way is asked for until it is answered. The feeds are still read."""
        self._asking.until = time.monotonic() + GRACE_S
        self._stop.set()
        for queue in self._offers.values():
            for _ in range(HANDLERS):
                queue.put_nowait({})
        await asyncio.gather(*self._work)

    async def read_the_rest(self) -> None:
        """The feeds are read until there is nothing more."""
        self._at_rest.set()
        await asyncio.gather(*self._readers)

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whatever happened, nobody stays on the line."""
        everybody = self._work + self._readers
        for task in everybody:
            task.cancel()
        await asyncio.gather(*everybody, return_exceptions=True)
        await self._asking.hang_up()

    def complain(self) -> None:
        """Raise what any of the people tripped over."""
        for task in self._work + self._readers:
            if task.done() and (failure := task.exception()):
                raise failure

    async def again(self, count: int) -> int:
        """Ask again for orders that were placed long ago; returns how many gave the first answer, byte for byte."""
        same = 0
        async with httpx.AsyncClient(base_url=self._url, timeout=10, trust_env=False) as line:
            for key in self._chance.sample(sorted(self.told.answers), min(count, len(self.told.answers))):
                body, first = self.told.answers[key]
                answer = await line.post("/v1/orders", content=body, headers=self._asking.bearer(self._town.desk, key))
                replayed = answer.headers.get("idempotency-replayed") == "true"
                same += (answer.status_code, replayed, answer.content) == (201, True, first)
        return same

    async def _desk(self, line: httpx.AsyncClient) -> None:
        while not self._stop.is_set():
            await asyncio.sleep(self._chance.uniform(0, 0.06))
            key = f"k{uuid4().hex}"
            wish = self._wish(key)
            self.told.attempted.add(key)
            answer = await self._asking.ask(line, self._town.desk, "/v1/orders", wish, {201, 409})
            if answer is None or answer.status_code == 409:  # the quota went to somebody else
                continue
            order = answer.json()
            self.told.placed[key] = order["id"]
            self.told.answers[key] = orjson.dumps(wish), answer.content
            if self._chance.random() < 0.12:
                await self._cancel(line, order["id"])

    def _wish(self, key: str) -> dict[str, Any]:
        elder = str(self._chance.choice(self._town.elders))
        wish = {"elder_id": elder, "item_code": ITEM, "caller": {"name": key, "relation": "child"}}
        if self._chance.random() < 0.1:
            return wish | {"urgency": "urgent", "wanted": "asap"}
        begin = clock.now() + timedelta(hours=2, minutes=15 * self._chance.randrange(4 * 24 * DAYS))
        window = {"from": begin.isoformat(), "to": (begin + timedelta(hours=2)).isoformat()}
        return wish | {"urgency": "appointment", "wanted": window}

    async def _cancel(self, line: httpx.AsyncClient, order_id: str) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.5))
        body = {"reason_code": "elder_in_hospital", "by": "family"}
        answer = await self._asking.ask(line, self._town.desk, f"/v1/orders/{order_id}/cancellation", body, {200, 409})
        if answer is not None and answer.status_code == 200:
            self.told.cancelled.add(order_id)

    async def _reader(self, line: httpx.AsyncClient, provider: Provider) -> None:
        """Follow the feed; when everybody is at rest, until there is nothing more."""
        cursor, me, quiet = "", str(provider.id), 0
        while quiet < 2 and time.monotonic() < self._asking.until:
            query = f"cursor={cursor}&limit=200&wait=1" if cursor else "limit=200&wait=1"
            url = f"/v1/provider/feed?{query}"
            last = self._at_rest.is_set()
            try:
                answer = await line.get(url, headers=signed_headers(provider.key, provider.secret, "GET", url))
            except LOST:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 304:
                quiet += last
            elif answer.status_code == 200:
                page, quiet = answer.json(), 0
                cursor = page["next_cursor"]
                self.told.fed[me] += [int(event["id"]) for event in page["events"]]
                for event in page["events"]:
                    if event["type"] != "offer.made":
                        continue
                    if event["offer"] is None:
                        self.told.odd.append(f"entry {event['id']} tells of an offer that is not there")
                    elif event["offer"]["status"] == "offered":
                        self._offers[me].put_nowait(event)
            elif answer.status_code == 503:
                await asyncio.sleep(0.1)
            else:
                self.told.odd.append(f"{url}: {answer.status_code} {answer.text[:300]}")
                return

    async def _handler(self, line: httpx.AsyncClient, provider: Provider) -> None:
        while not self._stop.is_set():
            event = await self._offers[str(provider.id)].get()
            lot = self._chance.random()
            if not event or lot < 0.1:  # nobody looks at it; the desk may cancel
                continue
            offer, order_id = event["offer"], event["order_id"]
            path = f"/v1/provider/offers/{offer['id']}"
            if lot < 0.18:
                await self._asking.ask(line, provider, f"{path}/refusal", {"reason_code": "no_capacity"}, {204, 409})
                continue
            caregiver = offer["caregiver_id"]
            named = {} if lot < 0.3 else {"caregiver_id": caregiver}
            answer = await self._asking.ask(line, provider, f"{path}/acceptance", named, {200, 409})
            if answer is None or answer.status_code == 409:
                continue
            self.told.accepted[offer["id"]] = order_id
            if not named:
                where = f"/v1/provider/orders/{order_id}/caregiver"
                answer = await self._asking.ask(
                    line, provider, where, {"caregiver_id": caregiver}, {200, 404, 409, 422}, "PUT"
                )
            if answer is not None and answer.status_code == 200 and self._chance.random() < 0.85:
                await self._visit(line, provider, order_id, caregiver)

    async def _visit(self, line: httpx.AsyncClient, provider: Provider, order_id: str, caregiver: str) -> None:
        kinds = ["failed"] if self._chance.random() < 0.1 else ["checked_in", "checked_out"]
        for kind in kinds:
            event = {
                "event_id": uuid4().hex, "type": kind, "order_id": order_id, "caregiver_id": caregiver,
                "occurred_at": clock.now().isoformat(), "method": "gps",
                "location": PLACE.model_dump(mode="json") | {"accuracy_m": 10},
            }  # fmt: skip
            if kind == "failed":
                event["reason_code"] = "nobody_home"
            answer = await self._asking.ask(line, provider, "/v1/provider/events", {"events": [event]}, {200})
            if answer is None:
                return
            result = answer.json()["results"][0]["result"]
            if result == "rejected":
                self.told.odd.append(f"event {kind}: {answer.text}")
                return
            self.told.events.add((str(provider.id), str(event["event_id"])))
            if result in {"late", "needs_review"}:  # cancelled meanwhile
                return
        self.told.ended.add(order_id)
        if kinds[-1] == "checked_out" and self._chance.random() < 0.7:
            await self._rate(line, order_id)

    async def _rate(self, line: httpx.AsyncClient, order_id: str) -> None:
        link = await self._asking.ask(line, self._town.desk, f"/v1/orders/{order_id}/family-links", {}, {201})
        if link is not None:
            path = f"/v1/family/orders/{link.json()['token']}/rating"
            rating: dict[str, Any] = {"score": self._chance.choice((4, 5)), "tags": []}
            if await self._asking.ask(line, None, path, rating, {201}) is not None:
                self.told.rated.add(order_id)

    async def _clerk(self, line: httpx.AsyncClient) -> None:
        """Settles the month again and again, and now and then fixes the numbers of one provider."""
        period = clock.today().strftime("%Y-%m")
        while not self._stop.is_set():
            await asyncio.sleep(self._chance.uniform(1, 3))
            run = await self._asking.ask(line, self._town.clerk, "/v1/settlement-runs", {"period": period}, {200})
            drafts = [s for s in run.json()["statements"] if s["status"] == "draft"] if run is not None else []
            if drafts and self._chance.random() < 0.25:
                path = f"/v1/statements/{self._chance.choice(drafts)['id']}/issue"
                answer = await self._asking.ask(line, self._town.clerk, path, {"early": True}, {200, 409})
                if answer is not None and answer.status_code == 200:
                    self.told.issued.add(answer.json()["id"])
