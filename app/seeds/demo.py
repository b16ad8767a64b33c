"""Jinchang, with people in it: `load` fills an empty, migrated database with a small city that has a past."""

from __future__ import annotations

from app.core.config import Settings
from app.core.db import Database
from app.seeds import base, companies, elders

INHABITED = "SELECT EXISTS (SELECT FROM elder)"


async def load(database: Database, settings: Settings) -> None:
    """Load the demo world; does nothing where elders are."""
    async with database.transaction() as tx:
        await tx.fetchval(base.ONE_AT_A_TIME)
        if await tx.fetchval(INHABITED):
            return
        await base.load_base(tx)
        people = await elders.load(tx)
        firms = await companies.load(tx)
