"""The doors of the desk at the telephones."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.calls import queries as calls
from app.calls import views as call_views
from app.core import clock
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.ids import new_secret
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.core.text import Instant
from app.hotline import checks, dialling, nuisance, presence, queries, queries_listening, recordings, screen
from app.hotline.schemas import (
    CheckBody,
    CheckView,
    DeskView,
    DialBody,
    DialView,
    ItemBody,
    NuisanceBody,
    NuisanceDecision,
    NuisanceView,
    PresenceBody,
    RecordingView,
    SampleView,
    ScreenView,
    SheetBody,
    SheetView,
    SourceBody,
    SourceView,
)
from app.hotline.sheets import Item

router = Router(tags=["hotline"])

AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"description": "The recording", "content": {"audio/wav": {}, "audio/mpeg": {}, "audio/ogg": {}}}
}
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]


@router.get("/v1/calls/{call_id}/screen", response_model=ScreenView, summary="Who may be calling, for the screen-pop")
@allow("requests.read")
async def read_screen(tx: TxDep, caller: CallerDep, call_id: UUID) -> Any:
    return await screen.of_call(tx, caller, call_id)


@router.get("/v1/desk/operators", response_model=DeskView, summary="Who is at the telephones, and what waits for them")
@allow("hotline.read")
async def read_desk(tx: TxDep) -> Any:
    return await presence.desk(tx)


@router.put("/v1/desk/presence", response_model=DeskView, summary="I am at this extension, in this state")
@allow("requests.write")
async def enter(tx: TxDep, caller: CallerDep, body: PresenceBody) -> Any:
    await presence.enter(tx, caller, body.extension, body.state, body.reason, take_over=body.take_over)
    return await presence.desk(tx)


@router.delete("/v1/desk/presence", response_model=DeskView, summary="I leave")
@allow("requests.write")
async def leave(tx: TxDep, caller: CallerDep) -> Any:
    await presence.leave(tx, caller)
    return await presence.desk(tx)


@router.post("/v1/dials", response_model=DialView, status_code=201, summary="Connect me")
@allow("requests.write")
async def dial(tx: TxDep, caller: CallerDep, body: DialBody) -> Any:
    return await dialling.request(tx, caller, body.about, body.about_id)


@router.get("/v1/dials/{dial_id}", response_model=DialView, summary="What became of it")
@allow("requests.read")
async def read_dial(tx: TxDep, dial_id: UUID) -> Any:
    return await dialling.one(tx, dial_id)


@router.get("/v1/calls/{call_id}/recordings", response_model=list[RecordingView], summary="What there is of a call")
@allow("recordings.read")
async def list_recordings(tx: TxDep, call_id: UUID) -> Any:
    await calls.one(tx, call_id)
    return [
        RecordingView(**{**dict(row), "sha256": row["sha256"].hex() if row["sha256"] is not None else None})
        for row in await queries_listening.of_call(tx, call_id)
    ]


@router.get(
    "/v1/calls/{call_id}/recording", response_class=Response, responses=AUDIO,
    summary="Listen; who did, and why, is written down",
)  # fmt: skip
@allow("recordings.read")
async def listen(
    request: Request,
    tx: TxDep,
    caller: CallerDep,
    call_id: UUID,
    reason: Annotated[str, Query(min_length=2, max_length=200)],
) -> Response:
    content, media_type = await recordings.listen(tx, caller, call_id, reason, request.app.state.settings.data_dir)
    return Response(content, media_type=media_type)


@router.get("/v1/recording-sources", response_model=list[SourceView], summary="Where recordings may be fetched from")
@allow("keys.manage")
async def list_sources(tx: TxDep) -> Any:
    return [SourceView(**dict(row)) for row in await queries_listening.sources(tx)]


@router.put("/v1/recording-sources/{source}/{instance}", response_model=list[SourceView], summary="Set one")
@allow("keys.manage")
async def put_source(tx: TxDep, caller: CallerDep, source: Name, instance: Name, body: SourceBody) -> Any:
    await recordings.put_source(tx, caller, source, instance, body.bases, body.keep_days)
    return await list_sources(tx)


@router.post("/v1/calls/{call_id}/nuisance", response_model=NuisanceView, status_code=201, summary="Propose a number")
@allow("requests.write")
async def propose(tx: TxDep, caller: CallerDep, call_id: UUID, body: NuisanceBody) -> Any:
    return await nuisance.propose(tx, caller, call_id, body.reason)


@router.get("/v1/nuisance-numbers", response_model=Page[NuisanceView], summary="Proposed and listed numbers, masked")
@allow("requests.read")
async def list_nuisances(
    tx: TxDep,
    status: Annotated[str | None, Query(pattern="^(proposed|listed|declined|lifted)$")] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.nuisances(tx, status, after_id(cursor), limit + 1)
    return page_of([nuisance.view(tx, row) for row in rows[:limit]], [row["id"] for row in rows], limit)


@router.post("/v1/nuisance-numbers/{number_id}/decision", response_model=NuisanceView, summary="List it, or do not")
@allow("calls.judge")
async def decide(tx: TxDep, caller: CallerDep, number_id: UUID, body: NuisanceDecision) -> Any:
    return await nuisance.decide(tx, caller, number_id, listed=body.listed, valid_until=body.valid_until)


@router.post("/v1/nuisance-numbers/{number_id}/lifting", response_model=NuisanceView, summary="It was none after all")
@allow("calls.judge")
async def lift(tx: TxDep, caller: CallerDep, number_id: UUID) -> Any:
    return await nuisance.lift(tx, caller, number_id)


@router.get("/v1/score-sheet", response_model=SheetView, summary="What calls are judged by, as of a day")
@allow("hotline.read")
async def read_sheet(tx: TxDep, at: Instant) -> Any:
    since, items = await checks.sheet_of(tx, clock.service_day(at))
    return SheetView(valid_from=since, items=[ItemBody(**checks.item_json(item)) for item in items])


@router.put("/v1/score-sheet", response_model=SheetView, summary="A new sheet from a day on")
@allow("calls.judge")
async def put_sheet(tx: TxDep, caller: CallerDep, body: SheetBody) -> Any:
    await checks.publish(tx, caller, body.valid_from, [Item(**item.model_dump()) for item in body.items])
    return SheetView(valid_from=body.valid_from, items=body.items)


@router.get("/v1/call-checks/sample", response_model=SampleView, summary="Calls to judge, drawn by lot")
@allow("calls.judge")
async def draw(
    tx: TxDep,
    begin: Instant,
    end: Instant,
    count: Annotated[int, Query(ge=1, le=100)] = 10,
    seed: Annotated[str | None, Query(max_length=80)] = None,
) -> Any:
    lot = seed or new_secret(9)
    rows = await checks.draw(tx, begin, end, count, lot)
    return SampleView(seed=lot, calls=[call_views.call(tx, row) for row in rows])


@router.post("/v1/calls/{call_id}/check", response_model=CheckView, status_code=201, summary="Judge a call")
@allow("calls.judge")
async def judge(tx: TxDep, caller: CallerDep, call_id: UUID, body: CheckBody) -> Any:
    return await checks.judge(tx, caller, call_id, body.points, body.note or None)


@router.get("/v1/call-checks", response_model=Page[CheckView], summary="Judged calls, newest first; an operator's own")
@allow("hotline.read")
async def list_checks(
    tx: TxDep,
    caller: CallerDep,
    agent: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    own = UUID(caller.id) if caller.roles <= {"operator"} else None
    rows = await queries_listening.checks(tx, agent, own, after_id(cursor), limit + 1)
    return page_of([checks.view(tx, row) for row in rows[:limit]], [row["id"] for row in rows], limit)
