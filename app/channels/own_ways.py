"""What people at their own phones say of themselves: which device takes pushes for them, and whether they want news."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from app.channels import queries_messages as queries
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller, CallerDep, Router, TxDep, allow
from app.core.text import Body, View
from app.messaging import service as messaging
from app.messaging.ways import BESIDE, Purpose, Way

router = Router(tags=["messages"])


class DeviceBody(Body):
    """`registration_id`: what JPush calls this device; null when it takes no pushes any more."""

    registration_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{8,64}$")] | None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"registration_id": "18071adc02fe8f5f2b0"}]}
    )


class OwnNewsBody(Body):
    allowed: bool

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"allowed": False}]})


class DeviceView(View):
    registered: bool


class OwnNewsView(View):
    """Whether I hear how orders go on. An alarm is told in any case."""

    allowed: bool


@router.put("/v1/family/device", response_model=DeviceView, summary="The device that takes pushes for me, or none")
@allow("family.requests")
async def put_family_device(tx: TxDep, caller: CallerDep, body: DeviceBody) -> Any:
    for member_id in await _members(tx, caller):
        await _register(tx, "family", member_id, body.registration_id)
    return DeviceView(registered=body.registration_id is not None)


@router.put("/v1/caregiver/device", response_model=DeviceView, summary="The device that takes pushes for me, or none")
@allow("caregiver.work")
async def put_caregiver_device(tx: TxDep, caller: CallerDep, body: DeviceBody) -> Any:
    await _register(tx, "caregiver", caller.id, body.registration_id)
    return DeviceView(registered=body.registration_id is not None)


@router.put("/v1/family/news", response_model=OwnNewsView, summary="I want news of orders, or none")
@allow("family.requests")
async def put_own_news(tx: TxDep, caller: CallerDep, body: OwnNewsBody) -> Any:
    for member_id in await _members(tx, caller):
        await messaging.choose(tx, "family", member_id, Purpose.SERVICE, body.allowed, caller.actor)
    return OwnNewsView(allowed=body.allowed)


async def _members(tx: Tx, caller: Caller) -> list[UUID]:
    """As whom this phone is known: one relative may have several elders. Raises NotFound for nobody's family."""
    index = caller.facts.get("phone_index")
    found = await queries.members(tx, index) if isinstance(index, bytes) else []
    if not found:
        raise NotFound("family_member_not_found")
    return found


async def _register(tx: Tx, kind: str, who: UUID | str, registration_id: str | None) -> None:
    if registration_id is None:
        await messaging.unbind_way(tx, kind, who, BESIDE)
    else:
        await messaging.bind_way(tx, kind, who, Way(BESIDE, registration_id))
