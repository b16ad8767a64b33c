"""Towards the service: alarms one by one, each until it is taken; signs of life now and then, many at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from app.channels.report import UNREADABLE, Report
from app.channels.signed_door import SignedDoor
from app.core import log

EVERY_S = 5.0
BATCH = 500
AT_ONCE = 20
"""Posts under way. A broker that comes back hands over thousands at once; as many requests at one time would wait for
a connection until each of them had given up, and none would get through."""
WAITING = 200_000
"""Devices whose sign of life waits for the service; more are let go, they will be heard again."""


class Handing:
    """The door of one maker's devices."""

    def __init__(self, client: httpx.AsyncClient, key: tuple[str, str], vendor: str) -> None:
        self._alarms = SignedDoor(client, key, f"/channels/devices/{vendor}")
        self._lives = SignedDoor(client, key, f"/channels/devices/{vendor}/heartbeats")
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._alive: dict[str, int | None] = {}
        self.taken = 0
        """Alarms the service has."""

    async def alarm(self, told: Report) -> None:
        """Returns when the service has it, however long that takes."""
        async with self._turns:
            await self._hand_over(told)

    async def _hand_over(self, told: Report) -> None:
        answer = await self._alarms.until_answered(told, alarms=1)
        if not answer.is_success:
            # It would have to be our mistake; somebody has to look at the device all the same.
            log.get("gateway").error("alarm_refused", status=answer.status_code)
            bare = {"device_id": told["device_id"], "msg_id": told["msg_id"], "type": UNREADABLE}
            answer = await self._alarms.until_answered(bare, alarms=1)
            if not answer.is_success:
                log.get("gateway").error("alarm_given_up", status=answer.status_code)
                return
        self.taken += 1

    def alive(self, told: Report) -> None:
        """Never waits; the last word of a device counts."""
        device = told["device_id"]
        if len(self._alive) < WAITING or device in self._alive:
            self._alive[device] = told.get("battery", self._alive.get(device))

    async def work(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            while self._alive:
                some = [(device, self._alive.pop(device)) for device in list(self._alive)[:BATCH]]
                await self._lives.until_answered({"devices": [_life(*one) for one in some]}, devices=len(some))


def _life(device: str, battery: int | None) -> dict[str, Any]:
    return {"device_id": device} | ({"battery": battery} if battery is not None else {})
