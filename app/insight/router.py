"""The doors to indicators."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.core import clock
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.insight import export, queries_snapshots, service
from app.insight.counting import By
from app.insight.indicators import INDICATORS, Figure
from app.insight.schemas import (
    DefinitionsView,
    DefinitionView,
    GroupView,
    IndicatorFigureView,
    IndicatorOrderView,
    IndicatorsView,
    KeptDaysView,
    KeptDayView,
)

router = Router(tags=["insight"])

From = Annotated[date, Query(alias="from", description="The first service day (Asia/Shanghai)")]
To = Annotated[date, Query(description="The day after the last one; at most a year later")]
InDivision = Annotated[str | None, Query(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$", description="With all below it")]
SHEET: dict[int | str, dict[str, Any]] = {
    200: {"content": {export.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/v1/indicators", response_model=IndicatorsView, summary="The indicators of a period, and by one of three")
@allow("insight.read")
async def read_indicators(
    tx: TxDep,
    caller: CallerDep,
    from_: From,
    to: To,
    division: InDivision = None,
    provider_id: UUID | None = None,
    by: By | None = None,
) -> Any:
    asked = service.Question(from_, to, division, provider_id)
    found = await service.report(tx, caller, asked, [by] if by else [])
    groups = [
        GroupView(key=one.key, name=one.name, figures=_figures(one.figures)) for one in (found.groups[by] if by else [])
    ]
    return IndicatorsView(
        first_day=from_, end_day=to, division=division, provider_id=provider_id, by=by,
        figures=_figures(found.figures), groups=groups,
    )  # fmt: skip


@router.get("/v1/indicators/definitions", response_model=DefinitionsView, summary="What each indicator means")
@allow("insight.read")
async def read_definitions() -> Any:
    return DefinitionsView(items=[DefinitionView.model_validate(one) for one in INDICATORS])


@router.get(
    "/v1/indicators/kept-days", response_model=KeptDaysView, summary="Days whose figures were kept, newest first"
)
@allow("insight.read")
async def read_kept_days(tx: TxDep, limit: Limit = 50) -> Any:
    rows = await queries_snapshots.newest(tx, limit)
    return KeptDaysView(items=[KeptDayView(**dict(row)) for row in rows])


@router.get(
    "/v1/indicators/export.xlsx",
    response_class=Response,
    responses=SHEET,
    summary="The figures as a spreadsheet, as they stood at the end of a day",
)
@allow("insight.read")
async def export_indicators(
    tx: TxDep,
    caller: CallerDep,
    from_: From,
    to: To,
    as_of: Annotated[date | None, Query(description="A kept day; without it, as they stand now")] = None,
    division: InDivision = None,
    provider_id: UUID | None = None,
) -> Any:
    asked = service.Question(from_, to, division, provider_id)
    found = await service.report(tx, caller, asked, ("provider", "division", "day"), as_of=as_of)
    headers = {"Content-Disposition": f'attachment; filename="{export.file_name(found)}"'}
    return Response(export.workbook(found, clock.now()), media_type=export.MEDIA_TYPE, headers=headers)


@router.get(
    "/v1/indicators/{code}/orders",
    response_model=Page[IndicatorOrderView],
    summary="The orders an indicator counts: its whole, and which of them are in its part",
)
@allow("insight.read")
async def list_orders(
    tx: TxDep,
    caller: CallerDep,
    code: str,
    from_: From,
    to: To,
    division: InDivision = None,
    provider_id: UUID | None = None,
    counted: Annotated[bool | None, Query(description="Only those in the part, or only those that are not")] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    asked = service.Question(from_, to, division, provider_id)
    rows = await service.listing(tx, caller, asked, code, counted=counted, before=after_id(cursor), limit=limit + 1)
    return page_of([IndicatorOrderView(**dict(row)) for row in rows[:limit]], [row["id"] for row in rows], limit)


def _figures(found: list[Figure]) -> list[IndicatorFigureView]:
    return [
        IndicatorFigureView(
            code=one.indicator.code, part=one.part, whole=one.whole, value=one.value, low=one.low, high=one.high,
            enough=one.enough,
        )
        for one in found
    ]  # fmt: skip
