"""`GET /v1/desk/stream`: screen-pops, new requests, emergencies, order alarms, as server-sent events."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from app.channels.desk import DeskFeed
from app.core.db import Database
from app.core.errors import Invalid
from app.core.http import Caller, CallerDep, DatabaseDep, Router, allow
from app.jobs.feed import Position

router = Router(tags=["desk"])

MAX_S = 300
"""A stream ends after five minutes and the browser comes back with its last id: a session that has been closed
meanwhile then ends here too."""

_ID = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


@router.get(
    "/v1/desk/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events; ids are positions to come back with",
            "content": {
                "text/event-stream": {
                    "example": "id: 812-4\nevent: agent.offered\n"
                    'data: {"call":"0197…","agent":"8001","elders":["0197…"],"type":"agent.offered"}\n\n'
                }
            },
        }
    },
    summary="What happens at the desk, live",
)
@allow("desk.stream", own_transaction=True)
async def stream(
    request: Request,
    database: DatabaseDep,
    caller: CallerDep,
    agent: Annotated[str | None, Query(max_length=40, description="My extension; offers to others stay out")] = None,
    hold: Annotated[int, Query(ge=1, le=MAX_S, description="Seconds until the stream ends")] = MAX_S,
    last_event_id: Annotated[str | None, Header(description="Position to go on from")] = None,
) -> StreamingResponse:
    after = _position(last_event_id)
    return StreamingResponse(
        _events(_feed(request, database), caller, agent, after, hold),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    desk: DeskFeed, caller: Caller, agent: str | None, after: Position | None, hold: int
) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async with aclosing(desk.follow(after, hold)) as entries:
        async for entry in entries:
            if entry is None:
                yield ": still here\n\n"
            elif entry.concerns(caller.divisions, agent):
                yield entry.text()


def _feed(request: Request, database: Database) -> DeskFeed:
    """The one reader of this process, made for the first listener."""
    state = request.app.state
    if not hasattr(state, "desk_feed"):
        state.desk_feed = DeskFeed(database)
    found: DeskFeed = state.desk_feed
    return found


def _position(last_event_id: str | None) -> Position | None:
    if not last_event_id:
        return None
    found = _ID.fullmatch(last_event_id.strip())
    if found is None:
        raise Invalid("last_event_id_malformed", "send the id of the last event as it was given")
    return Position(int(found[1]), int(found[2]))
