"""One order behind a signed link: who comes, how far it is, what was done, what it costs, and a word about it."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import Form as InForm
from fastapi import Header, Query, Request, Response
from pydantic import Field

from app.accounts import links
from app.accounts.tokens import hash_of
from app.core import live
from app.core.db import Database
from app.core.errors import NotFound
from app.core.http import DatabaseDep, TxDep, allow
from app.core.text import Note, Word
from app.followup import service as followup
from app.followup.schemas import FamilyRating
from app.orders.lifecycle import TERMINAL
from app.orders.watch import OrderWatch
from app.selfpay import family_page
from app.web.family.timeline import steps
from app.web.light import light_page
from app.web.pages import Form, Pages, see

router = Pages()

HOLD_S = (540.0, 900.0)
"""A stream ends after nine to fifteen minutes: not all of them at one moment, and a link that was revoked ends here."""
HEARTBEAT_S = 40.0
RETRY_MS = (2_000, 12_000)
LONGEST = 2**31 - 1
MOST_OF_A_LINK = 8
"""So many pages of one link may be left open: a family, and telephones that have lost their line."""
_ID = re.compile(r"[0-9]{1,10}")


class RatingForm(Form):
    score: int = Field(ge=1, le=5)
    tags: list[Word] = Field(default_factory=list, max_length=10)
    comment: Note | None = None

    def as_rating(self) -> FamilyRating:
        return FamilyRating(score=self.score, tags=self.tags, comment=self.comment)


@router.get("/f/{token}")
@allow("family.order")
async def order_page(tx: TxDep, request: Request, token: str) -> Response:
    try:
        order_id = await links.opened(tx, token, followup.FAMILY_LINK, request.headers.get("user-agent", ""))
        order = await family_page.page(tx, order_id)
    except NotFound:
        return gone(request)
    stream = f"/f/{token}/stream" if order.status not in TERMINAL else None
    return light_page(request, "family/order.html", order=order, steps=steps(order), token=token, stream=stream)


@router.post("/f/{token}/rating")
@allow("family.rate")
async def rate(tx: TxDep, token: str, form: Annotated[RatingForm, InForm()]) -> Response:
    await followup.rate_by_link(tx, token, form.as_rating())
    return see(f"/f/{token}#rate")


@router.get("/f/{token}/stream")
@allow("family.order", own_transaction=True)
async def stream(
    request: Request,
    database: DatabaseDep,
    token: str,
    after: Annotated[int, Query(ge=0, le=LONGEST)] = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Says when there is something new, and not what: the page asks for itself again."""
    async with database.transaction() as tx:
        order_id = await links.leads_to(tx, token, followup.FAMILY_LINK)
    seen = max(after, int(last_event_id)) if last_event_id and _ID.fullmatch(last_event_id) else after
    watch, whose = _watch(request, database), hash_of(token)
    places = live.places(request.app.state, "family_places", MOST_OF_A_LINK)
    places.check(whose)

    async def news() -> AsyncGenerator[str]:
        yield f"retry: {random.randint(*RETRY_MS)}\n\n"  # noqa: S311 (no secret: not all at one moment)
        async with aclosing(watch.follow(order_id, seen, random.uniform(*HOLD_S), HEARTBEAT_S)) as versions:  # noqa: S311
            async for version in versions:
                yield ":\n\n" if version is None else f"id: {version}\nevent: changed\ndata: {version}\n\n"

    return live.LiveResponse(news(), places, whose)


@router.get("/f/{anything:path}")
@allow("family.order", own_transaction=True)
async def no_such_link(request: Request, anything: str) -> Response:
    return gone(request)


def gone(request: Request) -> Response:
    """The same for a link that never was, has expired, was revoked, or was mistyped: whoever guesses learns nothing."""
    return light_page(request, "family/gone.html", status=404)


def _watch(request: Request, database: Database) -> OrderWatch:
    """The one of this process, made for the first page that is left open."""
    state = request.app.state
    if not hasattr(state, "order_watch"):
        state.order_watch = OrderWatch(database)
    found: OrderWatch = state.order_watch
    return found
