"""From rows to frozen inputs: the one place where an order, its visit and its contract become a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.catalog import pricing
from app.settlement import calculation, contracts
from app.settlement.calculation import LineAmounts
from app.settlement.contracts import Terms
from app.settlement.inputs import (
    RULE,
    AdjustedPart,
    AdjustmentInputs,
    LineInputs,
    QuotedPart,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A computed line. `service_period` is the month of the service."""

    service_period: str
    inputs: LineInputs | AdjustmentInputs
    amounts: LineAmounts


def service_line(row: Mapping[str, Any], terms: Terms) -> Line:
    """The line of one row of `queries.CANDIDATES` under the terms of its contract."""
    inputs = LineInputs(
        rule=RULE,
        order_id=str(row["order_id"]),
        number=row["number"],
        item_code=row["item_code"],
        service_day=row["service_day"].isoformat(),
        outcome=row["outcome"],
        verification=row["verification"],
        actual_minutes=row["actual_minutes"],
        planned_minutes=row["planned_minutes"],
        rounding_minutes=row["rounding_minutes"],
        min_minutes=row["min_minutes"],
        billable_minutes=_billable(row),
        price_version_id=_text(row["price_version_id"]),
        price_fen=row["price_fen"],
        per_minutes=row["per_minutes"],
        quoted_fen=row["quoted_fen"],
        payers=tuple(QuotedPart(p["payer"], p.get("scheme"), p["amount_fen"]) for p in row["payers"]),
        contract_id=str(terms.contract_id),
        rating=row["rating"],
        coefficient_bp=contracts.coefficient_bp(terms, row["rating"]),
        late_minutes=row["late_minutes"] or 0,
        penalties=contracts.penalties(terms, row["late_minutes"] or 0, row["complaint_upheld"]),
        partly_visit_bp=terms.partly_visit_bp,
        holdback_bp=terms.holdback_bp,
    )
    return Line(row["service_period"], inputs, calculation.line(inputs))


def rejudged(frozen: LineInputs, terms: Terms, rating: int | None, complaint_upheld: bool) -> LineInputs:
    """The same visit, judged again: only the rating and an upheld complaint may differ from what was frozen."""
    return replace(
        frozen,
        rating=rating,
        coefficient_bp=contracts.coefficient_bp(terms, rating),
        penalties=contracts.penalties(terms, frozen.late_minutes, complaint_upheld),
    )


def adjustment_line(row: Mapping[str, Any], period: str) -> Line:
    """The line of one row of `adjustment` in the statement of `period`."""
    inputs = adjustment_inputs(row)
    return Line(period, inputs, calculation.adjustment(inputs))


def adjustment_inputs(row: Mapping[str, Any]) -> AdjustmentInputs:
    return AdjustmentInputs(
        rule=RULE,
        adjustment_id=str(row["id"]),
        order_id=_text(row["order_id"]),
        source_kind=row["source_kind"],
        source_id=row["source_id"],
        reason=row["reason"],
        parts=tuple(AdjustedPart(**part) for part in row["parts"]),
    )


def _billable(row: Mapping[str, Any]) -> int:
    if row["actual_minutes"] is None:
        return 0
    return pricing.billable_minutes(
        row["actual_minutes"], row["planned_minutes"], row["rounding_minutes"], row["min_minutes"]
    )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
