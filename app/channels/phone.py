"""The telephone exchange's door: one for every exchange, whatever bridge stands before it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Body

from app.calls import service as calls
from app.channels.schemas import PhoneEvent, PhoneEvents, PhoneResult, PhoneResults
from app.core.http import DatabaseDep, Router, TxDep, allow
from app.hotline import dialling
from app.hotline.schemas import DialOutcome, DialsWanted, DialView, TakenDials

router = Router(tags=["phone"])


@router.post(
    "/channels/phone/events",
    response_model=PhoneResults,
    summary="Events of calls, one or many, in any order and any number of times",
)
@allow("channels.phone", keyed=False)
async def receive_events(tx: TxDep, body: PhoneEvents | PhoneEvent = Body()) -> PhoneResults:
    events = body.events if isinstance(body, PhoneEvents) else [body]
    fresh = await calls.record(tx, [event.reported() for event in events])
    return PhoneResults(
        results=[
            PhoneResult(call_id=event.call_id, type=event.type, result="applied" if new else "duplicate")
            for event, new in zip(events, fresh, strict=True)
        ]
    )


@router.post(
    "/channels/phone/dials/taken",
    response_model=TakenDials,
    summary="What operators want to be connected with; each is given away once",
)
@allow("channels.phone", own_transaction=True)
async def take_dials(database: DatabaseDep, body: DialsWanted) -> Any:
    return TakenDials(dials=await dialling.take(database, body.wait))


@router.post("/channels/phone/dials/{dial_id}/outcome", response_model=DialView, summary="Whether it rings")
@allow("channels.phone", keyed=False)
async def settle_dial(tx: TxDep, dial_id: UUID, body: DialOutcome) -> Any:
    return await dialling.settle(tx, dial_id, body.result, body.cause)
