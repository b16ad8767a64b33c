"""The board: every open order, live, with filters that live in the address and views that somebody saved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import fastapi
from fastapi import Request, Response
from pydantic import Field

from app.accounts import saved_views, scope
from app.core import clock
from app.core.db import Tx
from app.core.http import Caller, CallerDep, TxDep, allow
from app.core.json import dumps
from app.orders import board
from app.providers import queries as providers
from app.providers.models import Provider
from app.regions import service as regions
from app.regions.divisions import covers_any, prefix_of, scope_ranges
from app.web.console.board_filter import STATUSES, URGENCIES, Filter
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()

PAGE = "board"
PER_PAGE = 50
PLACES = ("district", "county", "street", "town", "township")
"""Kinds of divisions one may filter by."""
MOST_DIVISIONS = 20_000
MOST_PROVIDERS = 500


class ViewForm(Form):
    name: Annotated[str, Field(min_length=1, max_length=40)]
    query: Annotated[str, Field(max_length=2000)] = ""


class RemovalForm(Form):
    query: Annotated[str, Field(max_length=2000)] = ""


@router.get("/console/board")
@allow("board.read")
async def show(request: Request, tx: TxDep, caller: CallerDep) -> Response:
    """A page of lines for whoever has no script; with one, the same filters over all of them."""
    chosen = Filter.of(request.query_params.multi_items())
    lines = await _lines(tx, caller, chosen, limit=PER_PAGE + 1, offset=(chosen.page - 1) * PER_PAGE)
    divisions = await regions.divisions(tx, caller.divisions, limit=MOST_DIVISIONS)
    return page(
        request,
        "console/board.html",
        chosen=chosen,
        lines=[shown(line) for line in lines[:PER_PAGE]],
        more=len(lines) > PER_PAGE,
        names={one.code: one.name for one in divisions},
        places=[(one.code, one.name, prefix_of(one.code)) for one in divisions if one.kind in PLACES],
        providers=await _providers(tx, caller),
        statuses=STATUSES,
        urgencies=URGENCIES,
        views=await saved_views.mine(tx, caller, PAGE),
        told=None,
    )


@router.get("/console/board/lines")
@allow("board.read")
async def lines(tx: TxDep, caller: CallerDep) -> Response:
    """Every open order in scope, for the board's script: {now, fields, lines, names of divisions}."""
    divisions = await regions.divisions(tx, caller.divisions, limit=MOST_DIVISIONS)
    found = await board.lines(tx, scope_ranges(caller.divisions), board.Wanted())
    return Response(dumps(told(found, {one.code: one.name for one in divisions})), media_type="application/json")


@router.post("/console/board/views")
@allow("board.views")
async def save_view(tx: TxDep, caller: CallerDep, form: Annotated[ViewForm, fastapi.Form()]) -> Response:
    query = Filter.read(form.query).on_page(1).query()
    await saved_views.save(tx, caller, PAGE, form.name, query)
    return see(_address(query))


@router.post("/console/board/views/{view_id}/removal")
@allow("board.views")
async def forget_view(
    tx: TxDep, caller: CallerDep, view_id: UUID, form: Annotated[RemovalForm, fastapi.Form()]
) -> Response:
    await saved_views.forget(tx, caller, view_id)
    return see(_address(Filter.read(form.query).query()))


def told(lines: list[board.Line], names: dict[str, str]) -> dict[str, Any]:
    """What the board's script begins with."""
    return {"now": int(clock.now().timestamp()), "fields": board.FIELDS, "names": names, "lines": lines}


def _address(query: str) -> str:
    return f"/console/board?{query}" if query else "/console/board"


async def _lines(tx: Tx, caller: Caller, chosen: Filter, *, limit: int, offset: int) -> list[board.Line]:
    asked = [chosen.division] if covers_any(caller.divisions, chosen.division) else []
    wanted = board.Wanted(
        statuses=chosen.status,
        urgency=chosen.urgency or None,
        provider_id=UUID(chosen.provider) if chosen.provider else None,
        late_at=clock.now() if chosen.late else None,
        text=chosen.q or None,
        sort=chosen.sort,
    )
    ranges = scope_ranges(asked if chosen.division else caller.divisions)
    return await board.lines(tx, ranges, wanted, limit=limit, offset=offset)


async def _providers(tx: Tx, caller: Caller) -> list[tuple[str, str]]:
    """Those of the caller's divisions, by name."""
    visible = scope.within(Provider.division_code, caller)
    found = await providers.providers(
        tx, visible, status=None, serving=None, item_code=None, after=None, limit=MOST_PROVIDERS
    )
    return sorted(((str(one.id), one.name) for one in found), key=lambda one: one[1])


def shown(line: board.Line) -> dict[str, Any]:
    """A line by name, with times that templates can write."""
    named = dict(zip(board.FIELDS, line, strict=True))
    times = {
        name: datetime.fromtimestamp(named[name], UTC)
        for name in ("from", "to", "due_at", "dispatched_at")
        if named[name]
    }
    return named | times
