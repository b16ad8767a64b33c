"""A month on paper."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query, Request, Response

from app.core import clock
from app.core.errors import Invalid
from app.core.http import CallerDep, TxDep, allow
from app.insight import queries_snapshots, service
from app.insight.service import Question
from app.web.cockpit import periods, reading
from app.web.pages import Pages
from app.web.rendering import page

router = Pages()

KEPT_DAYS = 92


@router.get("/cockpit/report")
@allow("insight.read")
async def month(
    request: Request,
    tx: TxDep,
    caller: CallerDep,
    month: Annotated[str | None, Query(pattern=r"^(20[0-9]{2}-(0[1-9]|1[0-2]))?$")] = None,
    as_of: Annotated[str | None, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = None,
) -> Response:
    """The last whole month, as it stands now, unless asked for another or as of a kept day."""
    try:
        kept = date.fromisoformat(as_of) if as_of else None
    except ValueError as impossible:
        raise Invalid("date_impossible", "there is no such day", field="as_of") from impossible
    first, last = periods.month_of(month) if month else periods.quick(clock.today())["last_month"]
    asked = Question(first, last + periods.ONE_DAY)
    report = await service.report(tx, caller, asked, ("provider", "division"), as_of=kept)
    return page(
        request,
        "cockpit/report.html",
        report=report,
        month=f"{first:%Y-%m}",
        as_of=kept,
        **reading.TOOLS,
        kept_days=await queries_snapshots.newest(tx, KEPT_DAYS),
    )
