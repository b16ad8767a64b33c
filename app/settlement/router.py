"""The desk's doors of settlement; the ledger's and the providers' doors are beside it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.accounts.scope import sees
from app.core.db import Tx
from app.core.http import Caller, CallerDep, DatabaseDep, IfMatchDep, Router, TxDep, allow
from app.core.ids import new_id
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.regions.divisions import scope_ranges
from app.settlement import (
    adjustments,
    agreements,
    export,
    periods,
    queries,
    queries_runs,
    router_caregiver,
    router_ledger,
    router_provider,
    runs,
    statements,
    views,
)
from app.settlement.answers import Statuses, answer, detail
from app.settlement.contracts import Band, LatePenalty, Terms
from app.settlement.lifecycle import Status
from app.settlement.schemas import (
    AdjustmentBody,
    ContractBody,
    ContractView,
    CreatedView,
    DecisionBody,
    HoldbackReleaseBody,
    IssueBody,
    PaymentBody,
    Period,
    RecomputationView,
    RunBody,
    RunView,
    StatementDetail,
    StatementView,
    UnsettledView,
)

router = Router(tags=["settlement"])
router.include_router(router_ledger.router)
router.include_router(router_provider.router)
router.include_router(router_caregiver.router)


@router.post("/v1/settlement-runs", response_model=RunView, summary="Settle a month; repeatable")
@allow("settlement.run", keyed=False, own_transaction=True)
async def start_run(database: DatabaseDep, caller: CallerDep, body: RunBody) -> Any:
    run_id = await runs.run(database, caller, body.period, body.provider_id)
    async with database.transaction() as tx:
        return await _run_view(tx, caller, run_id)


@router.get("/v1/settlement-runs/{run_id}", response_model=RunView, summary="One run with its statements")
@allow("settlement.read")
async def read_run(tx: TxDep, caller: CallerDep, run_id: UUID) -> Any:
    return await _run_view(tx, caller, run_id)


async def _run_view(tx: Tx, caller: Caller, run_id: UUID) -> RunView:
    row = await runs.seen_run(tx, caller, run_id)
    found = await queries.statements_of_period(tx, row["period"], row["provider_id"])
    return views.run_view(row, [entry for entry in found if sees(caller, entry["division_code"])])


@router.get(
    "/v1/settlement-runs/{run_id}/unsettled",
    response_model=Page[UnsettledView],
    summary="Services of the month that are on no statement, and why",
)
@allow("settlement.read")
async def list_unsettled(
    tx: TxDep, caller: CallerDep, run_id: UUID, limit: Limit = 50, cursor: CursorParam = None
) -> Any:
    row = await runs.seen_run(tx, caller, run_id)
    start, end = periods.bounds(row["period"])
    found = await queries_runs.unsettled(
        tx, row["period"], start, end, row["provider_id"], scope_ranges(caller.divisions), after_id(cursor), limit + 1
    )
    items = [UnsettledView.model_validate(dict(entry)) for entry in found]
    return page_of(items, [entry["order_id"] for entry in found], limit)


@router.get("/v1/contracts", response_model=list[ContractView], summary="Contracts in my divisions")
@allow("settlement.read")
async def list_contracts(tx: TxDep, caller: CallerDep, provider_id: UUID | None = None) -> Any:
    found = await queries_runs.contracts_of(tx, provider_id)
    return [views.contract_view(row) for row in found if sees(caller, row["division_code"])]


@router.post("/v1/contracts", response_model=CreatedView, status_code=201, summary="Put contract terms in force")
@allow("settlement.approve")
async def add_contract(tx: TxDep, caller: CallerDep, body: ContractBody) -> Any:
    terms = Terms(
        contract_id=new_id(),
        division_code=body.division_code,
        bands=tuple(Band(band.min_score, band.bp) for band in body.bands),
        unrated_bp=body.unrated_bp,
        late=tuple(LatePenalty(step.over_minutes, step.bp) for step in body.late),
        complaint_bp=body.complaint_bp,
        partly_visit_bp=body.partly_visit_bp,
        holdback_bp=body.holdback_bp,
        confirm_days=body.confirm_days,
    )
    return {"id": await agreements.add_contract(tx, caller, body.provider_id, terms, body.valid_from, body.valid_to)}


@router.get("/v1/statements", response_model=Page[StatementView], summary="Statements in my divisions, newest first")
@allow("settlement.read")
async def list_statements(
    tx: TxDep,
    caller: CallerDep,
    status: Statuses = None,
    period: Annotated[Period | None, Query()] = None,
    provider_id: UUID | None = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    asked = status or list(set(Status) - {Status.VOID})
    found = await queries.statements(
        tx, ranges=scope_ranges(caller.divisions), statuses=asked, period=period, provider_id=provider_id,
        before=after_id(cursor), limit=limit + 1,
    )  # fmt: skip
    return page_of([views.statement_view(row) for row in found], [row["id"] for row in found], limit)


@router.get(
    "/v1/statements/{statement_id}", response_model=StatementDetail, summary="One statement, its lines and their inputs"
)
@allow("settlement.read")
async def read_statement(
    tx: TxDep,
    caller: CallerDep,
    statement_id: UUID,
    response: Response,
    limit: Limit = 100,
    cursor: CursorParam = None,
) -> Any:
    return await detail(tx, caller, statement_id, response, limit, cursor)


@router.get(
    "/v1/statements/{statement_id}/recomputation",
    response_model=RecomputationView,
    summary="Compute the statement again from its frozen inputs and compare",
)
@allow("settlement.read")
async def recompute_statement(tx: TxDep, caller: CallerDep, statement_id: UUID) -> Any:
    await statements.seen(tx, caller, statement_id)
    again = await statements.recompute(tx, statement_id)
    return {
        "content_hash": again.content_hash.hex(),
        "stored_hash": again.stored_hash.hex(),
        "same": again.same,
        "differing": list(again.differing),
    }


@router.get(
    "/v1/statements/{statement_id}/export.xlsx",
    response_class=Response,
    responses={200: {"content": {export.MEDIA_TYPE: {}}, "description": "The spreadsheet"}},
    summary="The statement as a spreadsheet",
)
@allow("settlement.read")
async def export_statement(tx: TxDep, caller: CallerDep, statement_id: UUID) -> Response:
    row = await statements.seen(tx, caller, statement_id)
    content = export.workbook(row, await queries.lines(tx, statement_id))
    named = {"Content-Disposition": f'attachment; filename="{row["number"]}.xlsx"'}
    return Response(content, media_type=export.MEDIA_TYPE, headers=named)


@router.post("/v1/statements/{statement_id}/issue", response_model=StatementView, summary="Fix the numbers")
@allow("settlement.run")
async def issue_statement(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, statement_id: UUID, body: IssueBody, response: Response
) -> Any:
    await statements.issue(tx, caller, statement_id, version=version, early=body.early)
    return await answer(tx, caller, statement_id, response)


@router.post(
    "/v1/statements/{statement_id}/disputes/{dispute_id}/decision",
    response_model=StatementView,
    summary="Decide a provider's objection",
)
@allow("settlement.review")
async def decide_dispute(
    tx: TxDep, caller: CallerDep, statement_id: UUID, dispute_id: UUID, body: DecisionBody, response: Response
) -> Any:
    await statements.decide(
        tx, caller, statement_id, dispute_id, upheld=body.upheld, amount_fen=body.amount_fen, note=body.note
    )
    return await answer(tx, caller, statement_id, response)


@router.post("/v1/statements/{statement_id}/review", response_model=StatementView, summary="Review")
@allow("settlement.review")
async def review_statement(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, statement_id: UUID, response: Response
) -> Any:
    await statements.review(tx, caller, statement_id, version=version)
    return await answer(tx, caller, statement_id, response)


@router.post(
    "/v1/statements/{statement_id}/approval", response_model=StatementView, summary="Approve, as another person"
)
@allow("settlement.approve")
async def approve_statement(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, statement_id: UUID, response: Response
) -> Any:
    await statements.approve(tx, caller, statement_id, version=version)
    return await answer(tx, caller, statement_id, response)


@router.post("/v1/statements/{statement_id}/payment", response_model=StatementView, summary="Record the payment")
@allow("settlement.pay")
async def pay_statement(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, statement_id: UUID, body: PaymentBody, response: Response
) -> Any:
    await statements.pay(tx, caller, statement_id, body.reference, version=version)
    return await answer(tx, caller, statement_id, response)


@router.post(
    "/v1/statements/{statement_id}/adjustments",
    response_model=CreatedView,
    status_code=201,
    summary="Correct a line in the next open period",
)
@allow("settlement.adjust")
async def adjust_statement(tx: TxDep, caller: CallerDep, statement_id: UUID, body: AdjustmentBody) -> Any:
    row = await statements.seen(tx, caller, statement_id, lock=True)
    return {"id": await adjustments.adjust(tx, caller, row, body.line_id, body.amount_fen, body.reason)}


@router.post(
    "/v1/statements/{statement_id}/holdback-release",
    response_model=CreatedView,
    status_code=201,
    summary="Pay out what was held back, with the next open period",
)
@allow("settlement.adjust")
async def release_holdback(tx: TxDep, caller: CallerDep, statement_id: UUID, body: HoldbackReleaseBody) -> Any:
    row = await statements.seen(tx, caller, statement_id, lock=True)
    return {"id": await adjustments.release_holdback(tx, caller, row, body.amount_fen, body.reason)}
