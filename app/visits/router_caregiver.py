"""The caregiver's own doors. What she reports is signed by her phone (`accounts.device_keys`)."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import Request
from pydantic import ConfigDict

from app.accounts import device_keys
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.text import Body
from app.visits import caregivers, uploads
from app.visits.journal import Kind
from app.visits.schemas import EventResult, UploadView
from app.visits.schemas_caregiver import CaregiverEvents, CodeSent, DoorCodes, OwnVisits

router = Router(tags=["caregiver"])

SIGNED = {
    "name": "X-Device-Signature",
    "in": "header",
    "required": True,
    "description": "By the key named at sign-in: base64url of r and s (ECDSA, P-256, SHA-256) over "
    "`METHOD\\nPATH\\nIDEMPOTENCY-KEY\\nhex(sha256(body))`; an absent key counts as empty.",
    "schema": {"type": "string", "maxLength": 100},
}
PHOTO = {"schema": {"type": "string", "format": "binary"}}


class AskDoorCode(Body):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"end": "checked_in"}]})

    end: Literal[Kind.CHECKED_IN, Kind.CHECKED_OUT]


@router.get("/v1/caregiver/visits", response_model=OwnVisits, summary="My visits of today and tomorrow")
@allow("caregiver.work")
async def list_own_visits(tx: TxDep, caller: CallerDep) -> Any:
    return await caregivers.own_visits(tx, caller)


@router.post(
    "/v1/caregiver/events",
    response_model=dict[Literal["results"], list[EventResult]],
    openapi_extra={"parameters": [SIGNED]},
    summary="What happened at the door, signed by the phone: any order, any number of times, hours late",
)
@allow("caregiver.work", keyed=False)
async def report_events(tx: TxDep, caller: CallerDep, request: Request, body: CaregiverEvents) -> Any:
    await device_keys.check(caller, request)
    return {"results": await caregivers.report(tx, caller, body.events)}


@router.post(
    "/v1/caregiver/uploads",
    response_model=UploadView,
    status_code=201,
    openapi_extra={
        "parameters": [SIGNED],
        "requestBody": {"required": True, "content": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), PHOTO)},
    },
    summary="Send a photo or a signature, signed by the phone; the body is the file",
)
@allow("caregiver.work")
async def upload(tx: TxDep, caller: CallerDep, request: Request) -> Any:
    await device_keys.check(caller, request)
    return await uploads.keep(tx, caller, await request.body(), request.app.state.settings.data_dir)


@router.post(
    "/v1/caregiver/visits/{order_id}/door-codes",
    response_model=CodeSent,
    summary="Send the elder a code to read out; at most one in five minutes",
)
@allow("caregiver.work")
async def send_door_code(tx: TxDep, caller: CallerDep, order_id: UUID, body: AskDoorCode) -> Any:
    return CodeSent(sent=await caregivers.send_code(tx, caller, order_id, body.end))


@router.get(
    "/v1/visits/{order_id}/door-codes",
    response_model=DoorCodes,
    summary="Today's codes of a visit, to be read out to the elder; leaves an audit row",
)
@allow("elders.reveal")
async def read_door_codes(tx: TxDep, caller: CallerDep, order_id: UUID) -> Any:
    return await caregivers.read_codes(tx, caller, order_id)
