"""Rows as the doors answer them."""

from __future__ import annotations

from typing import Any

from app.core.db import Tx
from app.core.paging import encode_cursor
from app.settlement import queries
from app.settlement.lifecycle import Status, next_acts
from app.settlement.schemas import (
    ContractView,
    DisputeView,
    EntryView,
    LineView,
    RunView,
    StatementDetail,
    StatementView,
)


def statement_view(row: Any) -> StatementView:
    return StatementView.model_validate(_statement_fields(row))


def _statement_fields(row: Any) -> dict[str, Any]:
    fields = dict(row) | {"content_hash": bytes(row["content_hash"]).hex()}
    return fields | {"next_acts": [str(act) for act in next_acts(Status(row["status"])) if act not in INTERNAL]}


INTERNAL = frozenset({"refresh", "empty"})


async def detail(tx: Tx, row: Any, after: int, limit: int) -> StatementDetail:
    """The statement with a page of its lines after position `after`."""
    found = await queries.lines(tx, row["id"], after, limit + 1)
    items = [line_view(line, row["period"]) for line in found[:limit]]
    cursor = encode_cursor(items[-1].position) if len(found) > limit else None
    return StatementDetail.model_validate(_statement_fields(row) | {"items": items, "next_cursor": cursor})


def line_view(row: Any, period: str) -> LineView:
    raised = None
    if row["dispute_id"] is not None:
        raised = DisputeView(
            id=row["dispute_id"],
            reason=row["dispute_reason"],
            evidence=row["dispute_evidence"],
            decision=row["decision"],
            decision_note=row["decision_note"],
        )
    return LineView.model_validate(dict(row) | {"dispute": raised, "late": row["service_period"] < period})


def run_view(row: Any, statements: list[Any]) -> RunView:
    fields = dict(row) | {"content_hash": bytes(row["content_hash"]).hex()}
    return RunView.model_validate(fields | {"statements": [statement_view(entry) for entry in statements]})


def contract_view(row: Any) -> ContractView:
    return ContractView.model_validate(dict(row))


def entry_view(row: Any, code: str) -> EntryView:
    debit = row["debit_account"] == code
    fields = dict(row) | {
        "side": "debit" if debit else "credit",
        "other_account": row["credit_account"] if debit else row["debit_account"],
    }
    return EntryView.model_validate(fields)
