"""The demo city can do what it is asked: somebody is on shift at every hour, and both districts get every service."""

from __future__ import annotations

import pytest

from app.seeds import plots
from app.seeds.companies import CAREGIVERS_EACH, PLANS, SHIFTS

DISTRICTS = ("620302", "620321")


def test_every_caregiver_has_a_shift() -> None:
    assert len(SHIFTS) == CAREGIVERS_EACH


@pytest.mark.parametrize("weekday", range(1, 8))
def test_two_of_every_provider_are_there_by_day_and_one_in_the_evening(weekday: int) -> None:
    for minute in range(8 * 60, 22 * 60, 30):
        there = sum(weekday in days and begins <= minute and minute + 30 <= ends for days, (begins, ends) in SHIFTS)
        assert there >= (2 if minute < 18 * 60 else 1), (weekday, minute)


@pytest.mark.parametrize("item", plots.ITEMS)
@pytest.mark.parametrize("district", DISTRICTS)
def test_both_districts_get_what_is_ordinarily_asked_for(item: str, district: str) -> None:
    whole = [plan for plan in PLANS if {district, "620300"} & set(plan.areas) and item in plan.items]
    assert whole, f"nobody offers {item} in all of {district}"
