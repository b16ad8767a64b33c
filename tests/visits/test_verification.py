"""Verdicts and geofence by table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.visits.geofence import Finding, Fix, Place, locate
from app.visits.journal import Journal, Kind, VisitStatus
from app.visits.verification import Verdict, Verification, judge
from tests.visits.test_journal import entry

HOME = (102.1880, 38.5200)
DONE = Journal(status=VisitStatus.ENDED, begin=entry("in", Kind.CHECKED_IN, 0), end=entry("out", Kind.CHECKED_OUT, 60))
IN, UNKNOWN, OUT = Place.INSIDE, Place.CANNOT_TELL, Place.OUTSIDE


@pytest.mark.parametrize(
    ("journal", "places", "minimum", "expected"),
    [
        (DONE, (IN, IN), 60, Verdict(Verification.VERIFIED)),
        (DONE, (UNKNOWN, UNKNOWN), 60, Verdict(Verification.VERIFIED)),
        (DONE, (IN, OUT), 60, Verdict(Verification.VERIFIED)),
        (DONE, (OUT, OUT), 60, Verdict(Verification.REVIEW, ("outside_at_both_ends",))),
        (DONE, (IN, IN), 61, Verdict(Verification.REVIEW, ("duration_short",))),
        (replace(DONE, manual=True), (IN, IN), 60, Verdict(Verification.REVIEW, ("manual_entry",))),
        (
            replace(DONE, end=entry("out", Kind.CHECKED_OUT, -1)),
            (IN, IN),
            60,
            Verdict(Verification.REVIEW, ("clock_ran_backwards",)),
        ),
        (Journal(), (UNKNOWN, UNKNOWN), 60, Verdict(Verification.PENDING)),
        (
            Journal(check_out_without_check_in=True),
            (UNKNOWN, UNKNOWN),
            60,
            Verdict(Verification.REVIEW, ("missing_check_in",)),
        ),
        (
            Journal(status=VisitStatus.FAILED, failure=entry("no", Kind.FAILED, 0)),
            (UNKNOWN, UNKNOWN),
            60,
            Verdict(Verification.REJECTED, ("not_done",)),
        ),
        (
            Journal(status=VisitStatus.FAILED, contradicted=True),
            (IN, IN),
            60,
            Verdict(Verification.REVIEW, ("finished_and_failed",)),
        ),
    ],
)
def test_verdict(journal: Journal, places: tuple[Place, Place], minimum: int, expected: Verdict) -> None:
    assert judge(journal, *places, minimum) == expected


@pytest.mark.parametrize(
    ("metres_north", "accuracy", "place"),
    [
        (0, None, IN),
        (199, None, IN),
        (202, None, OUT),
        (250, 60, IN),
        (250, 40, OUT),
        (100, 301, UNKNOWN),
        (5_000, 301, OUT),
    ],
)
def test_geofence(metres_north: float, accuracy: float | None, place: Place) -> None:
    fix = Fix(HOME[0], HOME[1] + metres_north / 111_195.08, accuracy)
    found = locate(fix, HOME, radius_m=200, coarse_m=300)
    assert found.place is place
    assert found.distance_m == pytest.approx(metres_north, abs=1)


def test_no_fix_or_no_home_cannot_tell() -> None:
    assert locate(None, HOME, radius_m=200, coarse_m=300) == Finding(UNKNOWN)
    assert locate(Fix(*HOME), None, radius_m=200, coarse_m=300) == Finding(UNKNOWN)
