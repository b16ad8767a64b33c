"""What the cockpit compares and draws."""

from __future__ import annotations

from datetime import date

import pytest

from app.insight.indicators import BY_CODE, figure
from app.web.cockpit import periods, reading
from app.web.cockpit.maps import policy_with
from app.web.cockpit.periods import Chosen


@pytest.mark.parametrize(
    ("code", "own", "whole", "worse"),
    [
        ("done", (50, 100), (900, 1000), True),
        ("done", (90, 100), (900, 1000), False),
        ("done", (11, 12), (988, 1000), False),  # one order of twelve marks nobody
        ("done", (0, 19), (900, 1000), False),
        ("done", (0, 20), (900, 1000), True),
        ("refused", (50, 100), (10, 1000), True),
        ("refused", (0, 100), (500, 1000), False),
        ("done", (50, 100), (0, 0), False),
    ],
)
def test_worse_is_more_than_chance(code: str, own: tuple[int, int], whole: tuple[int, int], worse: bool) -> None:
    indicator = BY_CODE[code]
    assert reading.is_worse(figure(indicator, {code: own}), figure(indicator, {code: whole})) is worse


def test_a_line_has_gaps_where_nothing_can_be_said() -> None:
    assert reading.spark([1.0, 0.5, None, 0.5, None, 1.0, 1.0], width=60, height=24) == [
        "0.0,2.0 10.0,12.0",
        "50.0,2.0 60.0,2.0",
    ]
    assert reading.spark([]) == []
    assert reading.spark([None, 0.0]) == []


def test_usual_periods() -> None:
    found = periods.quick(date(2026, 3, 1))
    assert found["last_month"] == (date(2026, 2, 1), date(2026, 2, 28))
    assert found["week"] == (date(2026, 2, 23), date(2026, 3, 1))
    assert periods.month_of("2024-02") == (date(2024, 2, 1), date(2024, 2, 29))
    assert periods.month_of("2026-12") == (date(2026, 12, 1), date(2026, 12, 31))


def test_doors_are_told_the_day_after_the_last() -> None:
    chosen = Chosen(date(2026, 2, 1), date(2026, 2, 28), "620302")
    assert chosen.door_values() == {"from": "2026-02-01", "to": "2026-03-01", "division": "620302"}
    assert chosen.query(division=None, last=None) == "first=2026-02-01"


def test_a_tile_server_is_let_in_and_nobody_else() -> None:
    policy = policy_with("https://tiles.example:8443/{z}/{x}/{y}.png?key=1")
    assert "img-src 'self' https://tiles.example:8443 data: blob:" in policy
    assert policy.count("https://") == 1
    assert "default-src 'self'" in policy
