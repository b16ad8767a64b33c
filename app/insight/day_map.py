"""The day on a map: outlines, orders and incidents; gathered by street where they are many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.insight import queries_listing, service
from app.regions import boundaries

EACH, MOST, INCIDENTS = 300, 5000, 200
"""So many orders are shown one by one, so many are read, and so many incidents."""
STREET = 9


@dataclass(frozen=True, slots=True)
class DayMap:
    """`streets` are `(name, lng, lat, orders, late)`, and empty where every order is shown by itself."""

    day: date
    outlines: dict[str, Any]
    orders: list[Any]
    streets: list[tuple[str, float, float, int, int]]
    incidents: list[Any]
    more: bool


async def of_day(tx: Tx, caller: Caller, day: date, division: str | None) -> DayMap:
    """Raises NotFound for a division that is not the caller's."""
    asked = service.Question(day, day + timedelta(days=1), division)
    where = service.within(caller, asked)
    found = await queries_listing.places(tx, where, clock.now(), MOST + 1)
    incidents = await queries_listing.incident_places(tx, where, INCIDENTS)
    outlines = boundaries.within([division] if division else caller.divisions)
    orders, more = found[:MOST], len(found) > MOST
    streets = await _by_street(tx, orders) if len(orders) > EACH else []
    return DayMap(day, outlines, orders, streets, incidents, more)


async def _by_street(tx: Tx, orders: list[Any]) -> list[tuple[str, float, float, int, int]]:
    count = Counter(order["division_code"][:STREET] for order in orders)
    late = Counter(order["division_code"][:STREET] for order in orders if order["late"])
    known = {row["code"]: row for row in await queries_listing.streets(tx)}
    return [
        (known[code]["name"], known[code]["lng"], known[code]["lat"], number, late[code])
        for code, number in sorted(count.items())
        if code in known
    ]
