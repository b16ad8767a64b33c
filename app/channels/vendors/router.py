"""The doors of makers who push in their own form, and the administrator's doors to makers and codes."""

from __future__ import annotations

import hmac
from typing import Annotated, Literal

from fastapi import Header, Path, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import ConfigDict, StringConstraints

from app.channels import device_messages
from app.channels.device_messages import SIGNS_OF_LIFE
from app.channels.devices import Vendor
from app.channels.porch import ALARM, ALARM_PATIENCE_S, Porch
from app.channels.report import UNREADABLE, Report, fingerprint, report
from app.channels.schemas import DeviceAlarm
from app.channels.vendors import makers, readers
from app.channels.vendors.makers import Maker
from app.channels.vendors.readers import PushError
from app.core import clock, log
from app.core.db import Database, Tx
from app.core.errors import NotFound, Unauthorized
from app.core.geo import Crs
from app.core.http import Caller, CallerDep, DatabaseDep, Router, TxDep, allow
from app.core.json import dumps
from app.core.text import Body, View

router = Router(tags=["devices"])

Type = Literal[
    "sos", "fall", "smoke", "gas", "water", "pull_cord", "low_battery", "offline", "online", "heartbeat", "restore",
    "test",
]  # fmt: skip
Code = Annotated[str, Path(min_length=1, max_length=40)]
Signed = Annotated[str, Query(max_length=400)]
ANY_BODY = {"requestBody": {"content": {"*/*": {"schema": {"type": "string"}}}}}


class MakerBody(Body):
    """`form`: ours (`json`, signed with a device key), or the maker's, proved by `token`; `crs` of its positions."""

    form: Literal["json", "action", "form", "onenet"]
    crs: Crs = Crs.WGS84
    token: Annotated[str | None, StringConstraints(min_length=16, max_length=200)] = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"form": "form", "crs": "gcj02", "token": "a-long-secret-0001"}]},
    )


class CodeBody(Body):
    type: Type

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"type": "sos"}]})


class MakerView(View):
    vendor: str
    form: str
    crs: str
    codes: dict[str, str]
    """The city's own and those shipped for the form, as they count."""


class MakersView(View):
    items: list[MakerView]


class PushReceipt(View):
    """How many messages were in it, and how many were not heard before; while nobody can say that, each counts."""

    messages: int
    fresh: int


@router.get(
    "/channels/devices/{vendor}/push",
    response_class=PlainTextResponse,
    summary="OneNET's check that this is our address",
)
@allow("channels.pushes", own_transaction=True)
async def check_address(
    database: DatabaseDep, vendor: Vendor, msg: Signed = "", nonce: Signed = "", signature: Signed = ""
) -> PlainTextResponse:
    known = await _pushing(database, vendor)
    if known.form != makers.ONENET or not readers.is_of_onenet(known.token or "", nonce, msg, signature):
        raise Unauthorized("push_not_proved", "this is not how this maker proves itself")
    return PlainTextResponse(msg)


@router.post(
    "/channels/devices/{vendor}/push",
    response_model=PushReceipt,
    summary="A push in the maker's own form",
    openapi_extra=ANY_BODY,
)
@allow("channels.pushes", keyed=False, own_transaction=True)
async def receive_push(
    request: Request,
    database: DatabaseDep,
    vendor: Vendor,
    token: Signed = "",
    x_push_token: Annotated[str, Header(max_length=400)] = "",
) -> PushReceipt:
    raw = await request.body()
    known = await _pushing(database, vendor)
    _prove(known, raw, x_push_token or token)
    caller = Caller(kind="device", id=vendor, name=vendor)
    told = sorted(_read(known, raw), key=lambda one: str(one["device_id"]))  # two pushes never wait for each other
    messages = [(DeviceAlarm.model_validate(one), dumps(one).encode()) for one in told]

    async def take(tx: Tx) -> int:
        return sum([(await device_messages.take(tx, caller, vendor, *one)).fresh for one in messages])

    porch: Porch = request.app.state.porch
    if (fresh := await porch.in_time(take, ALARM_PATIENCE_S)) is not None:
        return PushReceipt(messages=len(told), fresh=fresh)
    await porch.keep(
        [
            device_messages.waiting(caller, vendor, *one)
            for one in messages
            if known.type_of(one[0].type) not in SIGNS_OF_LIFE
        ],
        ALARM,
    )
    return PushReceipt(messages=len(told), fresh=len(told))


@router.get("/v1/device-makers", response_model=MakersView, summary="Makers of devices, and what their codes mean")
@allow("keys.manage")
async def list_makers(tx: TxDep) -> MakersView:
    return MakersView(
        items=[
            MakerView(
                vendor=vendor, form=one.form, crs=one.datum, codes=makers.shipped().get(one.form, {}) | dict(one.codes)
            )
            for vendor, one in sorted((await makers.all_makers(tx)).items())
        ]
    )


@router.put("/v1/device-makers/{vendor}", status_code=204, summary="Add a maker of devices, or change it")
@allow("keys.manage")
async def put_maker(tx: TxDep, caller: CallerDep, vendor: Vendor, body: MakerBody) -> None:
    await makers.put_maker(tx, caller, vendor, body.form, body.crs, body.token)


@router.put("/v1/device-makers/{vendor}/codes/{code}", status_code=204, summary="Say what a maker's code means")
@allow("keys.manage")
async def put_code(tx: TxDep, caller: CallerDep, vendor: Vendor, code: Code, body: CodeBody) -> None:
    await makers.put_code(tx, caller, vendor, code, body.type)


async def _pushing(database: Database, vendor: str) -> Maker:
    known = (await makers.known(database)).get(vendor, makers.UNKNOWN)
    if known.token is None:
        raise NotFound("device_maker_not_found")
    return known


def _prove(known: Maker, raw: bytes, given: str) -> None:
    """Raises Unauthorized."""
    token = known.token or ""
    try:
        if known.form == makers.ONENET:
            msg, nonce, signature = readers.signed_part(raw)
            proved = readers.is_of_onenet(token, nonce, msg, signature)
        else:
            proved = hmac.compare_digest(token.encode(), given.encode("utf-8", "replace"))
    except PushError:
        proved = False
    if not proved:
        raise Unauthorized("push_not_proved", "this is not how this maker proves itself")


def _read(known: Maker, raw: bytes) -> list[Report]:
    """What a maker says that cannot be read is an alarm to be looked at."""
    try:
        return readers.READERS[known.form](raw, clock.now(), known.datum)
    except PushError as wrong:
        log.get("channels").warning("push_unreadable", form=known.form, why=str(wrong))
        return [report("", UNREADABLE, fingerprint(raw), raw[:4000])]
