"""The SQL of what maps said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

Cell = tuple[str, str]
"""(geohash of the origin, mode)."""

KNOWN = """SELECT m.origin, m.mode, m.seconds FROM unnest($1::text[], $2::text[]) AS asked (origin, mode)
JOIN map_answer m USING (origin, mode) WHERE m.destination = $3 AND m.band = $4 AND m.expires_at > $5"""

KEEP = """INSERT INTO map_answer (origin, destination, mode, band, seconds, expires_at)
SELECT a.origin, $4, a.mode, $5, a.seconds, $6
FROM unnest($1::text[], $2::text[], $3::int[]) AS a (origin, mode, seconds) ORDER BY 1, 3
ON CONFLICT (origin, destination, mode, band) DO UPDATE
SET seconds = excluded.seconds, expires_at = excluded.expires_at"""

FORGET = "DELETE FROM map_answer WHERE expires_at < $1"

HOMES = """SELECT id, home_lng, home_lat, travel_mode FROM caregiver
WHERE id = ANY($1::uuid[]) AND home_lng IS NOT NULL AND home_lat IS NOT NULL"""


async def known(tx: Tx, cells: Sequence[Cell], destination: str, band: str, now: datetime) -> dict[Cell, int]:
    """Seconds by cell and mode, where the answer is not too old."""
    origins, modes = [origin for origin, _ in cells], [mode for _, mode in cells]
    rows = await tx.fetch(KNOWN, origins, modes, destination, band, now)
    return {(row["origin"], row["mode"]): row["seconds"] for row in rows}


async def keep(tx: Tx, answers: Mapping[Cell, int], destination: str, band: str, until: datetime) -> None:
    if answers:
        origins, modes = [origin for origin, _ in answers], [mode for _, mode in answers]
        await tx.run(KEEP, origins, modes, list(answers.values()), destination, band, until)


async def forget(tx: Tx, now: datetime) -> int:
    return await tx.run(FORGET, now)


async def homes(tx: Tx, caregivers: Sequence[UUID]) -> list[Any]:
    """Where these caregivers live and how they travel; without those of whom it is not known."""
    return await tx.fetch(HOMES, caregivers)
