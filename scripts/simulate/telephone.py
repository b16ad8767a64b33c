"""The telephone exchange: what it tells of calls that go well, and of those that go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from scripts.simulate.doors import Doors, Keyed
from scripts.simulate.notebook import Notebook

SEQUENCES = {
    "answered": ("call.queued", "agent.offered", "call.answered", "call.ended"),
    "abandoned": ("call.queued", "agent.offered", "agent.missed", "call.abandoned"),
    "voicemail": ("call.queued", "voicemail.left", "call.ended"),
    "never ended": ("call.queued", "agent.offered"),
    "second agent": (
        "call.queued", "agent.offered", "agent.missed", "agent.offered", "call.answered", "call.ended",
    ),
}  # fmt: skip
SHARES = {"answered": 74, "abandoned": 12, "voicemail": 6, "never ended": 4, "second agent": 4}
OF_AN_AGENT = frozenset({"agent.offered", "agent.missed", "call.answered"})


@dataclass(slots=True)
class Telephone:
    """Reports calls as an exchange does, with the key of one."""

    doors: Doors
    key: dict[str, str]
    book: Notebook
    draw: Random
    _number: int = 0

    def call(self, agent: str) -> dict[str, str]:
        self._number += 1
        return {"call_id": f"sim-{self._number}", "agent": agent, "caller": f"010-0099{self._number:04d}"}

    async def report(self, call: dict[str, str], *types: str) -> None:
        await self._send([self._event(call, type_, number) for number, type_ in enumerate(types)])
        self.book.calls["served"] += types[0] == "call.queued"

    async def lost_call(self) -> None:
        """Calls that go wrong: given up, left on the machine, never ended, taken by the second agent; told in odd
        order and twice."""
        how = self.draw.choices(list(SHARES), list(SHARES.values()))[0]
        call = self.call("8009")
        told = [self._event(call, type_, number) for number, type_ in enumerate(SEQUENCES[how])]
        if self.draw.random() < 0.4:
            self.draw.shuffle(told)
        if self.draw.random() < 0.3:
            told += told[:2]
        for event in told:
            await self._send([event])
        self.book.calls[how] += 1

    def _event(self, call: dict[str, str], type_: str, number: int) -> dict[str, Any]:
        event: dict[str, Any] = {
            "source": "simulated-pbx", "source_instance": "1", "call_id": call["call_id"], "type": type_,
            "at": (self.doors.pace.now() + timedelta(seconds=number)).isoformat(), "caller": call["caller"],
            "called": "12349", "event_id": f"{call['call_id']}-{type_}-{number}",
        }  # fmt: skip
        return event | ({"agent": call["agent"]} if type_ in OF_AN_AGENT else {})

    async def _send(self, events: list[dict[str, Any]]) -> None:
        door = Keyed(self.doors, (self.key["app_key"], self.key["secret"]))
        await door.post("/channels/phone/events", {"events": events}, keyed=False)
