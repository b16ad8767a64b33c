"""One message of a device, however it came: the maker's code becomes our type, an alarm an emergency.

While the database does not answer, the message waits on the `porch` and is taken in from there in the same way, with
the time at which it came.
"""

from __future__ import annotations

from app.channels.schemas import DeviceAlarm, DeviceReceipt
from app.channels.vendors import makers
from app.core.db import Tx
from app.core.http import Caller
from app.core.json import dumps, loads
from app.elders import devices
from app.intake import alarms
from app.intake.alarms import Alarm
from app.intake.contacts import Arrival

SIGNS_OF_LIFE = frozenset({"heartbeat", "online"})


async def take(
    tx: Tx, caller: Caller, vendor: str, said: DeviceAlarm, raw: bytes, arrival: Arrival | None = None
) -> DeviceReceipt:
    """`raw` is kept. `arrival`: what waited on the porch; None for what has just come."""
    kind = (await makers.maker(tx, vendor)).type_of(said.type)
    if kind in SIGNS_OF_LIFE:
        await devices.alive(tx, vendor, [(said.device_id, said.battery)])
        return DeviceReceipt(fresh=True)
    place = said.location.wgs84() if said.location is not None else None
    alarm = Alarm(
        vendor=vendor,
        device_id=said.device_id,
        msg_id=said.msg_id,
        type=kind,
        lng=place[0] if place else None,
        lat=place[1] if place else None,
        battery=said.battery,
        note=said.note,
        raw=raw,
    )
    receipt = await alarms.take_alarm(tx, caller, alarm, arrival.at if arrival is not None else None)
    return DeviceReceipt(contact_id=receipt.contact_id, fresh=receipt.fresh, care_request_id=receipt.care_request_id)


def waiting(caller: Caller, vendor: str, said: DeviceAlarm, raw: bytes) -> Arrival:
    """The message as it waits on the porch, under the number by which copies of it are known."""
    kept = dumps({"said": said.model_dump(mode="json"), "raw": raw.decode("latin-1")}).encode()
    return Arrival("device", vendor, alarms.identity(said.device_id, said.msg_id, raw), said.type, kept, caller.id)


async def carried_in(tx: Tx, arrival: Arrival) -> DeviceReceipt:
    """What `waiting` made is taken."""
    facts, vendor = loads(arrival.raw), arrival.account
    said = DeviceAlarm.model_validate(facts["said"])
    caller = Caller(kind="device", id=arrival.sender or vendor, name=vendor)
    return await take(tx, caller, vendor, said, facts["raw"].encode("latin-1"), arrival)
