"""The service's world: elders with devices, the two keys, and a ladder that is climbed in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.town import COMMUNITY

from alarmlab.storm import Device
from app.accounts import keys
from app.alarms import queries as alarms
from app.alarms.incidents import Severity, Step
from app.core import clock
from app.core.db import Database, Tx
from app.core.geo import Crs, Location
from app.core.http import SYSTEM
from app.elders import devices as elder_devices
from app.elders import registration
from app.elders.facts import NewElder, NewFamilyMember
from app.seeds.base import load_base

MAKER, MQTT, WATCH = "storm", "mqtt", "watch"
RUNGS_S = {Step.OPERATOR: 0, Step.FAMILY: 3, Step.HELPER: 6, Step.AUTHORITY: 9}


@dataclass(frozen=True)
class Keys:
    gateway: tuple[str, str]
    maker: tuple[str, str]


async def build(database: Database, devices: list[Device]) -> Keys:
    async with database.transaction() as tx:
        await load_base(tx)
        for severity in Severity:
            for step, after_s in RUNGS_S.items():
                await alarms.seed_rung(tx, "000000", severity, clock.today(), step, after_s)
        made = Keys(
            await keys.create_key(tx, "device", "gateway", vendors=[MQTT, WATCH]),
            await keys.create_key(tx, "device", "maker", vendors=[MAKER]),
        )
    for begin in range(0, len(devices), 100):
        async with database.transaction() as tx:
            for number, device in enumerate(devices[begin : begin + 100], begin):
                if device.bound:
                    await _elder(tx, device, number)
    return made


async def _elder(tx: Tx, device: Device, number: int) -> None:
    """With a relative in a block of numbers that nobody has."""
    new = NewElder(
        name=f"测试老人{number}",
        division_code=COMMUNITY,
        address=f"测试路 {number} 号",
        location=Location(lng=102.17 + number % 50 / 1000, lat=38.51, crs=Crs.WGS84),
        family=(NewFamilyMember(f"测试家属{number}", "child", f"1009{number:07d}", approved=True),),
    )
    elder = await registration.register(tx, SYSTEM, new)
    await elder_devices.bind(tx, SYSTEM, elder.id, MQTT if device.by_mqtt else MAKER, device.name, "button", None)
