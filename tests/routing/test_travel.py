"""Travel time without a map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.geo import distance_m
from app.routing.travel import (
    BANDS,
    DAY,
    DEFAULTS,
    MODES,
    PEAK,
    QUIET,
    Line,
    Pace,
    distances,
    estimate,
    hour_band,
    matrix,
    travel_minutes,
)

JINCHANG = st.tuples(st.floats(102.1, 102.3), st.floats(38.4, 38.6))


@pytest.mark.parametrize(
    ("minute", "band"),
    [(0, QUIET), (6 * 60 + 59, QUIET), (7 * 60, PEAK), (8 * 60 + 59, PEAK), (9 * 60, DAY), (16 * 60 + 59, DAY),
     (17 * 60, PEAK), (18 * 60 + 59, PEAK), (19 * 60, QUIET), (23 * 60 + 59, QUIET)],
)  # fmt: skip
def test_hour_bands_meet_without_gap(minute: int, band: str) -> None:
    assert hour_band(minute) == band


@given(st.floats(0, 30_000), st.sampled_from(sorted(MODES)), st.sampled_from(BANDS))
def test_p80_is_never_under_p50_and_farther_is_never_sooner(metres: float, mode: str, band: str) -> None:
    here, there = estimate(metres, mode, band), estimate(metres + 500, mode, band)
    assert 1 <= here.p50 <= here.p80
    assert here.p50 <= there.p50
    assert here.p80 <= there.p80


def test_the_peak_takes_longer_where_there_is_traffic() -> None:
    assert estimate(5000, "car", PEAK).p50 > estimate(5000, "car", DAY).p50
    assert estimate(5000, "walk", PEAK) == estimate(5000, "walk", DAY)


def test_five_kilometres_by_car_by_hand() -> None:
    # 5 km × 1.4 = 7 km at 22 km/h = 19.1 min, and 4 min to park and climb the stairs; at 15 km/h 28 min.
    assert estimate(5000, "car", DAY).p50 == 23
    assert estimate(5000, "car", PEAK).p50 == 32


def test_measured_lines_replace_the_guess_and_only_where_there_are_any() -> None:
    measured = {("car", DAY): Pace(Line(10.0, 1.0), Line(12.0, 2.0))}
    assert (estimate(5000, "car", DAY, measured).p50, estimate(5000, "car", DAY, measured).p80) == (15, 22)
    assert estimate(5000, "car", PEAK, measured) == estimate(5000, "car", PEAK)
    assert estimate(5000, "walk", DAY, measured) == estimate(5000, "walk", DAY)


def test_an_unknown_place_is_half_an_hour_away_and_an_unknown_mode_an_electric_bicycle() -> None:
    assert travel_minutes(None, None, 102.2, 38.5, "car") == 30
    assert travel_minutes(102.2, 38.5, 102.2, None, "car") == 30
    assert travel_minutes(102.2, 38.5, 102.25, 38.5, "camel") == travel_minutes(102.2, 38.5, 102.25, 38.5, "ebike")


@given(st.lists(JINCHANG, min_size=1, max_size=8), st.sampled_from(sorted(MODES)), st.sampled_from(BANDS))
def test_the_matrix_says_what_the_single_estimate_says(places: list[tuple[float, float]], mode: str, band: str) -> None:
    seconds = matrix(places, mode, band)
    assert seconds.dtype == np.int64
    assert (seconds == seconds.T).all()
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            one = travel_minutes(*a, *b, mode, band)
            assert seconds[i, j] == 0 if i == j else abs(seconds[i, j] - 60 * one) <= 31


@given(st.lists(JINCHANG, min_size=3, max_size=3, unique=True))
def test_a_detour_over_a_third_place_is_never_shorter(places: list[tuple[float, float]]) -> None:
    seconds = matrix(places, "car")
    slack = 2 + 60 * DEFAULTS[("car", DAY)].p50.minutes(30)  # rounding, and what a shared building forgives
    assert seconds[0, 2] <= seconds[0, 1] + seconds[1, 2] + slack


def test_the_careful_matrix_and_unknown_places() -> None:
    places = [(102.2, 38.5), (102.25, 38.5), (None, None)]
    usual, careful = matrix(places, "car"), matrix(places, "car", careful=True)
    assert careful[0, 1] > usual[0, 1]
    assert usual[0, 2] == usual[2, 1] == careful[2, 0] == 30 * 60
    assert usual[2, 2] == 0
    assert matrix([], "car").shape == (0, 0)


@given(JINCHANG, JINCHANG)
def test_distances_are_those_of_the_core(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert distances([a, b])[0, 1] == pytest.approx(distance_m(*a, *b), abs=1e-3)
