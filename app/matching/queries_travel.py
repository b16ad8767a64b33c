"""The SQL of ways: how far and how long, those that were measured, and what was learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.geo import EARTH_RADIUS_M
from app.routing.travel import SAME_PLACE_M, Coefficients, Line, Pace

LOG = """INSERT INTO trip (order_id, mode, band, metres, minutes, day)
SELECT $1, c.travel_mode, $3, $4, $5, $6 FROM caregiver c WHERE c.id = $2
ON CONFLICT (order_id) DO UPDATE SET mode = excluded.mode, band = excluded.band, metres = excluded.metres,
  minutes = excluded.minutes, day = excluded.day"""

FORGET = "DELETE FROM trip WHERE day < $1"

GROUPS = """SELECT mode, band, count(*) AS trips, max(day) AS last_day FROM trip WHERE day >= $1
GROUP BY mode, band HAVING count(*) >= $2 ORDER BY mode, band"""

WAYS = """SELECT metres, minutes FROM trip WHERE mode = $1 AND band = $2 AND day >= $3
ORDER BY day DESC, order_id LIMIT $4"""

NEWEST = """SELECT DISTINCT ON (mode, band) mode, band, p50_fixed, p50_per_km, p80_fixed, p80_per_km, version, trips,
  fitted_at FROM travel_calibration ORDER BY mode, band, version DESC"""

LEARN = """INSERT INTO travel_calibration (version, mode, band, p50_fixed, p50_per_km, p80_fixed, p80_per_km, trips,
  from_day, fitted_at)
SELECT 1 + coalesce((SELECT max(version) FROM travel_calibration), 0), one.*, $8, $9
FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::int[]) AS one"""


def kilometres(lng: str, lat: str, place_lng: str, place_lat: str) -> str:
    """SQL of the great-circle distance of two points, as `core.geo.distance_m` has it; null where one is unknown."""
    half = f"""sin(radians({lat} - {place_lat}) / 2) ^ 2
    + cos(radians({place_lat})) * cos(radians({lat})) * sin(radians({lng} - {place_lng}) / 2) ^ 2"""
    known = f"{lng} IS NOT NULL AND {place_lng} IS NOT NULL"  # `least` would take 1 for what is unknown
    return f"CASE WHEN {known} THEN {2 * EARTH_RADIUS_M / 1000} * asin(least(1, sqrt({half}))) END"


def way(km: str, mode: str, per_km: str, fixed: str, unknown: str) -> str:
    """SQL of the way in whole minutes, as `routing.travel` has it; `mode` counts from 1."""
    line = f"round({km} * ({per_km}::float8[])[{mode}] + ({fixed}::float8[])[{mode}])"
    near = f"{km} < {SAME_PLACE_M / 1000}"
    return f"(CASE WHEN {km} IS NULL THEN {unknown} WHEN {near} THEN 1 ELSE greatest(1, {line}) END)::int"


async def log(tx: Tx, order_id: UUID, caregiver_id: UUID, band: str, metres: float, minutes: float, day: date) -> None:
    """Keep a way in the caregiver's own mode; the last word about an order's way counts."""
    tx.later("trip", LOG, order_id, caregiver_id, band, metres, minutes, day)


async def forget(tx: Tx, before: date) -> int:
    return await tx.run(FORGET, before)


async def groups(tx: Tx, since: date, at_least: int) -> list[Any]:
    """Modes and bands with enough ways to learn from."""
    return await tx.fetch(GROUPS, since, at_least)


async def ways(tx: Tx, mode: str, band: str, since: date, limit: int) -> list[Any]:
    """(metres, minutes), the newest first."""
    return await tx.fetch(WAYS, mode, band, since, limit)


async def learn(tx: Tx, paces: Sequence[tuple[str, str, Pace, int]], since: date, at: datetime) -> None:
    """One new version of all that was fitted."""
    rows = [(mode, band, p.p50.fixed, p.p50.per_km, p.p80.fixed, p.p80.per_km, trips) for mode, band, p, trips in paces]
    await tx.run(LEARN, *map(list, zip(*rows, strict=True)), since, at)


async def newest(tx: Tx) -> Coefficients:
    """The newest pace of each mode and band that was ever fitted."""
    return {
        (row["mode"], row["band"]): Pace(
            Line(row["p50_fixed"], row["p50_per_km"]), Line(row["p80_fixed"], row["p80_per_km"])
        )
        for row in await tx.fetch(NEWEST)
    }
