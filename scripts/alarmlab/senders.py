"""The devices at work: each goes on until its alarms are taken, whatever is down meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import aiomqtt
import httpx

from alarmlab.broker import Broker, password
from alarmlab.city import MAKER
from alarmlab.storm import Device
from app.channels.signed_door import SignedDoor
from app.core.json import dumps

PATIENCE_S, LONGEST_S = 4.0, 30.0
"""After so long without an answer a device says it again; each time it waits twice as long."""
AT_ONCE = 2
"""Messages of one device on their way at the same time."""


class Senders:
    """`counts`: what was sent, taken, repeated, and answered by HTTP status."""

    def __init__(self, broker: Broker, client: httpx.AsyncClient, key: tuple[str, str]) -> None:
        self._broker = broker
        self._door = SignedDoor(client, key, f"/channels/devices/{MAKER}")
        self.counts: Counter[str] = Counter()
        self.taken = 0

    async def send(self, device: Device) -> None:
        """Returns when all its alarms were taken; of a trusting device, when the broker has acknowledged them."""
        if device.by_mqtt:
            await self._by_mqtt(device)
        else:
            room = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._by_http(device, said, room) for said in device.sends))

    async def _by_http(self, device: Device, said: dict[str, object], room: asyncio.Semaphore) -> None:
        async with room:
            answer = await self._door.until_answered({"device_id": device.name, **said})
        self.counts[f"http {answer.status_code}"] += 1
        self.taken += 1

    async def _by_mqtt(self, device: Device) -> None:
        waiting = list(device.sends)
        tries = 0
        while waiting:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1", self._broker.port, username=device.name, password=password(device.name),
                    identifier=device.name, timeout=PATIENCE_S,
                ) as client:  # fmt: skip
                    await client.subscribe(f"sos/down/{device.name}/taken", 1)
                    hearing = asyncio.create_task(self._hear(client, waiting))
                    try:
                        while waiting:
                            tries += 1
                            await self._say(client, device, waiting, tries)
                    finally:
                        hearing.cancel()
            except (aiomqtt.MqttError, OSError):
                await asyncio.sleep(0.2)

    async def _say(self, client: aiomqtt.Client, device: Device, waiting: list[dict[str, object]], tries: int) -> None:
        for said in list(waiting):
            await client.publish(f"sos/up/{device.name}/alarm", dumps(said), qos=1)
            self.counts["mqtt sent" if tries == 1 else "mqtt repeated"] += 1
            if device.trusts and said in waiting:
                self._done(waiting, said["msg_id"])
        for _ in range(int(min(LONGEST_S, PATIENCE_S * 2 ** (tries - 1)) / 0.05)):
            if not waiting:
                return
            await asyncio.sleep(0.05)

    async def _hear(self, client: aiomqtt.Client, waiting: list[dict[str, object]]) -> None:
        with suppress(aiomqtt.MqttError):
            async for message in client.messages:
                number = bytes(message.payload).decode()  # type: ignore[arg-type]
                self._done(waiting, number)

    def _done(self, waiting: list[dict[str, object]], number: object) -> None:
        left = [said for said in waiting if said["msg_id"] != number]
        self.taken += len(waiting) - len(left)
        waiting[:] = left
