"""Caregivers at the doors: where they go, how long they stay, and what their telephones tell of it, and when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from scripts.simulate.characters import Character
from scripts.simulate.doors import Keyed
from scripts.simulate.notebook import Notebook

BATCH = 40
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
class Rounds:
    """The visits of one company's caregivers. `door` is the company's."""

    door: Keyed
    character: Character
    draw: Random
    book: Notebook
    _held_back: list[dict[str, Any]] = field(default_factory=list)
    _busy: dict[str, asyncio.Lock] = field(default_factory=dict)
    _sequence: dict[str, int] = field(default_factory=dict)

    async def visit(self, job: Job, under_way: bool) -> None:
        """One caregiver, one door at a time: whoever is held up at one comes late to the next."""
        pace, draw, order = self.door.doors.pace, self.draw, job.order
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
        if not self.door.doors.pace.rush:
            await self.door.doors.pace.until(end)
        await self._tell(job, "checked_out", min(end, self.door.doors.pace.now()))

    async def _wait(self, job: Job, at: datetime) -> None:
        while self.door.doors.pace.now() < at and not (job.stopped or self.door.doors.pace.rush):
            await self.door.doors.pace.until(min(at, self.door.doors.pace.now() + timedelta(minutes=10)))

    async def _photograph(self) -> list[str]:
        kept = await self.door.doors.send(
            "POST", "/v1/provider/uploads", content=JPEG + self.draw.randbytes(8), key=self.door.key,
            headers={"Content-Type": "image/jpeg"},
        )  # fmt: skip
        return [kept.json()["upload_id"]]

    async def _tell(self, job: Job, type_: str, at: datetime, **more: Any) -> None:
        """Report, or keep for later, as the provider's character has it."""
        # A telephone's counter only goes up, also over a restart of the app: it began long before this day.
        before = self._sequence.setdefault(job.caregiver_id, int(self.door.doors.pace.now().timestamp()))
        number = self._sequence[job.caregiver_id] = before + 1
        event = {
            "event_id": f"{job.order['number']}-{type_}-{number}", "type": type_, "order_id": job.order["id"],
            "occurred_at": at.isoformat(), "device_seq": number, "caregiver_id": job.caregiver_id,
            "method": "gps", "location": self._spot(job.order), "evidence": [], **more,
        }  # fmt: skip
        if self.is_within(self.character.offline) or self.draw.random() < self.character.late:
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

    async def catch_up(self) -> None:
        """What was held back goes out in one burst, in whatever order the telephones come online."""
        if not self._held_back or self.is_within(self.character.offline):
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

    def is_within(self, hours: tuple[float, float] | None) -> bool:
        local = self.door.doors.pace.local()
        return hours is not None and hours[0] <= local.hour + local.minute / 60 < hours[1]
