"""Doors to elders' devices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Response
from pydantic import ConfigDict, Field, StringConstraints

from app.core.db import Tx
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.core.text import Body, View
from app.elders import devices, queries_devices, registration
from app.regions.divisions import scope_ranges

router = Router(tags=["elders"])

Vendor = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Kind = Literal[
    "button", "watch", "fall_detector", "smoke_detector", "gas_detector", "water_detector", "pull_cord", "other"
]


class DeviceBody(Body):
    """`vendor` as in the door its messages come through; `number` is the maker's: an IMEI, a serial number."""

    vendor: Vendor
    number: Number
    kind: Kind
    place: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=80)] = None
    silent_after_s: Annotated[int | None, Field(ge=60, le=30 * 86_400)] = None
    """How long it may be silent after a sign of life before it is missed; by its kind, where left out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"vendor": "aiqiangua", "number": "860000000000015", "kind": "button", "place": "卧室床头"}]
        },
    )


class DeviceView(View):
    id: UUID
    vendor: str
    number: str
    kind: str
    place: str | None = None
    bound_at: datetime
    unbound_at: datetime | None = None
    seen_at: datetime | None = None
    battery: int | None = None
    offline_at: datetime | None = None
    """Since when it is missed."""
    low_battery_at: datetime | None = None


class WantingDeviceView(DeviceView):
    elder_id: UUID


class DevicesView(View):
    """Those bound now first, then the past ones."""

    items: list[DeviceView]


@router.get("/v1/elders/{elder_id}/devices", response_model=DevicesView, summary="An elder's devices")
@allow("elders.read")
async def list_devices(tx: TxDep, caller: CallerDep, elder_id: UUID) -> Any:
    await registration.visible(tx, caller, elder_id)
    return await _devices(tx, elder_id)


@router.post(
    "/v1/elders/{elder_id}/devices", response_model=DevicesView, status_code=201, summary="Bind a device to an elder"
)
@allow("elders.write")
async def bind_device(tx: TxDep, caller: CallerDep, elder_id: UUID, body: DeviceBody, response: Response) -> Any:
    await registration.visible(tx, caller, elder_id)
    device_id = await devices.bind(
        tx, caller, elder_id, body.vendor, body.number, body.kind, body.place or None, body.silent_after_s
    )
    response.headers["Location"] = f"/v1/elders/{elder_id}/devices#{device_id}"
    return await _devices(tx, elder_id)


@router.post(
    "/v1/elders/{elder_id}/devices/{device_id}/unbinding", response_model=DevicesView, summary="A device is given back"
)
@allow("elders.write")
async def unbind_device(tx: TxDep, caller: CallerDep, elder_id: UUID, device_id: UUID) -> Any:
    await registration.visible(tx, caller, elder_id)
    await devices.unbind(tx, caller, elder_id, device_id)
    return await _devices(tx, elder_id)


@router.get(
    "/v1/devices/wanting", response_model=Page[WantingDeviceView], summary="Devices that are silent, or low on battery"
)
@allow("elders.read")
async def list_wanting(tx: TxDep, caller: CallerDep, limit: Limit = 50, cursor: CursorParam = None) -> Any:
    rows = await queries_devices.wanting(tx, after_id(cursor), scope_ranges(caller.divisions), limit + 1)
    shown = [WantingDeviceView(**{name: row[name] for name in WantingDeviceView.model_fields}) for row in rows[:limit]]
    return page_of(shown, [row["id"] for row in rows], limit)


async def _devices(tx: Tx, elder_id: UUID) -> DevicesView:
    rows = await queries_devices.of_elder(tx, elder_id)
    return DevicesView(items=[DeviceView(**{name: row[name] for name in DeviceView.model_fields}) for row in rows])
