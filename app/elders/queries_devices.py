"""SQL of devices and whom they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.elders.models_devices import GOOD_BATTERY, LOW_BATTERY, WANTING

BIND = """INSERT INTO elder_device (id, vendor, number, kind, place, elder_id, bound_at, bound_by, silent_after_s)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (vendor, number) WHERE unbound_at IS NULL DO NOTHING RETURNING id"""
HOLDER = "SELECT id, elder_id FROM elder_device WHERE vendor = $1 AND number = $2 AND unbound_at IS NULL"
UNBIND = """UPDATE elder_device SET unbound_at = $3, unbound_by = $4
WHERE id = $1 AND elder_id = $2 AND unbound_at IS NULL RETURNING id"""
OF_ELDER = """SELECT id, vendor, number, kind, place, elder_id, bound_at, unbound_at, seen_at, battery,
  offline_at, low_battery_at
FROM elder_device WHERE elder_id = $1 ORDER BY unbound_at NULLS FIRST, id DESC LIMIT 100"""
# A sign of life moves `silent_at` only when a quarter of the time is gone: an update that touches no index is cheap.
# Locks are taken in the order of ids: two batches never wait for each other.
SEEN = f"""WITH said AS (
  SELECT DISTINCT ON (number) number, battery FROM unnest($2::text[], $3::int[]) AS s (number, battery)
), old AS (
  SELECT d.*, said.battery AS said FROM elder_device d JOIN said ON said.number = d.number
  WHERE d.vendor = $1 AND d.unbound_at IS NULL ORDER BY d.id FOR UPDATE OF d
), seen AS (
  UPDATE elder_device d SET seen_at = greatest(d.seen_at, $4), battery = coalesce(old.said, d.battery),
    silent_at = CASE
      WHEN d.silent_at IS NULL AND NOT $5 THEN NULL
      WHEN d.silent_at > $4 + make_interval(secs => d.silent_after_s * 0.75) THEN d.silent_at
      ELSE $4 + make_interval(secs => d.silent_after_s) END,
    offline_at = NULL,
    low_battery_at = CASE
      WHEN $6 OR old.said <= {LOW_BATTERY} THEN coalesce(d.low_battery_at, $4)
      WHEN old.said >= {GOOD_BATTERY} THEN NULL
      ELSE d.low_battery_at END
  FROM old WHERE d.id = old.id
  RETURNING d.id, d.elder_id, d.place, d.low_battery_at, old.offline_at AS was_offline, old.low_battery_at AS was_low
)
SELECT s.*, e.division_code FROM seen s JOIN elder e ON e.id = s.elder_id"""
GONE = """WITH old AS (
  SELECT id, offline_at FROM elder_device WHERE vendor = $1 AND number = $2 AND unbound_at IS NULL FOR UPDATE
), gone AS (
  UPDATE elder_device d SET offline_at = coalesce(d.offline_at, $3), silent_at = coalesce(d.silent_at, $3)
  FROM old WHERE d.id = old.id RETURNING d.id, d.elder_id, d.place, old.offline_at AS was_offline
)
SELECT g.*, e.division_code FROM gone g JOIN elder e ON e.id = g.elder_id"""
MISS = """WITH due AS (
  SELECT id, greatest(silent_at, seen_at + make_interval(secs => silent_after_s)) AS silent FROM elder_device
  WHERE unbound_at IS NULL AND offline_at IS NULL AND silent_at <= $1 ORDER BY silent_at LIMIT $2
  FOR UPDATE SKIP LOCKED
), missed AS (
  UPDATE elder_device d SET silent_at = due.silent, offline_at = CASE WHEN due.silent <= $1 THEN $1 END
  FROM due WHERE d.id = due.id RETURNING d.id, d.elder_id, d.offline_at
)
SELECT m.*, e.division_code FROM missed m JOIN elder e ON e.id = m.elder_id"""
EVERY_WANTING = f"""SELECT d.id, d.vendor, d.number, d.kind, d.place, d.elder_id, d.bound_at, d.unbound_at,
  d.seen_at, d.battery, d.offline_at, d.low_battery_at
FROM elder_device d JOIN elder e ON e.id = d.elder_id
WHERE {WANTING} AND ($1::uuid IS NULL OR d.id > $1)
  AND EXISTS (SELECT 1 FROM unnest($2::text[], $3::text[]) AS r (low, high)
    WHERE e.division_code >= r.low AND e.division_code < r.high)
ORDER BY d.id LIMIT $4"""


async def bind(tx: Tx, *values: Any) -> bool:
    """False when the device is bound already."""
    return await tx.fetchval(BIND, *values) is not None


async def holder(tx: Tx, vendor: str, number: str) -> Any:
    """The binding in force, or None."""
    return await tx.fetchrow(HOLDER, vendor, number)


async def unbind(tx: Tx, device_id: UUID, elder_id: UUID, at: datetime, by: str) -> bool:
    return await tx.fetchval(UNBIND, device_id, elder_id, at, by) is not None


async def of_elder(tx: Tx, elder_id: UUID) -> list[Any]:
    return await tx.fetch(OF_ELDER, elder_id)


async def seen(
    tx: Tx, vendor: str, numbers: Sequence[str], batteries: Sequence[int | None], at: datetime, beats: bool, low: bool
) -> list[Any]:
    """Note that these were heard; the bindings of those that have one, with what they were. `beats`: by signs of life,
    which will be missed; `low`: by their saying that the battery is low."""
    return await tx.fetch(SEEN, vendor, list(numbers), list(batteries), at, beats, low)


async def gone(tx: Tx, vendor: str, number: str, at: datetime) -> Any:
    """Note that it is off line; the binding, or None."""
    return await tx.fetchrow(GONE, vendor, number, at)


async def miss(tx: Tx, now: datetime, limit: int) -> list[Any]:
    """Devices that may be silent, looked at; of those that are, `offline_at` is set."""
    return await tx.fetch(MISS, now, limit)


async def wanting(tx: Tx, after: UUID | None, ranges: Sequence[tuple[str, str]], limit: int) -> list[Any]:
    """Devices that are missed or have a low battery, within division ranges."""
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return await tx.fetch(EVERY_WANTING, after, lows, highs, limit)
