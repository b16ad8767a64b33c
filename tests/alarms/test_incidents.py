"""The state machine and the ladder, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alarms.incidents import CLIMBING, MOVES, Finding, Rung, Severity, Status, Step, ladder, may, over, severity

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
ALLOWED = {("open", "acknowledged"), ("open", "verified"), ("acknowledged", "verified"), ("verified", "closed")}


@pytest.mark.parametrize(("now", "to"), product(Status, Status))
def test_every_move(now: Status, to: Status) -> None:
    assert may(now, to) is ((now, to) in ALLOWED)


def test_every_status_has_its_row_and_only_what_is_not_verified_climbs() -> None:
    assert set(MOVES) == set(Status)
    assert frozenset(Status) - {Status.VERIFIED, Status.CLOSED} == CLIMBING


@pytest.mark.parametrize(("status", "finding"), product(Status, (None, *Finding)))
def test_only_a_false_alarm_and_the_end_stop_the_ladder(status: Status, finding: Finding | None) -> None:
    assert over(status, finding) is (status == "closed" or finding == "false_alarm")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("sos", "critical"), ("fall", "critical"), ("phone", "critical"), ("water", "serious"), ("x-99", "serious")],
)
def test_what_nobody_knows_is_serious(kind: str, expected: str) -> None:
    assert severity(kind) is Severity(expected)


@given(st.lists(st.builds(Rung, st.sampled_from(Step), st.integers(0, 3600))))
def test_a_ladder_has_each_step_once_and_in_the_order_of_time(rungs: list[Rung]) -> None:
    steps = ladder(rungs, NOON)
    assert sorted(step for step, _ in steps) == sorted({rung.step for rung in rungs})
    assert [due for _, due in steps] == sorted(due for _, due in steps)
    for step, due in steps:
        assert due == NOON + timedelta(seconds=min(rung.after_s for rung in rungs if rung.step is step))
