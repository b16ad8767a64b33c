"""Doors to divisions and the working calendar."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query

from app.core.errors import Invalid
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, decode_cursor, encode_cursor
from app.regions import queries, service
from app.regions.divisions import is_code
from app.regions.schemas import CalendarDayView, CalendarView, DecideDay, DivisionPage, DivisionView, Kind

router = Router(tags=["regions"])

Parent = Annotated[str | None, Query(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$", description="Children of this code")]


@router.get("/v1/divisions", response_model=DivisionPage, summary="Divisions within your scope, by code")
@allow("regions.read")
async def list_divisions(
    tx: TxDep,
    caller: CallerDep,
    kind: Kind | None = None,
    parent: Parent = None,
    limit: Limit = 200,
    cursor: CursorParam = None,
) -> DivisionPage:
    after = _after(cursor)
    found = await service.divisions(tx, caller.divisions, kind=kind, parent=parent, after=after, limit=limit + 1)
    more = len(found) > limit
    return DivisionPage(
        items=[DivisionView.model_validate(division) for division in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].code) if more else None,
    )


@router.get("/v1/calendar-days", response_model=CalendarView, summary="Holidays and make-up working days of a year")
@allow("regions.read")
async def list_days(tx: TxDep, year: Annotated[int, Query(ge=2000, le=2100)]) -> CalendarView:
    found = await queries.days(tx, date(year, 1, 1), date(year, 12, 31))
    return CalendarView(items=[CalendarDayView.model_validate(row) for row in found])


@router.put("/v1/calendar-days/{day}", response_model=CalendarDayView, summary="Decide about one day")
@allow("regions.write")
async def put_day(tx: TxDep, day: date, decided: DecideDay) -> CalendarDayView:
    await service.set_day(tx, day, is_workday=decided.is_workday, name=decided.name, source=decided.source)
    return CalendarDayView(day=day, **decided.model_dump())


def _after(cursor: str | None) -> str:
    if cursor is None:
        return ""
    code = decode_cursor(cursor)[0]
    if not is_code(code):
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor")
    return code
