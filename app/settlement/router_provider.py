"""The provider's doors: read what one is paid, agree, or object to lines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from app.core.http import CallerDep, IfMatchDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.settlement import queries, statements, views
from app.settlement.answers import Statuses, answer, detail
from app.settlement.lifecycle import CLOSED
from app.settlement.schemas import DisputeBody, StatementDetail, StatementView
from app.settlement.statements import Objection

router = Router(tags=["provider"])


@router.get("/v1/provider/statements", response_model=Page[StatementView], summary="My statements, newest first")
@allow("provider.statements")
async def list_own_statements(
    tx: TxDep, caller: CallerDep, status: Statuses = None, limit: Limit = 50, cursor: CursorParam = None
) -> Any:
    if caller.provider_id is None:
        return Page[StatementView](items=[])
    asked = CLOSED & set(status) if status else CLOSED
    found = await queries.statements(
        tx, ranges=None, statuses=list(asked), period=None, provider_id=caller.provider_id,
        before=after_id(cursor), limit=limit + 1,
    )  # fmt: skip
    return page_of([views.statement_view(row) for row in found], [row["id"] for row in found], limit)


@router.get("/v1/provider/statements/{statement_id}", response_model=StatementDetail, summary="One of my statements")
@allow("provider.statements")
async def read_own_statement(
    tx: TxDep,
    caller: CallerDep,
    statement_id: UUID,
    response: Response,
    limit: Limit = 100,
    cursor: CursorParam = None,
) -> Any:
    return await detail(tx, caller, statement_id, response, limit, cursor)


@router.post(
    "/v1/provider/statements/{statement_id}/confirmation", response_model=StatementView, summary="Agree with all lines"
)
@allow("provider.statements")
async def confirm_statement(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, statement_id: UUID, response: Response
) -> Any:
    await statements.confirm(tx, caller, statement_id, version=version)
    return await answer(tx, caller, statement_id, response)


@router.post("/v1/provider/statements/{statement_id}/dispute", response_model=StatementView, summary="Object to lines")
@allow("provider.statements")
async def dispute_statement(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, statement_id: UUID, body: DisputeBody, response: Response
) -> Any:
    raised = [Objection(entry.line_id, entry.reason, tuple(entry.evidence)) for entry in body.lines]
    await statements.dispute(tx, caller, statement_id, raised, version=version)
    return await answer(tx, caller, statement_id, response)
