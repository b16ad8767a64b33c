"""SQL of the catalogue. Plain asyncpg: items and prices are read for every order and every quote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.core.db import Tx

COLUMNS = """code, name, category, unit, standard_minutes, min_minutes, rounding_minutes, max_minutes, certificate,
  tier, kind, description, position, active, caregivers"""

ITEM = f"SELECT {COLUMNS} FROM service_item WHERE code = $1"

ITEMS = f"""SELECT {COLUMNS} FROM service_item
WHERE ($1::boolean IS NULL OR active = $1) AND ($2::text IS NULL OR category = $2)
  AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR strpos(name, $4) > 0)
ORDER BY position, code"""

PRICES_ON = """SELECT DISTINCT ON (item_code) id, item_code, division_code, price_fen, per_minutes, source
FROM price_version
WHERE item_code = ANY($1) AND division_code = ANY($2::text[]) AND valid_from <= $3
  AND (valid_to IS NULL OR valid_to >= $3)
ORDER BY item_code, array_position($2::text[], division_code)"""

PRICES_OF = """SELECT id, division_code, price_fen, per_minutes, source, valid_from, valid_to FROM price_version
WHERE item_code = $1"""

PUT_ITEM = f"""INSERT INTO service_item ({COLUMNS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (code) DO NOTHING"""

END_PRICE = """UPDATE price_version SET valid_to = $3
WHERE item_code = $1 AND division_code = $2 AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3)"""

ADD_PRICE = """INSERT INTO price_version
  (id, item_code, division_code, price_fen, per_minutes, source, valid_from, valid_to)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


async def item(tx: Tx, code: str) -> Any:
    return await tx.fetchrow(ITEM, code)


async def items(tx: Tx, active: bool | None, category: str | None, kind: str | None, word: str | None) -> list[Any]:
    return await tx.fetch(ITEMS, active, category, kind, word)


async def prices_on(tx: Tx, codes: Sequence[str], lineage: Sequence[str], day: date) -> list[Any]:
    """One row per item: the price of the most specific division of `lineage` in force on `day`."""
    return await tx.fetch(PRICES_ON, list(codes), list(lineage), day)


async def prices_of(tx: Tx, code: str) -> list[Any]:
    """Every price the item ever had, everywhere: a few rows."""
    return await tx.fetch(PRICES_OF, code)


async def put_item(tx: Tx, values: Sequence[Any]) -> int:
    """1 when the item is new."""
    return await tx.run(PUT_ITEM, *values)


async def end_price(tx: Tx, code: str, division_code: str, last_day: date) -> int:
    return await tx.run(END_PRICE, code, division_code, last_day)


async def add_price(
    tx: Tx,
    price_id: UUID,
    code: str,
    division_code: str,
    price_fen: int,
    per_minutes: int | None,
    source: str,
    valid_from: date,
    valid_to: date | None,
) -> None:
    await tx.run(ADD_PRICE, price_id, code, division_code, price_fen, per_minutes, source, valid_from, valid_to)
