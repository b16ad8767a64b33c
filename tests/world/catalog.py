"""Makers for the catalogue."""

from __future__ import annotations

from datetime import date

from app.catalog import service
from app.core.db import Tx

PRICED_FROM = date(2020, 1, 1)


async def make_items(tx: Tx, division_code: str = "620300") -> list[str]:
    """The shipped catalogue with its demo prices in Jinchang; returns the item codes. Repeatable."""
    await service.load_items(tx)
    if not await tx.fetchval("SELECT EXISTS (SELECT FROM price_version WHERE division_code = $1)", division_code):
        await service.load_demo_prices(tx, division_code, PRICED_FROM)  # a city that has its own keeps them
    return [item.code for item in await service.items(tx)]
