"""Figures as they stood: written once a day, added up as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps
from app.insight.queries import Cell, Within

_HEAD = "SELECT as_of, first_day, taken_at FROM indicator_day"
KEPT = f"{_HEAD} WHERE as_of = $1 AND complete"
NEWEST = f"{_HEAD} WHERE complete ORDER BY as_of DESC LIMIT $1"
BEGUN = f"{_HEAD} WHERE as_of = $1"
ANY = "SELECT EXISTS (SELECT FROM indicator_day)"
BEGIN = "INSERT INTO indicator_day (as_of, first_day, taken_at, complete) VALUES ($1, $2, $3, false)"
COMPLETE = "UPDATE indicator_day SET complete = true WHERE as_of = $1"
_STOOD = """SELECT DISTINCT ON (service_day, division_code, provider) service_day, division_code, provider, counts
FROM indicator_snapshot WHERE as_of <= $1 AND service_day >= $2 AND service_day < $3
ORDER BY service_day, division_code, provider, as_of DESC"""
ADD = """INSERT INTO indicator_snapshot (service_day, division_code, provider, as_of, counts)
SELECT $1, u.division, u.provider, $2, u.counts::jsonb
FROM unnest($3::text[], $4::text[], $5::text[]) AS u (division, provider, counts) ON CONFLICT DO NOTHING"""

CITY = "-"
"""Stands for the division of what belongs to the whole city; empty is the division of what has none yet."""
_SUMS = f"""WITH stood AS ({_STOOD})
SELECT {{}}s.code, sum(s.part)::bigint AS part, sum(s.whole)::bigint AS whole
FROM (SELECT service_day AS day, left(division_code, $8) AS division, provider, c.key AS code,
    (c.value ->> 0)::bigint AS part, (c.value ->> 1)::bigint AS whole
  FROM stood CROSS JOIN LATERAL jsonb_each(counts) AS c
  WHERE ($7::text IS NULL OR provider = $7) AND (($6 AND division_code IN ('', '{CITY}')) OR EXISTS (
    SELECT FROM unnest($4::text[], $5::text[]) AS r (low, high)
    WHERE division_code >= r.low AND division_code < r.high))) s
GROUP BY GROUPING SETS ({{}})"""


async def kept(tx: Tx, as_of: date) -> Any | None:
    """The day's head, or None when nothing was kept."""
    return await tx.fetchrow(KEPT, as_of)


async def newest(tx: Tx, limit: int) -> list[Any]:
    return await tx.fetch(NEWEST, limit)


async def begun(tx: Tx, as_of: date) -> Any | None:
    """The same, also while the figures are still being kept."""
    return await tx.fetchrow(BEGUN, as_of)


async def ever(tx: Tx) -> bool:
    return bool(await tx.fetchval(ANY))


async def begin(tx: Tx, as_of: date, first_day: date, at: datetime) -> None:
    await tx.run(BEGIN, as_of, first_day, at)


async def complete(tx: Tx, as_of: date) -> None:
    await tx.run(COMPLETE, as_of)


async def standing(tx: Tx, as_of: date, day: date, next_day: date) -> dict[tuple[str, str], Any]:
    """What stood of one service day at the end of `as_of`: counts by division and provider."""
    rows = await tx.fetch(_STOOD, as_of, day, next_day)
    return {(row["division_code"], row["provider"]): row["counts"] for row in rows}


async def add(tx: Tx, as_of: date, day: date, cells: Sequence[tuple[tuple[str, str], dict[str, list[int]]]]) -> None:
    """Cells of one service day that differ from what stood. What is there already stays."""
    keys = [key for key, _ in cells]
    await tx.run(
        ADD, day, as_of, [key[0] for key in keys], [key[1] for key in keys], [dumps(counts) for _, counts in cells]
    )


async def sums(
    tx: Tx, as_of: date, days: tuple[date, date], where: Within, by: Sequence[Any]
) -> list[tuple[Any, Cell]]:
    """Kept counts of service days [first, end) as of a day, one cell for each indicator of the whole (None) and of
    each group."""
    columns = "".join(f"s.{one}, GROUPING(s.{one}) = 0 AS by_{one}, " for one in by)
    sets = ", ".join(["(s.code)", *(f"(s.code, s.{one})" for one in by)])
    provider = None if where.provider_id is None else str(where.provider_id)
    args = (as_of, *days, where.lows, where.highs, where.everywhere, provider, where.length)
    rows = await tx.search(_SUMS.format(columns, sets), *args)
    return [_cell(row, next((one for one in by if row[f"by_{one}"]), None)) for row in rows]


def _cell(row: Any, by: str | None) -> tuple[Any, Cell]:
    provider = UUID(row["provider"]) if by == "provider" and row["provider"] else None
    day, division = (row[key] if by == key else None for key in ("day", "division"))
    return by, Cell(day, division, provider, {row["code"]: (row["part"], row["whole"])})
