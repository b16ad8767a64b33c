"""The door for SOS buttons and other devices, through the platforms of their makers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request

from app.channels.schemas import DeviceAlarm, DeviceReceipt
from app.core.http import CallerDep, Router, TxDep, allow
from app.intake import alarms
from app.intake.alarms import Alarm

router = Router(tags=["devices"])

Vendor = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


@router.post(
    "/channels/devices/{vendor}", response_model=DeviceReceipt, summary="A message of a device; repeatable by msg_id"
)
@allow("channels.devices", keyed=False)
async def receive_alarm(
    request: Request, tx: TxDep, caller: CallerDep, vendor: Vendor, body: DeviceAlarm
) -> DeviceReceipt:
    place = body.location.wgs84() if body.location is not None else None
    alarm = Alarm(
        # The key is part of the account: no maker's key can take another maker's message numbers.
        account=f"{vendor}:{caller.id}",
        vendor=vendor,
        device_id=body.device_id,
        msg_id=body.msg_id,
        type=body.type,
        lng=place[0] if place else None,
        lat=place[1] if place else None,
        battery=body.battery,
        note=body.note,
        raw=await request.body(),
    )
    receipt = await alarms.take_alarm(tx, caller, alarm)
    return DeviceReceipt(contact_id=receipt.contact_id, fresh=receipt.fresh, care_request_id=receipt.care_request_id)
