"""`GET /v1/desk/stream`: screen-pops, new requests, emergencies, order alarms, as server-sent events."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from app.channels.desk import DeskFeed, Entry
from app.core import live
from app.core.db import Database
from app.core.errors import Invalid
from app.core.http import Caller, CallerDep, DatabaseDep, Router, allow
from app.core.text import Word
from app.jobs.feed import Position

router = Router(tags=["desk"])

MAX_S = 300
"""A stream ends after five minutes and the browser comes back with its last id: a session that has been closed
meanwhile then ends here too."""

STALLED_S = live.STALLED_S
"""For whoever does not read, the next events wait in the feed, which everybody shares."""

MOST_OF_A_SESSION = 8
"""One for each page that is open. A browser keeps six lines to a server at the most, or, over HTTP/2, one for all."""

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
    about: Annotated[
        list[Word] | None, Query(max_length=20, description="Only events whose type begins with one of these")
    ] = None,
    last_event_id: Annotated[str | None, Header(description="Position to go on from")] = None,
) -> StreamingResponse:
    desk = _feed(request, database)
    start = await desk.start(_position(last_event_id))
    places, whose = live.places(request.app.state, "desk_places", MOST_OF_A_SESSION), caller.facts["session"]
    places.check(whose)
    return live.LiveResponse(
        _events(desk, caller, agent, tuple(about or ()), start, hold), places, whose, patience_s=STALLED_S
    )


async def _events(
    desk: DeskFeed, caller: Caller, agent: str | None, about: tuple[str, ...], start: Position, hold: int
) -> AsyncGenerator[bytes]:
    # Whoever reads the present state after this has been said misses nothing in between.
    yield f'event: ready\nid: {start.txid}-{start.id}\nretry: 1000\ndata: {{"type":"ready"}}\n\n'.encode()
    async with aclosing(desk.follow(start, hold)) as batches:
        async for entries in batches:
            mine = [
                entry.text for entry in entries if _wanted(entry, about) and entry.concerns(caller.divisions, agent)
            ]
            if mine:
                yield b"".join(mine)
            elif not entries:
                yield b": still here\n\n"


def _wanted(entry: Entry, about: tuple[str, ...]) -> bool:
    return not about or entry.type.startswith(about)


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
