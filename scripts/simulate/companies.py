"""A provider's own system: follows its feed, answers offers, names caregivers; `caregivers` has what they then do.

It also misbehaves as real ones do: refuses, falls silent, reports twice, late, in odd order, or goes offline for
hours and then sends everything at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from scripts.simulate.caregivers import Job, Rounds
from scripts.simulate.characters import Character
from scripts.simulate.doors import Doors, Keyed, Refused
from scripts.simulate.notebook import FeedSighting, Notebook

REFUSALS = ("no_capacity", "too_far", "caregiver_ill", "elder_unknown_to_us")
EXPECTED_REFUSALS = frozenset(
    {"offer_expired", "offer_withdrawn", "offer_refused", "offer_accepted", "offer_taken", "order_state",
     "caregiver_busy", "caregiver_unfit", "order_not_found", "order_blocked", "offer_not_found", "order_changed"}
)  # fmt: skip
"""A provider may be told this at any time; it then looks at the order again."""


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
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self.rounds = Rounds(self.door, self.character, self.draw, self.book)

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
            if self.rounds.is_within(self.character.offline):
                await self.doors.pace.pause(5)
                continue
            await self.rounds.catch_up()
            await self.follow(wait=5)
        await self.rounds.catch_up()

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
        await self.rounds.catch_up()

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
        if self.rounds.is_within(self.character.silent) or chance < self.character.ignores:
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
            self._spawn(self.rounds.visit(job, under_way))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
