"""Verbs of the catalogue."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from uuid import UUID

import asyncpg

from app.catalog import queries
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.core.sqlstate import constraint_of
from app.regions import divisions

DEMO_SOURCE = "示例价格"
"""Source of every price in the shipped file: figures to show the system with, decided by nobody."""
_POINT = re.compile(r"[、，；]")


@dataclass(frozen=True, slots=True)
class Item:
    """A service item; `models.ServiceItem` explains the fields."""

    code: str
    name: str
    category: str
    unit: str
    standard_minutes: int
    min_minutes: int
    rounding_minutes: int
    max_minutes: int
    certificate: str | None
    tier: str
    kind: str
    description: str
    position: int
    active: bool
    caregivers: int


@dataclass(frozen=True, slots=True)
class Price:
    """A price in force. `per_minutes` None: per visit."""

    id: UUID
    price_fen: int
    per_minutes: int | None
    division_code: str
    source: str


async def item(tx: Tx, code: str) -> Item:
    """The item with this code, active or not. Raises NotFound."""

    async def load() -> Item:
        row = await queries.item(tx, code)
        if row is None:
            raise NotFound("service_item_not_found", "there is no such service item")
        return Item(*row)

    return await tx.cache.get(("catalog.item", code), load)


async def items(
    tx: Tx,
    *,
    active: bool | None = True,
    category: str | None = None,
    kind: str | None = None,
    word: str | None = None,
) -> list[Item]:
    """Items in the order of the catalogue; `word` is part of the name."""
    return [Item(*row) for row in await queries.items(tx, active, category, kind, word)]


async def price_on(tx: Tx, code: str, division_code: str, day: date) -> Price:
    """What `code` costs in this division on this day: the most specific division with a price wins.

    Raises Invalid("price_not_set") when neither the division nor any above it has one.
    """

    rows = await tx.cache.get(("catalog.prices", code), lambda: queries.prices_of(tx, code))
    places = divisions.lineage(division_code)
    fitting = [
        row
        for row in rows
        if row["division_code"] in places
        and row["valid_from"] <= day
        and (row["valid_to"] is None or row["valid_to"] >= day)
    ]
    if not fitting:
        raise Invalid("price_not_set", "this item has no price here on that day", field="item_code")
    row = min(fitting, key=lambda row: places.index(row["division_code"]))
    return Price(row["id"], row["price_fen"], row["per_minutes"], row["division_code"], row["source"])


async def prices_on(tx: Tx, codes: Sequence[str], division_code: str, day: date) -> dict[str, Price]:
    """`price_on` for several items; items without a price are missing from the answer."""
    rows = await queries.prices_on(tx, codes, divisions.lineage(division_code), day)
    return {
        row["item_code"]: Price(row["id"], row["price_fen"], row["per_minutes"], row["division_code"], row["source"])
        for row in rows
    }


async def set_price(
    tx: Tx,
    code: str,
    division_code: str,
    *,
    price_fen: int,
    per_minutes: int | None,
    valid_from: date,
    source: str,
) -> UUID:
    """A new price from `valid_from` on; the one before ends the day before. Orders keep the price they were
    placed at.

    Raises NotFound for an unknown item, Conflict when a price already begins on that day or later.
    """
    await item(tx, code)
    await queries.end_price(tx, code, division_code, valid_from - timedelta(days=1))
    price_id = new_id()
    try:
        async with tx.savepoint():
            await queries.add_price(tx, price_id, code, division_code, price_fen, per_minutes, source, valid_from, None)
    except asyncpg.ExclusionViolationError as overlap:
        if constraint_of(overlap) != "ex_price_version_overlap":
            raise
        raise Conflict("price_already_set", "a price already begins on that day or later") from overlap
    tx.cache.clear()
    return price_id


async def load_items(tx: Tx) -> int:
    """Bring in the shipped catalogue; what a city has made of a known code stays. Returns how many are new."""
    added = 0
    for position, row in enumerate(_shipped(), start=1):
        values = [row["code"], row["name"], row["category"], row["unit"]]
        minutes = [int(row[f"{name}_minutes"]) for name in ("standard", "min", "rounding", "max")]
        certificate = row["certificate"] or None
        described = [certificate, row["tier"], row["kind"], row["description"], position, True, int(row["caregivers"])]
        added += await queries.put_item(tx, [*values, *minutes, *described])
    return added


async def load_demo_prices(tx: Tx, division_code: str, valid_from: date) -> int:
    """Put the demo figures of the shipped file in force in `division_code`; only where it has no prices yet."""
    rows = _shipped()
    known = await queries.prices_on(tx, [row["code"] for row in rows], [division_code], valid_from)
    priced = {row["item_code"] for row in known}
    for row in rows:
        if row["code"] not in priced:
            per_minutes = int(row["demo_per_minutes"]) if row["demo_per_minutes"] else None
            price_fen = int(row["demo_price_fen"])
            await queries.add_price(
                tx, new_id(), row["code"], division_code, price_fen, per_minutes, DEMO_SOURCE, valid_from, None
            )
    return len(rows) - len(priced)


def points_of(description: str) -> list[str]:
    """What a service consists of, one by one, as the catalogue enumerates it."""
    return [point for part in _POINT.split(description) if (point := part.strip())]


def _shipped() -> list[dict[str, str]]:
    text = (files("app.catalog") / "data" / "service_items.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
