"""The auditor's door: accounts and their movements, read only."""

from __future__ import annotations

from typing import Any

from app.core.http import CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.regions.divisions import scope_ranges
from app.settlement import queries_ledger, views
from app.settlement.schemas import AccountView, EntryView

router = Router(tags=["settlement"])


@router.get("/v1/ledger/accounts", response_model=list[AccountView], summary="Accounts and their balances")
@allow("ledger.read")
async def list_accounts(tx: TxDep, caller: CallerDep) -> Any:
    found = await queries_ledger.accounts(tx, scope_ranges(caller.divisions))
    return [dict(row) | {"balance_fen": row["debit_fen"] - row["credit_fen"]} for row in found]


@router.get(
    "/v1/ledger/accounts/{code}/entries",
    response_model=Page[EntryView],
    summary="Its movements, oldest first",
)
@allow("ledger.read")
async def list_entries(tx: TxDep, caller: CallerDep, code: str, limit: Limit = 50, cursor: CursorParam = None) -> Any:
    ranges = scope_ranges(caller.divisions)
    found = await queries_ledger.entries(tx, code, ranges, after_id(cursor), limit + 1)
    return page_of([views.entry_view(row, code) for row in found], [row["id"] for row in found], limit)
