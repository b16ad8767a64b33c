"""Is this visit proven? The verdict decides whether money can follow without a person looking first. Pure.

Proven: a check-in and a check-out, long enough for the item, not away from home at both ends, nothing typed in
by hand and nothing contradictory. A failed visit proves no service. Everything else is for a supervisor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.visits.geofence import Place
from app.visits.journal import Journal, VisitStatus


class Verification(StrEnum):
    PENDING = "pending"
    """The visit is not over."""
    VERIFIED = "verified"
    REVIEW = "review"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    verification: Verification
    reasons: tuple[str, ...] = ()


def judge(journal: Journal, begin_place: Place, end_place: Place, min_minutes: int) -> Verdict:
    """The verdict on a visit whose item must last at least `min_minutes`."""
    reasons = _doubts(journal, begin_place, end_place, min_minutes)
    if journal.status is VisitStatus.FAILED:
        if journal.contradicted or journal.manual:
            return Verdict(Verification.REVIEW, tuple(reasons))
        return Verdict(Verification.REJECTED, ("not_done",))
    if journal.status is not VisitStatus.ENDED:
        waiting = Verification.REVIEW if journal.check_out_without_check_in else Verification.PENDING
        return Verdict(waiting, tuple(reasons))
    return Verdict(Verification.REVIEW if reasons else Verification.VERIFIED, tuple(reasons))


def _doubts(journal: Journal, begin_place: Place, end_place: Place, min_minutes: int) -> list[str]:
    reasons = []
    if journal.check_out_without_check_in:
        reasons.append("check_out_before_check_in" if journal.begin else "missing_check_in")
    if journal.status is VisitStatus.ENDED:
        if journal.minutes is None:
            reasons.append("clock_ran_backwards")
        elif journal.minutes < min_minutes:
            reasons.append("duration_short")
        if begin_place is Place.OUTSIDE and end_place is Place.OUTSIDE:
            reasons.append("outside_at_both_ends")
    if journal.unproved and journal.status is VisitStatus.ENDED:
        reasons.append("presence_not_proved")
    if journal.manual:
        reasons.append("manual_entry")
    if journal.contradicted:
        reasons.append("finished_and_failed")
    return reasons
