"""Learning the pace of a city from its check-ins."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.travel_fitting import ENOUGH, Way, fitted, plausible

FIXED, PER_KM = 6.0, 3.5


def ways(draw: random.Random, count: int, *, outliers: float = 0.0, spread: float = 0.25) -> list[Way]:
    """Ways of a city with FIXED minutes at both ends and PER_KM minutes a kilometre; the median is exact."""
    found = []
    for _ in range(count):
        km = draw.uniform(0.3, 8.0)
        minutes = (FIXED + PER_KM * km) * math.exp(spread * draw.gauss(0, 1))
        if draw.random() < outliers:
            minutes = draw.choice([draw.uniform(90, 180), draw.uniform(0.5, 2.0), -30.0, 600.0])
        found.append(Way(km * 1000, minutes))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_coefficients_are_recovered_through_outliers(seed: int) -> None:
    pace = fitted(ways(random.Random(seed), 2000, outliers=0.08))
    assert pace is not None
    assert pace.p50.fixed == pytest.approx(FIXED, abs=0.8)
    assert pace.p50.per_km == pytest.approx(PER_KM, abs=0.25)
    p80 = math.exp(0.25 * 0.8416)
    for metres in (1000, 4000, 7000):
        assert pace.p80.minutes(metres) == pytest.approx((FIXED + PER_KM * metres / 1000) * p80, rel=0.10)


def test_a_mean_would_have_been_carried_away() -> None:
    """The control: the outliers of the test above are bad enough to matter."""
    measured = [w for w in ways(random.Random(1), 2000, outliers=0.08) if plausible(w)]
    x = [w.metres / 1000 for w in measured]
    mean_x, mean_y = sum(x) / len(x), sum(w.minutes for w in measured) / len(x)
    slope = sum((a - mean_x) * (w.minutes - mean_y) for a, w in zip(x, measured, strict=True))
    slope /= sum((a - mean_x) ** 2 for a in x)
    assert mean_y - slope * mean_x > FIXED + 2 * 0.8  # twice what the fit is allowed


def test_the_lines_part_the_ways_as_they_say() -> None:
    measured = ways(random.Random(5), 1000)
    pace = fitted(measured)
    assert pace is not None
    assert sum(w.minutes <= pace.p50.minutes(w.metres) + 1e-3 for w in measured) == pytest.approx(500, abs=3)
    assert sum(w.minutes <= pace.p80.minutes(w.metres) + 1e-3 for w in measured) == pytest.approx(800, abs=3)


def test_too_few_ways_or_all_of_one_length_teach_nothing() -> None:
    assert fitted(ways(random.Random(1), ENOUGH - 1)) is None
    assert fitted(ways(random.Random(1), ENOUGH)) is not None
    assert fitted([Way(1000.0, 5.0 + i % 7) for i in range(200)]) is None
    assert fitted([Way(1000.0 * i, -1.0) for i in range(200)]) is None


@pytest.mark.parametrize(
    ("metres", "minutes", "fine"),
    [(1000, 5, True), (49, 5, False), (50, 5, True), (1000, 0, False), (1000, -3, False), (1000, 180, True),
     (1000, 181, False), (60_000, 10, False)],
)  # fmt: skip
def test_what_is_plausible(metres: float, minutes: float, fine: bool) -> None:
    assert plausible(Way(metres, minutes)) is fine


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(60, 20_000), st.floats(0.2, 179)), min_size=ENOUGH, max_size=120))
def test_whatever_was_measured_p80_is_never_under_p50_and_lines_rise(measured: list[tuple[float, float]]) -> None:
    pace = fitted([Way(*one) for one in measured])
    if pace is not None:
        assert 0 <= pace.p50.per_km <= pace.p80.per_km
        assert 0 <= pace.p50.fixed <= pace.p80.fixed
