"""The door for SOS buttons and other devices, through the platforms of their makers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request

from app.channels.schemas import DeviceAlarm, DeviceReceipt, Heartbeats, HeartbeatsView
from app.channels.vendors import makers
from app.core.db import Tx
from app.core.errors import Forbidden
from app.core.http import Caller, CallerDep, Router, TxDep, allow
from app.elders import devices
from app.intake import alarms
from app.intake.alarms import Alarm

SIGNS_OF_LIFE = frozenset({"heartbeat", "online"})

router = Router(tags=["devices"])

Vendor = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


@router.post(
    "/channels/devices/{vendor}", response_model=DeviceReceipt, summary="A message of a device; repeatable by msg_id"
)
@allow("channels.devices", keyed=False)
async def receive_alarm(
    request: Request, tx: TxDep, caller: CallerDep, vendor: Vendor, body: DeviceAlarm
) -> DeviceReceipt:
    _check(caller, vendor)
    return await take(tx, caller, vendor, body, await request.body())


@router.post(
    "/channels/devices/{vendor}/heartbeats",
    response_model=HeartbeatsView,
    summary="Signs of life of many devices; what is silent after one is missed",
)
@allow("channels.devices", keyed=False)
async def receive_heartbeats(tx: TxDep, caller: CallerDep, vendor: Vendor, body: Heartbeats) -> HeartbeatsView:
    _check(caller, vendor)
    return HeartbeatsView(known=await devices.alive(tx, vendor, [(one.device_id, one.battery) for one in body.devices]))


async def take(tx: Tx, caller: Caller, vendor: str, said: DeviceAlarm, raw: bytes) -> DeviceReceipt:
    """One message, in whatever form it came: the maker's code becomes our type; `raw` is kept."""
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
    receipt = await alarms.take_alarm(tx, caller, alarm)
    return DeviceReceipt(contact_id=receipt.contact_id, fresh=receipt.fresh, care_request_id=receipt.care_request_id)


def _check(caller: Caller, vendor: str) -> None:
    if vendor not in caller.facts.get("vendors", ()):
        raise Forbidden("vendor_of_another_key", "this key does not speak for this maker's devices")
