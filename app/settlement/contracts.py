"""What a contract makes of a rating and of a late arrival. Pure; the figures are rows, not constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import Invalid
from app.regions.divisions import lineage
from app.settlement.inputs import PenaltyItem

WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Band:
    """From `min_score` on, the agencies pay `bp` basis points of their part."""

    min_score: int
    bp: int


@dataclass(frozen=True, slots=True)
class LatePenalty:
    """More than `over_minutes` late costs `bp`; of several such steps only the highest counts."""

    over_minutes: int
    bp: int


@dataclass(frozen=True, slots=True)
class Terms:
    """`unrated_bp` is for orders closed without a rating, `partly_visit_bp` for visits priced as a whole that
    were done in part, `holdback_bp` is kept for the yearly assessment, `confirm_days` is the provider's time
    to answer a statement."""

    contract_id: UUID
    division_code: str
    bands: tuple[Band, ...]
    unrated_bp: int
    late: tuple[LatePenalty, ...]
    complaint_bp: int
    partly_visit_bp: int
    holdback_bp: int
    confirm_days: int


def coefficient_bp(terms: Terms, rating: int | None) -> int:
    """The highest band that the rating reaches; below the lowest band that band's own figure."""
    if rating is None:
        return terms.unrated_bp
    ordered = sorted(terms.bands, key=lambda band: band.min_score)
    reached = [band for band in ordered if band.min_score <= rating]
    return (reached[-1] if reached else ordered[0]).bp


def penalties(terms: Terms, late_minutes: int, complaint_upheld: bool) -> tuple[PenaltyItem, ...]:
    """The penalties that apply to one order."""
    found = []
    exceeded = [step for step in terms.late if late_minutes > step.over_minutes]
    if exceeded:
        found.append(PenaltyItem("late_arrival", max(exceeded, key=lambda step: step.over_minutes).bp))
    if complaint_upheld and terms.complaint_bp:
        found.append(PenaltyItem("complaint_upheld", terms.complaint_bp))
    return tuple(found)


def check(terms: Terms) -> None:
    """Raises Invalid for terms nobody can mean. No figure exceeds the whole: quotas are reserved for that only."""
    if not terms.bands:
        raise Invalid("bands_missing", "a contract needs at least one band of scores", field="bands")
    scores = [band.min_score for band in terms.bands]
    if len(set(scores)) != len(scores) or not all(1 <= score <= 5 for score in scores):
        raise Invalid("bands_unclear", "bands start at different scores from 1 to 5", field="bands")
    ordered = [band.bp for band in sorted(terms.bands, key=lambda band: band.min_score)]
    if ordered != sorted(ordered):
        raise Invalid("bands_reversed", "a better score must not pay less", field="bands")
    figures = [*ordered, *(step.bp for step in terms.late), terms.unrated_bp, terms.complaint_bp]
    if not all(0 <= figure <= WHOLE for figure in [*figures, terms.partly_visit_bp, terms.holdback_bp]):
        raise Invalid("basis_points_out_of_range", "basis points go from 0 to 10000")


def terms_of(row: Mapping[str, Any]) -> Terms:
    """Terms from a row of `contract`."""
    return Terms(
        contract_id=row["id"],
        division_code=row["division_code"],
        bands=tuple(Band(int(score), int(bp)) for score, bp in row["bands"]),
        unrated_bp=row["unrated_bp"],
        late=tuple(LatePenalty(int(minutes), int(bp)) for minutes, bp in row["late_steps"]),
        complaint_bp=row["complaint_bp"],
        partly_visit_bp=row["partly_visit_bp"],
        holdback_bp=row["holdback_bp"],
        confirm_days=row["confirm_days"],
    )


def common_division(codes: list[str]) -> str:
    """The smallest division that contains all `codes`; staff see a statement when they cover this one.

    Raises ValueError without codes.
    """
    lines = [lineage(code) for code in codes]
    return next(code for code in lines[0] if all(code in line for line in lines[1:]))
