"""What happened to each order, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from scripts.simulator.city import City, Wish

URGENCIES = ("emergency", "urgent", "normal", "appointment")


@dataclass(slots=True)
class Case:
    """One order's story. `promised` is the (caregiver, begin) the family was last told."""

    wish: Wish
    excluded: set[UUID] = field(default_factory=set)
    attempts: int = 0
    turn: int = 0
    """Counts up whenever it is taken from somebody, so that late answers and departures are recognised as late."""
    pooled_since: int | None = None
    promised: tuple[UUID, int] | None = None
    changes: int = 0
    booked: UUID | None = None
    begun: int | None = None
    served_by: UUID | None = None
    late: int = 0
    km: float = 0.0
    cancelled: bool = False
    accepted_after: int | None = None

    @property
    def open(self) -> bool:
        return not self.cancelled and self.begun is None


MEASURES = (
    ("served", "served, % of all", True),
    *((f"served_{urgency}", f"  {urgency}, %", True) for urgency in URGENCIES),
    ("late_p90", "P90 lateness, min", False),
    ("km_per_visit", "km per visit", False),
    ("continuity", "known caregiver, %", True),
    ("gini", "Gini of hours", False),
    ("changes", "changes after notice, per 100", False),
    ("wait_p50", "P50 until accepted, s", False),
    ("batched", "orders that waited for a batch, %", True),
)
"""Name, label, and whether more is better (the last two are neither good nor bad in themselves)."""


def measures(city: City, cases: Sequence[Case], worked: Sequence[int], batched: int) -> dict[str, float]:
    """The day in numbers. Cancelled orders count nowhere; `worked` are the seconds each caregiver worked today."""
    counted = [case for case in cases if not case.cancelled]
    served = [case for case in counted if case.served_by is not None]
    familiar = [case for case in served if _knows_anybody(city, case.wish)]
    known = [case for case in familiar if (case.wish.elder, case.served_by) in city.known]
    totals = {
        "served": _percent(len(served), len(counted)),
        "late_p90": _quantile([case.late / 60 for case in served], 0.9),
        "km_per_visit": sum(case.km for case in served) / max(1, len(served)),
        "continuity": _percent(len(known), len(familiar)),
        "gini": gini([seconds / 3600 for seconds in worked]),
        "changes": 100 * sum(case.changes for case in counted) / max(1, len(counted)),
        "wait_p50": _quantile([c.accepted_after for c in counted if c.accepted_after is not None], 0.5),
        "batched": _percent(batched, len(counted)),
    }
    for urgency in URGENCIES:
        of = [case for case in counted if case.wish.urgency == urgency]
        totals[f"served_{urgency}"] = _percent(sum(case.served_by is not None for case in of), len(of))
    return {name: round(totals[name], 4) for name, _, _ in MEASURES}


def gini(values: Iterable[float]) -> float:
    """0 when all have the same, towards 1 when one has everything."""
    ordered = sorted(values)
    total = sum(ordered)
    if total == 0:
        return 0.0
    weighted = sum(rank * value for rank, value in enumerate(ordered, start=1))
    return 2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered)


def _knows_anybody(city: City, wish: Wish) -> bool:
    return wish.elder in city.familiar


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
