"""From frozen inputs to fen. Pure, integer, and the same bytes for the same inputs on any machine and day.

One line: price of the billable minutes → divided among the payers in the proportion of the quote → the
agencies' parts times the quality coefficient, less penalties → part of that held back. The family's part is
what was due at the door and is not touched by the coefficient, the penalties or the holdback.

A payer's part never exceeds its quoted part: the gross never exceeds the quoted price, and the largest
remainder rounds a proportional part up to the next fen at most. So a reserved quota is never overdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.catalog import pricing
from app.core.json import canonical
from app.core.money import share, split
from app.settlement.inputs import AdjustmentInputs, LineInputs

FAMILY = "family"
CARRIED = "carried"
"""A part already on the provider's account: an amount brought forward, or freed after a dispute."""
HOLDBACK = "holdback"
"""A part paid from what was held back earlier."""


@dataclass(frozen=True, slots=True)
class PartAmounts:
    """One payer's part of a line. `payable_fen` includes `holdback_fen`; adjustments may be negative."""

    payer: str
    scheme: str | None
    gross_fen: int
    payable_fen: int
    holdback_fen: int


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """payable = gross − quality − penalty; due = payable − copay − holdback; Σ parts = gross, payable, holdback."""

    gross_fen: int
    coefficient_bp: int
    quality_fen: int
    penalty_fen: int
    payable_fen: int
    copay_fen: int
    holdback_fen: int
    due_fen: int
    parts: tuple[PartAmounts, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a statement. `adjustment_fen` is the part of `payable_fen` that comes from adjustments."""

    lines: int
    gross_fen: int
    quality_fen: int
    penalty_fen: int
    adjustment_fen: int
    payable_fen: int
    copay_fen: int
    holdback_fen: int
    due_fen: int


def line(inputs: LineInputs) -> LineAmounts:
    """The amounts of one service line."""
    price = pricing.amount_fen(inputs.price_fen, inputs.per_minutes, inputs.billable_minutes)
    if inputs.per_minutes is None:
        price = share(price, inputs.partly_visit_bp) if inputs.outcome == "partly" else price
    gross = min(price, inputs.quoted_fen)
    gross_parts = _proportional(gross, [part.amount_fen for part in inputs.payers])
    agency = [0 if part.payer == FAMILY else amount for part, amount in zip(inputs.payers, gross_parts, strict=True)]
    agency_gross = sum(agency)
    earned = share(agency_gross, inputs.coefficient_bp)
    penalty = min(earned, sum(share(agency_gross, item.bp) for item in inputs.penalties))
    payable = _proportional(earned - penalty, agency)
    held = _proportional(share(earned - penalty, inputs.holdback_bp), payable)
    copay = gross - agency_gross
    parts = tuple(
        PartAmounts(
            part.payer,
            part.scheme,
            gross_parts[i],
            gross_parts[i] if part.payer == FAMILY else payable[i],
            held[i],
        )
        for i, part in enumerate(inputs.payers)
    )
    return LineAmounts(
        gross_fen=gross,
        coefficient_bp=inputs.coefficient_bp,
        quality_fen=agency_gross - earned,
        penalty_fen=penalty,
        payable_fen=copay + earned - penalty,
        copay_fen=copay,
        holdback_fen=sum(held),
        due_fen=earned - penalty - sum(held),
        parts=parts,
    )


def _proportional(whole: int, weights: Sequence[int]) -> list[int]:
    """`split`, where nothing is divided among nobody."""
    return split(whole, weights) if sum(weights) > 0 else [0] * len(weights)


def adjustment(inputs: AdjustmentInputs) -> LineAmounts:
    """The amounts of an adjustment line: its signed parts, added up. The family is never adjusted."""
    parts = tuple(PartAmounts(p.payer, p.scheme, 0, p.payable_fen, p.holdback_fen) for p in inputs.parts)
    payable, held = sum(p.payable_fen for p in parts), sum(p.holdback_fen for p in parts)
    return LineAmounts(0, 10_000, 0, 0, payable, 0, held, payable - held, parts)


def amounts(inputs: LineInputs | AdjustmentInputs) -> LineAmounts:
    return line(inputs) if isinstance(inputs, LineInputs) else adjustment(inputs)


def difference(new: LineAmounts, paid: Iterable[LineAmounts]) -> tuple[PartAmounts, ...]:
    """What is missing, per payer, from `paid` (a line and its earlier adjustments) to `new`; zero parts left out."""
    already: dict[tuple[str, str | None], tuple[int, int]] = {}
    for amount in paid:
        for part in amount.parts:
            payable, held = already.get((part.payer, part.scheme), (0, 0))
            already[part.payer, part.scheme] = payable + part.payable_fen, held + part.holdback_fen
    missing = []
    for part in new.parts:
        payable, held = already.get((part.payer, part.scheme), (0, 0))
        delta, held_delta = part.payable_fen - payable, part.holdback_fen - held
        if delta or held_delta:
            missing.append(PartAmounts(part.payer, part.scheme, 0, delta, held_delta))
    return tuple(missing)


def totals(lines: Sequence[tuple[str, LineAmounts]]) -> Totals:
    """Sums over `(kind, amounts)`."""
    each = [amount for _, amount in lines]
    return Totals(
        lines=len(each),
        gross_fen=sum(a.gross_fen for a in each),
        quality_fen=sum(a.quality_fen for a in each),
        penalty_fen=sum(a.penalty_fen for a in each),
        adjustment_fen=sum(a.payable_fen for kind, a in lines if kind == "adjustment"),
        payable_fen=sum(a.payable_fen for a in each),
        copay_fen=sum(a.copay_fen for a in each),
        holdback_fen=sum(a.holdback_fen for a in each),
        due_fen=sum(a.due_fen for a in each),
    )


def content(provider_id: str, period: str, lines: Sequence[tuple[LineInputs | AdjustmentInputs, LineAmounts]]) -> bytes:
    """The statement as bytes: inputs and amounts of every line in a fixed order, and the totals.

    Nothing in it depends on when or by whom it was computed, or on generated ids of statement and lines.
    """
    ordered = sorted(lines, key=lambda entry: entry[0].position)
    return canonical(
        {
            "provider_id": provider_id,
            "period": period,
            "lines": [{"kind": i.kind, "inputs": i.as_json(), "amounts": amounts_json(a)} for i, a in ordered],
            "totals": totals_json(totals([(i.kind, a) for i, a in ordered])),
        }
    )


def digest(content_bytes: bytes) -> bytes:
    """SHA-256 of `content`."""
    return hashlib.sha256(content_bytes).digest()


def parts_json(parts: Iterable[PartAmounts]) -> list[dict[str, object]]:
    return [{name: getattr(part, name) for name in PartAmounts.__slots__} for part in parts]


def amounts_json(amount: LineAmounts) -> dict[str, object]:
    plain = {name: getattr(amount, name) for name in LineAmounts.__slots__ if name != "parts"}
    return plain | {"parts": parts_json(amount.parts)}


def totals_json(total: Totals) -> dict[str, int]:
    return {name: getattr(total, name) for name in Totals.__slots__}
