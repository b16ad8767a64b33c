"""The desk's doors to calls: what rings now, who may be calling, who did not reach us."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.accounts import audit
from app.calls import callbacks, figures, queries, views
from app.calls.record import CallState, Outcome
from app.calls.schemas import CallbackResult, CallbackView, CallView, FigureView, HotlineView
from app.core import clock
from app.core.errors import Invalid
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.core.text import Instant
from app.regions.divisions import scope_ranges

router = Router(tags=["calls"])

LONGEST = timedelta(days=366)


@router.get("/v1/calls", response_model=Page[CallView], summary="Calls, newest first; by state: what is on the line")
@allow("requests.read")
async def list_calls(
    tx: TxDep,
    state: CallState | None = None,
    outcome: Outcome | None = None,
    queue: Annotated[str | None, Query(max_length=40)] = None,
    agent: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.find(tx, state, outcome, queue, agent, after_id(cursor), limit + 1)
    return page_of([views.call(tx, row) for row in rows[:limit]], [row["id"] for row in rows], limit)


@router.get("/v1/hotline-figures", response_model=HotlineView, summary="How calls were answered: GB/T 33358 and NENA")
@allow("hotline.read")
async def read_figures(
    tx: TxDep, begin: Instant, end: Instant, queue: Annotated[str | None, Query(max_length=40)] = None
) -> Any:
    if not begin < end <= begin + LONGEST:
        raise Invalid("period_impossible", "a period ends after it begins, and is a year at the most", field="end")
    counts = figures.Counts(**await queries.counts(tx, begin, end, queue, figures.SHORT_S))
    return HotlineView(
        begin=begin, end=end, queue=queue, offered=counts.offered, answered=counts.answered,
        abandoned=counts.abandoned, voicemail=counts.voicemail, unknown=counts.unknown,
        figures=[FigureView.model_validate(figure) for figure in figures.figures(counts)],
    )  # fmt: skip


@router.get("/v1/calls/{call_id}", response_model=CallView, summary="One call")
@allow("requests.read")
async def read_call(tx: TxDep, call_id: UUID) -> Any:
    return views.call(tx, await queries.one(tx, call_id))


@router.get(
    "/v1/callback-tasks", response_model=Page[CallbackView],
    summary="Callers who did not reach us, and messages that did not reach them; the most pressing first",
)  # fmt: skip
@allow("requests.read")
async def list_callbacks(
    tx: TxDep,
    caller: CallerDep,
    status: Annotated[str, Query(pattern="^(due|done|withdrawn)$")] = "due",
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    ranges = scope_ranges(caller.divisions)
    tasks = await queries.tasks(tx, status, callbacks.place_after(cursor), ranges, limit + 1)
    now = clock.now()
    more = callbacks.cursor_at(tasks[limit - 1]) if len(tasks) > limit else None
    return {"items": [callbacks.view(tx, task, now) for task in tasks[:limit]], "next_cursor": more}


@router.get("/v1/callback-tasks/{task_id}", response_model=CallbackView, summary="Whom to call back, in plain text")
@allow("elders.reveal")
async def read_callback(tx: TxDep, caller: CallerDep, task_id: UUID) -> Any:
    task = await callbacks.seen(tx, caller, task_id)
    await audit.record(tx, caller, "requests.reveal", "callback_task", task_id, ("phone",), "call back")
    return callbacks.view(tx, task, clock.now(), plain=True)


@router.post(
    "/v1/callback-tasks/{task_id}/completion", response_model=CallbackView, summary="What calling back came to"
)
@allow("requests.write")
async def complete_callback(tx: TxDep, caller: CallerDep, task_id: UUID, body: CallbackResult) -> Any:
    task = await callbacks.complete(tx, caller, task_id, body.result, body.note or None)
    return callbacks.view(tx, task, clock.now())
