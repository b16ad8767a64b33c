"""Divisions and working days: loading what is published, and asking."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from app.core import clock, log
from app.core.db import Tx
from app.core.errors import NotFound
from app.regions import queries, workdays

DATA = Path(__file__).parent / "data"
PUBLISHED = date(2023, 6, 30)
"""The day the division codes in `data/` describe."""


@dataclass(frozen=True, slots=True)
class DivisionFacts:
    """A division; `lng` and `lat` are WGS-84, null if unknown."""

    code: str
    name: str
    kind: str
    parent_code: str | None
    lng: float | None
    lat: float | None
    urban: bool


async def ensure_base_data(tx: Tx) -> None:
    """What no city can run without. May be called at every start."""
    await load_divisions(tx)
    await load_calendar(tx)


async def load_divisions(tx: Tx, path: Path = DATA / "divisions.csv") -> int:
    """Add the divisions of the file (parents before children) that are missing; returns its number of rows."""
    rows = [
        {
            "code": line["code"],
            "name": line["name"],
            "kind": line["kind"],
            "parent_code": line["parent_code"] or None,
            "lng": float(line["lng"]) if line["lng"] else None,
            "lat": float(line["lat"]) if line["lat"] else None,
            "urban": line["urban"] == "true",
            "valid_from": PUBLISHED,
            "valid_to": None,
        }
        for line in _lines(path)
    ]
    await queries.add_divisions(tx, rows)
    return len(rows)


async def load_calendar(tx: Tx, path: Path = DATA / "calendar.csv") -> int:
    """Add the days of the file that are missing; returns its number of rows."""
    rows = [
        {
            "day": date.fromisoformat(line["day"]),
            "is_workday": line["is_workday"] == "true",
            "name": line["name"],
            "source": line["source"],
        }
        for line in _lines(path)
    ]
    await queries.add_days(tx, rows)
    return len(rows)


async def set_day(tx: Tx, day: date, *, is_workday: bool, name: str, source: str) -> None:
    """Decide about one day, whatever was known of it before."""
    await queries.put_day(tx, {"day": day, "is_workday": is_workday, "name": name, "source": source})


async def division(tx: Tx, code: str) -> DivisionFacts:
    """Raises NotFound for a code we do not have."""
    row = await queries.division(tx, code)
    if row is None:
        raise NotFound("division_unknown", f"no division has the code {code}")
    return _facts(row)


async def divisions(
    tx: Tx,
    scopes: Sequence[str],
    *,
    kind: str | None = None,
    parent: str | None = None,
    after: str = "",
    limit: int = 200,
) -> list[DivisionFacts]:
    """Standing divisions inside `scopes`, by code, behind the code `after`."""
    found = await queries.divisions(
        tx, scopes=scopes, kind=kind, parent=parent, on=clock.today(), after=after, limit=limit
    )
    return [_facts(row) for row in found]


async def is_workday(tx: Tx, day: date) -> bool:
    """Is this service day worked? Without a calendar for its year, an ordinary week is assumed, with a warning."""
    return workdays.is_workday(day, await _exceptions(tx, day, day))


async def calendar(tx: Tx, first: date, last: date) -> dict[date, bool]:
    """The days from `first` to `last` that differ from an ordinary week, with "is it worked"."""
    return await _exceptions(tx, first, last)


async def add_working_days(tx: Tx, at: datetime, n: int) -> datetime:
    """The instant `n` working days after `at`, at the same time of day in Shanghai; `n` = 0 is `at`."""
    start = clock.service_day(at)
    # Between two working days lie at most 8 days off (Spring Festival joined to a weekend, and some reserve).
    exceptions = await _exceptions(tx, start, start + timedelta(days=2 * n + 20))
    day = workdays.after_workdays(start, n, exceptions)
    return (at.astimezone(clock.SHANGHAI) + (day - start)).astimezone(at.tzinfo)


async def _exceptions(tx: Tx, first: date, last: date) -> dict[date, bool]:
    for year in range(first.year, last.year + 1):
        if not await queries.has_year(tx, year):
            log.get("regions").warning("calendar_year_missing", year=year)
    return {row.day: row.is_workday for row in await queries.days(tx, first, last)}


def _facts(row: Any) -> DivisionFacts:
    return DivisionFacts(row.code, row.name, row.kind, row.parent_code, row.lng, row.lat, row.urban)


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
