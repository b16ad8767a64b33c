"""A provider's own system: follows its feed, answers offers, names caregivers, tells what happened at the doors.

It also misbehaves as real ones do: refuses, falls silent, reports twice, late, in odd order, or goes offline for
hours and then sends everything at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from scripts.simulate.characters import Character
from scripts.simulate.doors import Doors, Keyed, Refused
from scripts.simulate.notebook import FeedSighting, Notebook

REFUSALS = ("no_capacity", "too_far", "caregiver_ill", "elder_unknown_to_us")
BATCH = 40
EXPECTED_REFUSALS = frozenset(
    {"offer_expired", "offer_withdrawn", "offer_refused", "offer_accepted", "offer_taken", "order_state",
     "caregiver_busy", "caregiver_unfit", "order_not_found", "order_blocked", "offer_not_found", "order_changed"}
)  # fmt: skip
"""A provider may be told this at any time; it then looks at the order again."""
JPEG = b"\xff\xd8\xff\xe0" + b"a demo photograph" * 8


@dataclass(slots=True)
class Job:
    """One order in the provider's hands."""

    order: dict[str, Any]
    starts_at: datetime
    caregiver_id: str
    stopped: bool = False
    begun: bool = False


@dataclass(slots=True)
class Company:
    """A provider's system and its caregivers."""

    doors: Doors
    credentials: dict[str, Any]
    character: Character
    draw: Random
    book: Notebook
    cursor: str | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    _answered: set[str] = field(default_factory=set)
    _held_back: list[dict[str, Any]] = field(default_factory=list)
    _busy: dict[str, asyncio.Lock] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _sequence: dict[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.credentials["provider_id"])

    @property
    def door(self) -> Keyed:
        return Keyed(self.doors, (self.credentials["app_key"], self.credentials["secret"]))

    async def run(self, done: asyncio.Event) -> None:
        """Follow the feed until `done`, then take what is left of it."""
        await self._resume()
        while not done.is_set():
            if self._is_within(self.character.offline):
                await self.doors.pace.pause(5)
                continue
            await self._catch_up()
            await self.follow(wait=5)
        await self._catch_up()

    async def follow(self, wait: int = 0) -> bool:
        """One page of the feed; whether there was anything."""
        query: dict[str, Any] = {"limit": 100, "wait": wait} | ({"cursor": self.cursor} if self.cursor else {})
        page = await self.door.get("/v1/provider/feed", **query)
        if page is None:
            return False
        seen = self.book.feeds.setdefault(self.id, [])
        for entry in page["events"]:
            seen.append(FeedSighting(entry["id"], entry["seq"], entry["type"], entry["order_id"]))
            self._hear(entry)
        self.cursor = page["next_cursor"]
        return True

    async def replay(self) -> list[FeedSighting]:
        """The whole feed from the beginning, as anybody may ask for it at any time."""
        found: list[FeedSighting] = []
        cursor: str | None = None
        while True:
            query: dict[str, Any] = {"limit": 200} | ({"cursor": cursor} if cursor else {})
            page = await self.door.get("/v1/provider/feed", **query)
            if page is None:
                return found
            found += [FeedSighting(e["id"], e["seq"], e["type"], e["order_id"]) for e in page["events"]]
            cursor = page["next_cursor"]

    async def finish(self) -> None:
        """Wait for the visits that have begun; stop waiting for the others."""
        for job in self.jobs.values():
            job.stopped = job.stopped or not job.begun
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._catch_up()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Refused as refused:
            if refused.code not in EXPECTED_REFUSALS:
                self.book.failures.append(f"provider {self.credentials['name']}: {refused} {refused.body}")
        except Exception as failure:
            self.book.failures.append(f"provider {self.credentials['name']}: {type(failure).__name__} {failure}")

    async def _resume(self) -> None:
        """After a restart the app asks for its open orders and goes on with them."""
        for status in ("assigned", "in_service"):
            for order in await self.door.pages("/v1/provider/orders", status=status):
                begin = max(_at(order["window"]["from"]), self.doors.pace.now())
                self._begin(order, begin, order["caregiver"]["id"], under_way=status == "in_service")

    def _hear(self, entry: dict[str, Any]) -> None:
        order_id, offer = entry["order_id"], entry.get("offer")
        if (
            entry["type"] == "offer.made"
            and offer
            and offer["status"] == "offered"
            and offer["id"] not in self._answered
        ):
            self._answered.add(offer["id"])
            if self.cursor is not None:
                lag = self.doors.pace.now() - _at(entry["occurred_at"])
                self.book.heard_after.append(lag.total_seconds() / self.doors.pace.rate)
            self._spawn(self._answer(order_id, offer))
        elif entry["type"] in {"order.released", "order.cancelled"} and order_id in self.jobs:
            self.jobs[order_id].stopped = True

    async def _answer(self, order_id: str, offer: dict[str, Any]) -> None:
        deadline = _at(offer["deadline_at"])
        patience = min(max((deadline - self.doors.pace.now()).total_seconds() / 60, 0.2), 60)
        await self.doors.pace.pause(self.draw.uniform(0.05, 0.3) * patience)
        chance = self.draw.random()
        if self._is_within(self.character.silent) or chance < self.character.ignores:
            self.book.note("offer ignored")
            return
        if chance < self.character.ignores + self.character.refuses:
            body = {"reason_code": self.draw.choice(REFUSALS)}
            await self.door.post(f"/v1/provider/offers/{offer['id']}/refusal", body)
            self.book.note("offer refused")
            return
        named = None if self.draw.random() < self.character.names_later else offer["caregiver_id"]
        order = await self.door.post(f"/v1/provider/offers/{offer['id']}/acceptance", {"caregiver_id": named})
        self.book.note("offer accepted")
        self.book.accepted[order_id] = offer
        if order["caregiver"] is None:
            await self.doors.pace.pause(self.draw.uniform(1, 8))
            order = await self._name(order_id, offer["caregiver_id"])
        if order is not None and self.draw.random() < self.character.changes:
            order = await self._replace(order) or order
        if order is not None and order["caregiver"] is not None:
            self._begin(order, _at(offer["starts_at"]), order["caregiver"]["id"])

    async def _name(self, order_id: str, first: str) -> dict[str, Any] | None:
        """Name the suggested caregiver, or whoever of ours is free and fit."""
        others = [c["caregiver_id"] for c in self.credentials["caregivers"] if c["caregiver_id"] != first]
        for caregiver_id in [first, *others]:
            try:
                named = await self.door.put(f"/v1/provider/orders/{order_id}/caregiver", {"caregiver_id": caregiver_id})
                return dict(named)
            except Refused as refused:
                if refused.code not in {"caregiver_busy", "caregiver_unfit"}:
                    raise
        return None

    async def _replace(self, order: dict[str, Any]) -> dict[str, Any] | None:
        others = [c["caregiver_id"] for c in self.credentials["caregivers"]]
        self.draw.shuffle(others)
        for caregiver_id in others:
            if caregiver_id == order["caregiver"]["id"]:
                continue
            body = {"caregiver_id": caregiver_id, "reason": "原服务人员临时请假"}
            try:
                changed = await self.door.put(f"/v1/provider/orders/{order['id']}/caregiver", body)
                self.book.note("caregiver changed")
                return dict(changed)
            except Refused as refused:
                if refused.code not in {"caregiver_busy", "caregiver_unfit"}:
                    raise
        return None

    def _begin(self, order: dict[str, Any], starts_at: datetime, caregiver_id: str, under_way: bool = False) -> None:
        known = self.jobs.get(order["id"])
        if known is None or known.stopped:
            self.jobs[order["id"]] = job = Job(order, starts_at, caregiver_id, begun=under_way)
            self._spawn(self._visit(job, under_way))

    async def _visit(self, job: Job, under_way: bool) -> None:
        """One caregiver, one door at a time: whoever is held up at one comes late to the next."""
        pace, draw, order = self.doors.pace, self.draw, job.order
        if not under_way:
            await self._wait(job, job.starts_at + timedelta(minutes=draw.uniform(-4, 6)))
        async with self._busy.setdefault(job.caregiver_id, asyncio.Lock()):
            if job.stopped:
                return
            job.begun = True
            if under_way:
                return await self._end_forgotten(job)
            await self._tell(job, "departed", pace.now() - timedelta(minutes=1))
            await pace.pause(draw.uniform(1, 5))
            await self._tell(job, "arrived", pace.now())
            if draw.random() < 0.03:
                await pace.pause(15)
                await self._tell(job, "failed", pace.now(), reason_code="elder_absent")
                return
            await self._tell(job, "checked_in", pace.now() + timedelta(seconds=30))
            await pace.pause(max(order["minutes"] * draw.uniform(0.92, 1.1), 2))
            evidence = await self._photograph() if draw.random() < 0.1 else []
            await self._tell(job, "checked_out", pace.now(), evidence=evidence)

    async def _end_forgotten(self, job: Job) -> None:
        """Somebody left without checking out; the app asks, and the caregiver says when that was."""
        begun = datetime.fromisoformat(job.order["visit"]["checked_in_at"])
        end = begun + timedelta(minutes=job.order["minutes"])
        if not self.doors.pace.rush:
            await self.doors.pace.until(end)
        await self._tell(job, "checked_out", min(end, self.doors.pace.now()))

    async def _wait(self, job: Job, at: datetime) -> None:
        while self.doors.pace.now() < at and not (job.stopped or self.doors.pace.rush):
            await self.doors.pace.until(min(at, self.doors.pace.now() + timedelta(minutes=10)))

    async def _photograph(self) -> list[str]:
        kept = await self.doors.send(
            "POST", "/v1/provider/uploads", content=JPEG + self.draw.randbytes(8), key=self.door.key,
            headers={"Content-Type": "image/jpeg"},
        )  # fmt: skip
        return [kept.json()["upload_id"]]

    async def _tell(self, job: Job, type_: str, at: datetime, **more: Any) -> None:
        """Report, or keep for later, as the provider's character has it."""
        # A telephone's counter only goes up, also over a restart of the app: it began long before this day.
        before = self._sequence.setdefault(job.caregiver_id, int(self.doors.pace.now().timestamp()))
        number = self._sequence[job.caregiver_id] = before + 1
        event = {
            "event_id": f"{job.order['number']}-{type_}-{number}", "type": type_, "order_id": job.order["id"],
            "occurred_at": at.isoformat(), "device_seq": number, "caregiver_id": job.caregiver_id,
            "method": "gps", "location": self._spot(job.order), "evidence": [], **more,
        }  # fmt: skip
        if self._is_within(self.character.offline) or self.draw.random() < self.character.late:
            self._held_back.append(event)
            self.book.note("event told late")
            return
        await self._send([event])
        if self.draw.random() < self.character.twice:
            await self._send([event])
            self.book.note("event told twice")

    def _spot(self, order: dict[str, Any]) -> dict[str, Any] | None:
        elder = order["elder"]
        if elder.get("lng") is None:
            return None
        chance, draw = self.draw.random(), self.draw
        away = 0.03 if chance < 0.02 else 0.0005
        accuracy = 900 if 0.02 <= chance < 0.05 else draw.randrange(5, 60)
        lng, lat = elder["lng"] + draw.uniform(-away, away), elder["lat"] + draw.uniform(-away, away)
        return {"lng": round(lng, 6), "lat": round(lat, 6), "crs": "wgs84", "accuracy_m": accuracy}

    async def _catch_up(self) -> None:
        """What was held back goes out in one burst, in whatever order the telephones come online."""
        if not self._held_back or self._is_within(self.character.offline):
            return
        waiting, self._held_back = self._held_back, []
        self.draw.shuffle(waiting)
        for first in range(0, len(waiting), BATCH):
            await self._send(waiting[first : first + BATCH])
        if len(waiting) > 3:
            self.book.note("burst after being offline")

    async def _send(self, events: list[dict[str, Any]]) -> None:
        answer = await self.door.post("/v1/provider/events", {"events": events}, keyed=False)
        for event, result in zip(events, answer["results"], strict=True):
            self.book.event_results[result["result"]] += 1
            if result["result"] == "rejected":
                self.book.failures.append(f"event {event['type']} rejected: {result['reason']}")

    def _is_within(self, hours: tuple[float, float] | None) -> bool:
        local = self.doors.pace.local()
        return hours is not None and hours[0] <= local.hour + local.minute / 60 < hours[1]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
