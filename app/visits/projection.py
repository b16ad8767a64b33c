"""From a journal to the row of `visit`: where, how far from home, how long, and whether it is proven. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.clock import service_day
from app.visits.geofence import Finding, Fix, locate
from app.visits.journal import Entry, Journal
from app.visits.policy import VisitPolicy
from app.visits.verification import Verdict, Verification, judge


@dataclass(frozen=True, slots=True)
class Subject:
    """What the order says the visit should be."""

    order_id: UUID
    item_code: str
    elder_id: UUID
    provider_id: UUID | None
    caregiver_id: UUID | None
    division_code: str
    home: tuple[float, float] | None
    min_minutes: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A supervisor's verdict and the facts it was about."""

    verdict: str
    on: dict[str, Any]


BASIS = ("status", "began_at", "ended_at", "minutes", "begin_place", "end_place", "failed_at", "manual")
"""The facts a supervisor decides on: when one changes afterwards, the visit is up for review again."""


def basis_of(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of a decision in their stored form."""
    return {name: value.isoformat() if isinstance(value := row[name], date) else value for name in BASIS}


def project(subject: Subject, journal: Journal, policy: VisitPolicy, decided: Decided | None) -> dict[str, Any]:
    """The columns of `visit` that follow from the events; times UTC, places WGS-84, distances metres."""
    begin_at, end_at = _find(journal.begin, subject, policy), _find(journal.end, subject, policy)
    row: dict[str, Any] = {
        "order_id": subject.order_id,
        "item_code": subject.item_code,
        "elder_id": subject.elder_id,
        "provider_id": subject.provider_id,
        "caregiver_id": subject.caregiver_id,
        "division_code": subject.division_code,
        "service_day": _day(journal),
        "status": journal.status.value,
        "departed_at": _time(journal.departed),
        "arrived_at": _time(journal.arrived),
        "began_at": _time(journal.begin),
        "ended_at": _time(journal.end),
        **_end_columns("begin", journal.begin, begin_at),
        **_end_columns("end", journal.end, end_at),
        "minutes": journal.minutes,
        "failed_at": _time(journal.failure),
        "failure_reason": (journal.failure.reason_code or "unspecified") if journal.failure else None,
        "manual": journal.manual,
        "hazards": list(journal.hazards),
        "evidence": list(journal.evidence),
    }
    verdict = judge(journal, begin_at.place, end_at.place, subject.min_minutes)
    verdict = _after_decision(verdict, row, decided)
    return row | {"verification": verdict.verification.value, "reasons": list(verdict.reasons)}


def summary(row: dict[str, Any]) -> dict[str, Any]:
    """The visit as every snapshot of the order shows it."""
    return {
        "status": row["status"],
        "departed_at": _iso(row["departed_at"]),
        "arrived_at": _iso(row["arrived_at"]),
        "checked_in_at": _iso(row["began_at"]),
        "checked_out_at": _iso(row["ended_at"]),
        "failed_at": _iso(row["failed_at"]),
        "failure_reason": row["failure_reason"],
        "minutes": row["minutes"],
        "method": row["begin_method"],
        "place": row["begin_place"],
        "manual": row["manual"],
        "hazards": row["hazards"],
        "verification": row["verification"],
        "reasons": row["reasons"],
    }


def _after_decision(verdict: Verdict, row: dict[str, Any], decided: Decided | None) -> Verdict:
    if decided is None:
        return verdict
    if decided.on == basis_of(row):
        return Verdict(Verification(decided.verdict), verdict.reasons)
    return Verdict(Verification.REVIEW, (*verdict.reasons, "changed_after_decision"))


def _find(entry: Entry | None, subject: Subject, policy: VisitPolicy) -> Finding:
    fix = None
    if entry is not None and entry.lng is not None and entry.lat is not None:
        fix = Fix(entry.lng, entry.lat, entry.accuracy_m)
    return locate(fix, subject.home, radius_m=policy.radius_m, coarse_m=policy.coarse_m)


def _end_columns(name: str, entry: Entry | None, found: Finding) -> dict[str, Any]:
    return {
        f"{name}_method": entry.method.value if entry else None,
        f"{name}_lng": entry.lng if entry else None,
        f"{name}_lat": entry.lat if entry else None,
        f"{name}_accuracy_m": entry.accuracy_m if entry else None,
        f"{name}_distance_m": found.distance_m,
        f"{name}_place": found.place.value,
    }


def _day(journal: Journal) -> date | None:
    first = journal.begin or journal.failure or journal.arrived or journal.departed
    return service_day(first.occurred_at) if first else None


def _time(entry: Entry | None) -> datetime | None:
    return entry.occurred_at if entry else None


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
