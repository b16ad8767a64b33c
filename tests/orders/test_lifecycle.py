"""The table of moves, and the deadlines that begin with them. No database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.orders import deadlines, lifecycle
from app.orders.deadlines import Rule
from app.orders.lifecycle import MOVES, Status

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


def rule(**overrides: object) -> Rule:
    usual = {
        "division_code": "000000", "urgency": "normal", "name": "dispatch", "minutes": 15, "rural_minutes": None,
        "from_window": False, "valid_from": date(2020, 1, 1), "valid_to": None,
    }  # fmt: skip
    return Rule(**{**usual, **overrides})  # type: ignore[arg-type]


def test_every_status_has_a_row() -> None:
    assert set(MOVES) == set(Status)


def test_every_status_but_the_first_can_be_reached() -> None:
    reached = {Status.PLACED}
    while more := {after for before in reached for after in MOVES[before]} - reached:
        reached |= more
    assert reached == set(Status)


def test_the_end_is_the_end() -> None:
    assert all(not MOVES[status] for status in lifecycle.TERMINAL)


def test_a_service_that_began_is_never_taken_back_or_cancelled() -> None:
    assert MOVES[Status.IN_SERVICE] == {Status.COMPLETED}


def test_every_released_order_goes_back_to_placed() -> None:
    assert all(Status.PLACED in MOVES[status] for status in lifecycle.RELEASABLE)


@pytest.mark.parametrize("flags", [["suspended"], ["exception:unsafe"], ["complaint", "suspended"]])
def test_a_held_order_can_only_be_cancelled(flags: list[str]) -> None:
    assert lifecycle.blocking_flag(flags, Status.DISPATCHED) is not None
    assert lifecycle.blocking_flag(flags, Status.CANCELLED) is None


def test_a_complaint_does_not_stop_the_work() -> None:
    assert lifecycle.blocking_flag(["complaint"], Status.IN_SERVICE) is None


def test_the_most_specific_rule_wins() -> None:
    rules = [rule(), rule(division_code="620302", minutes=7), rule(division_code="620300", minutes=9)]
    chosen = deadlines.choose(rules, ["620302001", "620302", "620300", "000000"], "normal", "dispatch", NOW.date())
    assert chosen is not None
    assert chosen.minutes == 7


def test_a_rule_counts_only_while_it_is_in_force() -> None:
    old = rule(minutes=5, valid_to=date(2026, 1, 1))
    new = rule(minutes=10, valid_from=date(2026, 1, 1))
    for day, minutes in ((date(2025, 12, 31), 5), (date(2026, 1, 1), 10)):
        chosen = deadlines.choose([old, new], ["000000"], "normal", "dispatch", day)
        assert chosen is not None
        assert chosen.minutes == minutes


def test_an_appointment_counts_from_its_window_but_never_from_before_it_was_made() -> None:
    from_window = rule(urgency="appointment", minutes=-1440, from_window=True)
    tomorrow, next_week = NOW + timedelta(days=1), NOW + timedelta(days=7)
    assert deadlines.due_at(from_window, NOW, next_week) == next_week - timedelta(days=1)
    assert deadlines.due_at(from_window, NOW, tomorrow - timedelta(hours=2)) == NOW


def test_villages_have_longer_ways() -> None:
    arrive = rule(name="arrive", minutes=120, rural_minutes=240)
    assert deadlines.due_at(arrive, NOW, None, rural=True) - NOW == timedelta(hours=4)


def test_lateness_is_a_matter_of_looking() -> None:
    due = NOW
    assert not deadlines.is_late(due, None, NOW)
    assert deadlines.is_late(due, None, NOW + timedelta(seconds=1))
    assert not deadlines.is_late(due, NOW - timedelta(hours=1), NOW + timedelta(days=1))
