"""The pages of the cockpit: the overview, what indicators mean, and the orders behind one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.accounts import policy
from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller, CallerDep, TxDep, allow
from app.core.paging import CursorParam, after_id, encode_cursor
from app.insight import queries_listing, queries_snapshots, service
from app.insight.indicators import BY_CODE, GROUPS, INDICATORS, Unit
from app.insight.service import Group, Question
from app.web.cockpit import evidence, maps, periods, reading, reports, statements, wall
from app.web.cockpit.periods import Chosen, FiltersDep
from app.web.pages import Pages
from app.web.rendering import page

router = Pages()

LISTED = 50
KEPT_DAYS = 92


@router.get("/cockpit")
@allow("insight.read")
async def overview(request: Request, tx: TxDep, caller: CallerDep, asked: FiltersDep) -> Response:
    chosen = asked.chosen()
    report = await service.report(tx, caller, chosen.question, ("provider", "division"))
    return page(
        request,
        "cockpit/overview.html",
        report=report,
        days=await last_days(tx, caller, chosen),
        kept_days=await queries_snapshots.newest(tx, KEPT_DAYS),
        **await choosing(tx, caller, chosen),
    )


@router.get("/cockpit/definitions")
@allow("insight.read")
async def definitions(request: Request) -> Response:
    return page(request, "cockpit/definitions.html", indicators=INDICATORS, groups=GROUPS)


@router.get("/cockpit/indicators/{code}")
@allow("insight.read")
async def behind(
    request: Request,
    tx: TxDep,
    caller: CallerDep,
    code: str,
    asked: FiltersDep,
    counted: Annotated[bool | None, Query()] = None,
    cursor: CursorParam = None,
) -> Response:
    """The orders behind an indicator; of one that does not count orders, its definition and figure."""
    indicator, chosen = BY_CODE.get(code), asked.chosen()
    if indicator is None:
        raise NotFound("indicator_unknown", "no indicator has this code")
    report = await service.report(tx, caller, chosen.question)
    rows: list[Any] = []
    if indicator.listed:
        rows = await service.listing(
            tx, caller, chosen.question, code, counted=counted, before=after_id(cursor), limit=LISTED + 1
        )
    shown = rows[:LISTED]
    return page(
        request,
        "cockpit/orders.html",
        indicator=indicator,
        figure=next((one for one in report.figures if one.indicator is indicator), None),
        rows=shown,
        next_cursor=encode_cursor(shown[-1]["id"]) if len(rows) > LISTED else None,
        counted=counted,
        names=await queries_listing.division_names(tx, {row["division_code"] for row in shown}),
        companies=await queries_listing.provider_names(tx, {row["provider_id"] for row in shown if row["provider_id"]}),
        may_see=policy.may(caller, "visits.read"),
        has_part=indicator.unit is Unit.SHARE or indicator.funnel,
        **await choosing(tx, caller, chosen),
    )


async def last_days(tx: Tx, caller: Caller, chosen: Chosen) -> list[Group]:
    """The fourteen days up to the last one chosen."""
    first, last = periods.trend(chosen.last)
    asked = Question(first, last + periods.ONE_DAY, chosen.division, chosen.provider_id)
    return (await service.report(tx, caller, asked, ("day",))).groups["day"]


async def choosing(tx: Tx, caller: Caller, chosen: Chosen) -> dict[str, Any]:
    """Values of the form on top, and what templates draw with."""
    return {
        "chosen": chosen,
        "quick": periods.quick(clock.today()),
        **await reading.choices(tx, caller),
        **reading.TOOLS,
    }


for part in (evidence, maps, reports, statements, wall):
    router.include_router(part.router)
