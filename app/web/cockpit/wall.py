"""The large screen: today in big type, renewed by itself, with nothing to press."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller, CallerDep, TxDep, allow
from app.insight import queries_listing, service
from app.insight.service import Question
from app.web.cockpit import periods, reading
from app.web.pages import Pages
from app.web.rendering import page

router = Pages()

SHARES = ("arrive_on_time", "verified_share", "follow_up_share", "satisfied")


@router.get("/cockpit/wall")
@allow("insight.read")
async def wall(request: Request, tx: TxDep, caller: CallerDep) -> Response:
    return page(request, "cockpit/wall.html", **await today(tx, caller))


@router.get("/cockpit/wall/now")
@allow("insight.read")
async def wall_now(request: Request, tx: TxDep, caller: CallerDep) -> Response:
    """The part that is renewed."""
    return page(request, "cockpit/wall_now.html", **await today(tx, caller))


async def today(tx: Tx, caller: Caller) -> dict[str, Any]:
    day = clock.today()
    report = await service.report(tx, caller, Question(day, day + periods.ONE_DAY), ("division",))
    first, last = periods.trend(day)
    days = (await service.report(tx, caller, Question(first, last + periods.ONE_DAY), ("day",))).groups["day"]
    return {
        "report": report,
        "figures": reading.by_code(report.figures),
        "drawn": reading.lines(days, ("orders", *SHARES)),
        "shares": SHARES,
        "open_incidents": await queries_listing.open_incidents(tx, service.within(caller, report.question)),
        **reading.TOOLS,
    }
