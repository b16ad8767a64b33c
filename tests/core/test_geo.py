"""Datums and distances against known points."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.geo import (
    Crs,
    Location,
    bd09_to_gcj02,
    distance_m,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    offset_m,
    to_wgs84,
    wgs84_to_gcj02,
)

# (WGS-84, GCJ-02, BD-09, metres WGS to GCJ, metres WGS to BD)
PLACES = {
    "金昌": ((102.1879, 38.5214), (102.189890, 38.521838), (102.196492, 38.527572), 180, 1015),
    "扬州": ((119.4130, 32.3942), (119.418480, 32.392320), (119.424917, 32.398522), 555, 1218),
    "武汉": ((114.3055, 30.5931), (114.310945, 30.590691), (114.317513, 30.596400), 586, 1207),
    "楚雄": ((101.5280, 25.0320), (101.529470, 25.028960), (101.535895, 25.035226), 369, 873),
}
chinese = st.tuples(st.floats(73.5, 135), st.floats(18, 53.5))


@pytest.mark.parametrize("place", PLACES)
def test_known_points(place: str) -> None:
    wgs, gcj, bd, shift_gcj, shift_bd = PLACES[place]
    assert wgs84_to_gcj02(*wgs) == pytest.approx(gcj, abs=1e-6)
    assert gcj02_to_bd09(*gcj) == pytest.approx(bd, abs=1e-6)
    assert to_wgs84(*gcj, Crs.GCJ02) == pytest.approx(wgs, abs=2e-6)
    assert to_wgs84(*bd, Crs.BD09) == pytest.approx(wgs, abs=2e-6)
    assert to_wgs84(*wgs, Crs.WGS84) == wgs
    assert distance_m(*wgs, *gcj) == pytest.approx(shift_gcj, abs=1)
    assert distance_m(*wgs, *bd) == pytest.approx(shift_bd, abs=1)


@given(chinese)
def test_there_and_back_within_a_millimetre(point: tuple[float, float]) -> None:
    assert distance_m(*gcj02_to_wgs84(*wgs84_to_gcj02(*point)), *point) < 0.001
    assert distance_m(*bd09_to_gcj02(*gcj02_to_bd09(*point)), *point) < 0.001


def test_outside_china_nothing_moves() -> None:
    for point in ((13.4, 52.5), (-122.4, 37.8), (0.0, 0.0), (180.0, -90.0)):
        assert wgs84_to_gcj02(*point) == point
        assert gcj02_to_wgs84(*point) == point


@given(chinese, chinese)
def test_distance_is_symmetric(one: tuple[float, float], other: tuple[float, float]) -> None:
    assert distance_m(*one, *other) == pytest.approx(distance_m(*other, *one))
    assert distance_m(*one, *one) == 0


def test_distances() -> None:
    assert distance_m(0, 0, 0, 1) == pytest.approx(111_195, abs=1)
    assert distance_m(0, 0, 180, 0) == pytest.approx(math.pi * 6_371_008.8)
    assert distance_m(179.9, 0, -179.9, 0) == pytest.approx(22_239, abs=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lng": 181},
        {"lat": -91},
        {"lng": "nan"},
        {"lat": math.inf},
        {"accuracy_m": -1},
        {"crs": "cgcs2000"},
        {"height": 3},
    ],
)
def test_points_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Location.model_validate({"lng": 102, "lat": 38, "crs": "wgs84"} | wrong)


def test_a_point_needs_its_datum() -> None:
    with pytest.raises(ValidationError):
        Location.model_validate({"lng": 102, "lat": 38})
    assert Location(lng=102, lat=38, crs=Crs.WGS84).wgs84() == (102, 38)


@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_metres_east_and_north_agree_with_the_distance(east: float, north: float) -> None:
    home = (102.19, 38.52)
    x, y = offset_m(home, (home[0] + east, home[1] + north))
    assert (x > 0, y > 0) == (east > 0 and x != 0, north > 0 and y != 0)
    assert math.hypot(x, y) == pytest.approx(distance_m(*home, home[0] + east, home[1] + north), rel=0.005, abs=2)
