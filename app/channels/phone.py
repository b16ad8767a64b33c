"""The telephone exchange's door: one for every exchange, whatever bridge stands before it."""

from __future__ import annotations

from fastapi import Body

from app.calls import service as calls
from app.channels.schemas import PhoneEvent, PhoneEvents, PhoneResult, PhoneResults
from app.core.http import Router, TxDep, allow

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
