"""The door for SOS buttons and other devices, through the platforms of their makers.

A maker's platform asks a few times and then gives an alarm up, so this door opens while the database is away, too.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request

from app.accounts import guard
from app.channels import device_messages
from app.channels.device_messages import SIGNS_OF_LIFE
from app.channels.porch import ALARM, ALARM_PATIENCE_S, Porch
from app.channels.schemas import DeviceAlarm, DeviceReceipt, Heartbeats, HeartbeatsView
from app.channels.vendors import makers
from app.core.db import Tx
from app.core.errors import Forbidden
from app.core.http import Caller, CallerDep, DatabaseDep, Guard, Router, TxDep, allow
from app.elders import devices

ACTION = "channels.devices"

router = Router(tags=["devices"])

Vendor = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


@router.post(
    "/channels/devices/{vendor}", response_model=DeviceReceipt, summary="A message of a device; repeatable by msg_id"
)
@allow(ACTION, keyed=False, own_proof=True)
async def receive_alarm(request: Request, database: DatabaseDep, vendor: Vendor, body: DeviceAlarm) -> DeviceReceipt:
    raw, porch, doorkeeper = await request.body(), _porch(request), _guard(request)

    async def take(tx: Tx) -> DeviceReceipt:
        caller = await doorkeeper.identify(tx, request, raw, ACTION)
        _check(doorkeeper, caller, vendor)
        return await device_messages.take(tx, caller, vendor, body, raw)

    if (receipt := await porch.in_time(take, ALARM_PATIENCE_S)) is not None:
        return receipt
    caller = await guard.remembered_device(database, request, raw)
    _check(doorkeeper, caller, vendor)
    known = (await makers.known(database)).get(vendor, makers.UNKNOWN)
    if known.type_of(body.type) not in SIGNS_OF_LIFE:
        await porch.keep([device_messages.waiting(caller, vendor, body, raw)], ALARM)
    return DeviceReceipt(fresh=True)


@router.post(
    "/channels/devices/{vendor}/heartbeats",
    response_model=HeartbeatsView,
    summary="Signs of life of many devices; what is silent after one is missed",
)
@allow(ACTION, keyed=False)
async def receive_heartbeats(
    request: Request, tx: TxDep, caller: CallerDep, vendor: Vendor, body: Heartbeats
) -> HeartbeatsView:
    _check(_guard(request), caller, vendor)
    return HeartbeatsView(known=await devices.alive(tx, vendor, [(one.device_id, one.battery) for one in body.devices]))


def _porch(request: Request) -> Porch:
    porch: Porch = request.app.state.porch
    return porch


def _guard(request: Request) -> Guard:
    found: Guard = request.app.state.guard
    return found


def _check(doorkeeper: Guard, caller: Caller, vendor: str) -> None:
    doorkeeper.authorise(caller, ACTION)
    if vendor not in caller.facts.get("vendors", ()):
        raise Forbidden("vendor_of_another_key", "this key does not speak for this maker's devices")
