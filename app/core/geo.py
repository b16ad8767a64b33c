"""Places. Stored in WGS-84 with the source datum kept; GCJ-02 and BD-09 are converted at the edge.

Constants and formulas are the published ones (a = 6378245.0, ee = 0.00669342162296594323, x_pi = π·3000/180);
the inverse is found by iteration. Outside mainland China's box the datums are taken as equal.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.core.text import Body

_A = 6378245.0
_EE = 0.00669342162296594323
_X_PI = math.pi * 3000.0 / 180.0
EARTH_RADIUS_M = 6_371_008.8
_GEOHASH = "0123456789bcdefghjkmnpqrstuvwxyz"


class Crs(StrEnum):
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class Location(Body):
    """A point as a caller gives it. `accuracy_m` is the device's own estimate, in metres."""

    lng: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    crs: Crs
    accuracy_m: Annotated[float | None, Field(default=None, ge=0, le=100_000, allow_inf_nan=False)] = None

    def wgs84(self) -> tuple[float, float]:
        """(lng, lat) in WGS-84."""
        return to_wgs84(self.lng, self.lat, self.crs)


def to_wgs84(lng: float, lat: float, crs: Crs) -> tuple[float, float]:
    if crs is Crs.BD09:
        lng, lat = bd09_to_gcj02(lng, lat)
    return (lng, lat) if crs is Crs.WGS84 else gcj02_to_wgs84(lng, lat)


def distance_m(lng1: float, lat1: float, lng2: float, lat2: float) -> float:
    """Great-circle distance in metres."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lng2 - lng1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def offset_m(home: tuple[float, float], point: tuple[float, float]) -> tuple[int, int]:
    """How many metres `point` lies east and north of `home`, both (lng, lat) in WGS-84; good for a town's distances."""
    east = math.radians(point[0] - home[0]) * math.cos(math.radians(home[1])) * EARTH_RADIUS_M
    return round(east), round(math.radians(point[1] - home[1]) * EARTH_RADIUS_M)


def geohash(lng: float, lat: float, length: int) -> str:
    """The cell of a point, as `length` letters of the public geohash; seven letters are some 150 metres."""
    west, east, south, north = -180.0, 180.0, -90.0, 90.0
    bits = 0
    for i in range(length * 5):
        bits <<= 1
        if i % 2 == 0:
            middle = (west + east) / 2
            west, east, bits = (middle, east, bits | 1) if lng >= middle else (west, middle, bits)
        else:
            middle = (south + north) / 2
            south, north, bits = (middle, north, bits | 1) if lat >= middle else (south, middle, bits)
    return "".join(_GEOHASH[bits >> 5 * i & 31] for i in reversed(range(length)))


def geohash_centre(cell: str) -> tuple[float, float]:
    """(lng, lat) of the middle of a cell."""
    west, east, south, north = -180.0, 180.0, -90.0, 90.0
    for i, letter in enumerate(cell):
        for j in range(5):
            high = _GEOHASH.index(letter) >> 4 - j & 1
            if (i * 5 + j) % 2 == 0:
                west, east = ((west + east) / 2, east) if high else (west, (west + east) / 2)
            else:
                south, north = ((south + north) / 2, north) if high else (south, (south + north) / 2)
    return (west + east) / 2, (south + north) / 2


def wgs84_to_gcj02(lng: float, lat: float) -> tuple[float, float]:
    if not (72.004 <= lng <= 137.8347 and 0.8293 <= lat <= 55.8271):
        return lng, lat
    d_lat, d_lng = _shift(lng - 105.0, lat - 35.0)
    rad = math.radians(lat)
    magic = 1 - _EE * math.sin(rad) ** 2
    d_lat = d_lat * 180.0 / ((_A * (1 - _EE)) / (magic * math.sqrt(magic)) * math.pi)
    d_lng = d_lng * 180.0 / (_A / math.sqrt(magic) * math.cos(rad) * math.pi)
    return lng + d_lng, lat + d_lat


def gcj02_to_wgs84(lng: float, lat: float) -> tuple[float, float]:
    guess_lng, guess_lat = lng, lat
    for _ in range(10):
        back_lng, back_lat = wgs84_to_gcj02(guess_lng, guess_lat)
        guess_lng, guess_lat = guess_lng + lng - back_lng, guess_lat + lat - back_lat
    return guess_lng, guess_lat


def gcj02_to_bd09(lng: float, lat: float) -> tuple[float, float]:
    z = math.hypot(lng, lat) + 0.00002 * math.sin(lat * _X_PI)
    theta = math.atan2(lat, lng) + 0.000003 * math.cos(lng * _X_PI)
    return z * math.cos(theta) + 0.0065, z * math.sin(theta) + 0.006


def bd09_to_gcj02(lng: float, lat: float) -> tuple[float, float]:
    guess_lng, guess_lat = lng - 0.0065, lat - 0.006
    for _ in range(10):
        back_lng, back_lat = gcj02_to_bd09(guess_lng, guess_lat)
        guess_lng, guess_lat = guess_lng + lng - back_lng, guess_lat + lat - back_lat
    return guess_lng, guess_lat


def _shift(x: float, y: float) -> tuple[float, float]:
    wave = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    d_lat += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    d_lat += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    d_lng = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    d_lng += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    d_lng += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    return d_lat, d_lng
