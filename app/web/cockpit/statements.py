"""Settlement statements to read and to print: those of a month, and one with its lines."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.catalog import service as catalog
from app.core import clock
from app.core.http import CallerDep, TxDep, allow
from app.regions.divisions import scope_ranges
from app.settlement import queries, statements, views
from app.settlement.lifecycle import Status
from app.web.cockpit import periods
from app.web.pages import Pages
from app.web.rendering import page

router = Pages()

MOST = 1000
"""Statements of a month, and lines of a statement, that are put on one page; the spreadsheet has them all."""
LIVING = tuple(set(Status) - {Status.VOID})


@router.get("/cockpit/statements")
@allow("settlement.read")
async def of_month(
    request: Request,
    tx: TxDep,
    caller: CallerDep,
    month: Annotated[str | None, Query(pattern=r"^(20[0-9]{2}-(0[1-9]|1[0-2]))?$")] = None,
) -> Response:
    """The last whole month unless asked for another."""
    period = month or f"{periods.quick(clock.today())['last_month'][0]:%Y-%m}"
    found = await queries.statements(
        tx, ranges=scope_ranges(caller.divisions), statuses=LIVING, period=period, provider_id=None, before=None,
        limit=MOST,
    )  # fmt: skip
    return page(
        request,
        "cockpit/statements.html",
        month=period,
        statements=sorted((views.statement_view(row) for row in found), key=lambda one: one.number),
    )


@router.get("/cockpit/statements/{statement_id}")
@allow("settlement.read")
async def one(request: Request, tx: TxDep, caller: CallerDep, statement_id: UUID) -> Response:
    row = await statements.seen(tx, caller, statement_id)
    return page(
        request,
        "cockpit/statement.html",
        statement=await views.detail(tx, row, 0, MOST),
        items={item.code: item.name for item in await catalog.items(tx)},
    )
