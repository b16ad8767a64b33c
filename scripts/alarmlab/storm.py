"""What is sent: devices, some bound to elders and some to nobody, each with its alarms. Made from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

KINDS = ("sos", "fall", "smoke", "gas", "sos", "sos")
UNKNOWN = ("x-99", "4711", "报警", "FAULT?")
STALE = ("2000-01-01T00:00:00Z", "2003-05-06T07:08:09+08:00", "2069-12-31T23:59:59Z")
PER_DEVICE = 20
TRUSTING = 5
"""Every so many-th device believes the broker's acknowledgement and does not repeat."""


@dataclass
class Device:
    """`sends`: payloads in the order they are sent, duplicates included; `numbers`: the messages among them."""

    name: str
    by_mqtt: bool
    bound: bool
    trusts: bool
    sends: list[dict[str, Any]] = field(default_factory=list)

    @property
    def numbers(self) -> set[str]:
        return {said["msg_id"] for said in self.sends}


def make(alarms: int, seed: int) -> list[Device]:
    """`alarms` messages; a third of them twice or three times, all of them out of order."""
    chance, made, number = random.Random(seed), [], 0
    while number < alarms:
        which = len(made)
        by_mqtt = which % 2 == 0
        device = Device(f"d{which:05d}", by_mqtt, chance.random() < 0.9, by_mqtt and which % (2 * TRUSTING) == 0)
        for _ in range(min(PER_DEVICE, alarms - number)):
            said = {"msg_id": f"m{number}", "type": chance.choice(KINDS), "battery": chance.randrange(101)}
            if chance.random() < 0.1:
                said["type"] = chance.choice(UNKNOWN)
            if chance.random() < 0.3:
                said["occurred_at"] = chance.choice(STALE)
            if chance.random() < 0.2:
                said["location"] = {"lng": 102.19, "lat": 38.52, "crs": "wgs84"}
            device.sends += [said] * chance.choice((1, 1, 1, 1, 2, 3))
            number += 1
        chance.shuffle(device.sends)
        made.append(device)
    return made
