"""A device's message becomes an emergency request, whoever the device belongs to, and if to nobody we know."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.elders import devices
from app.elders.devices import Bound
from app.intake import contacts, queries, service
from app.intake.contacts import Arrival, Receipt
from app.intake.events import AlarmRepeated
from app.intake.requests import Channel, Kind, Urgency
from app.intake.service import DeviceFacts, NewRequest

NO_ALARM = frozenset({"restore", "test", "low_battery", "offline", "online", "heartbeat"})
"""Kept, but nobody is called for them; everything else, known or not, is an alarm."""

REPEAT_WITHIN = timedelta(seconds=60)
REPEATED_WITHIN = timedelta(hours=24)
"""So long a message that is sent again is the same message."""
NAMES = {"sos": "一键求助", "fall": "跌倒", "smoke": "烟雾", "gas": "燃气", "water": "漏水",
         "pull_cord": "紧急拉绳", "unreadable": "无法识别的报文"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """One device message; `lng`, `lat` in WGS-84."""

    vendor: str
    device_id: str
    msg_id: str
    type: str
    lng: float | None
    lat: float | None
    battery: int | None
    note: str | None
    raw: bytes


def identity(device_id: str, msg_id: str, raw: bytes) -> str:
    """What copies of one message have in common, among those of its maker."""
    # A device that counts from one again after losing power says something new under a number it has used.
    return f"{device_id}:{msg_id}:{hashlib.sha256(raw).hexdigest()[:16]}"


async def take_alarm(tx: Tx, caller: Caller, alarm: Alarm, at: datetime | None = None) -> Receipt:
    """Store the message and raise an emergency; pressing again within a minute adds to the same emergency. `at`: when
    it came, if that was not just now; from then on it is counted how long nobody has seen to it."""
    # Two presses at once must find each other.
    await tx.one_at_a_time("device", alarm.vendor, alarm.device_id)
    now, external_id = at or clock.now(), identity(alarm.device_id, alarm.msg_id, alarm.raw)
    arrival = Arrival("device", alarm.vendor, external_id, alarm.type, alarm.raw, alarm.device_id, alarm.note, now)
    receipt = await contacts.receive(tx, arrival)
    if not receipt.fresh and now - receipt.received_at >= REPEATED_WITHIN:
        # And a button without a memory says the very same thing each time it is pressed.
        receipt = await contacts.receive(tx, replace(arrival, external_id=f"{external_id}@{clock.service_day(now)}"))
    if not receipt.fresh:
        return receipt
    bound = await _heard(tx, alarm)
    request_id = None
    if alarm.type not in NO_ALARM:
        index = contacts.sender_index(tx, alarm.device_id)
        since = now - REPEAT_WITHIN
        request_id = await queries.recent_of_sender(tx, "device", alarm.vendor, index, alarm.type, since)
        if request_id is None:
            request_id = (await service.take_request(tx, caller, _emergency(alarm, receipt, bound, now))).id
        else:
            elder_id = bound.elder_id if bound is not None else None
            await tx.publish(
                AlarmRepeated(
                    care_request_id=request_id, contact_id=receipt.contact_id, elder_id=elder_id, at=now,
                    **asdict(_facts(alarm)),
                )
            )  # fmt: skip
    await queries.processed(tx, receipt.contact_id, clock.now(), request_id)
    return replace(receipt, care_request_id=request_id)


async def _heard(tx: Tx, alarm: Alarm) -> Bound | None:
    if alarm.type == "offline":
        return await devices.gone(tx, alarm.vendor, alarm.device_id)
    return await devices.heard(tx, alarm.vendor, alarm.device_id, alarm.battery, low=alarm.type == "low_battery")


def _facts(alarm: Alarm) -> DeviceFacts:
    return DeviceFacts(alarm.type, f"{alarm.vendor}:{alarm.device_id}", alarm.lng, alarm.lat)


def _emergency(alarm: Alarm, receipt: Receipt, bound: Bound | None, at: datetime) -> NewRequest:
    """Without a position of the device, the elder's home is where to go: it is in the elder's record."""
    said = [f"设备报警：{NAMES.get(alarm.type, alarm.type)}", f"设备号 {alarm.device_id}"]
    if bound is None:
        said.append("设备未绑定老人")
    elif bound.place:
        said.append(f"位于{bound.place}")
    if alarm.battery is not None:
        said.append(f"电量 {alarm.battery}%")
    if alarm.note:
        said.append(alarm.note)
    place = f"{alarm.lng:.6f},{alarm.lat:.6f} (wgs84)" if alarm.lng is not None and alarm.lat is not None else None
    return NewRequest(
        channel=Channel.DEVICE,
        kind=Kind.EMERGENCY,
        urgency=Urgency.EMERGENCY,
        elder_id=bound.elder_id if bound is not None else None,
        note="，".join(said),
        address=place,
        contact_id=receipt.contact_id,
        alarm=_facts(alarm),
        at=at,
    )
