"""The small application on a table of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from app.core.config import Settings
from app.core.db import Database
from tests.core import small_app


@pytest.fixture
async def notes(clean_database: Database) -> AsyncIterator[Database]:
    """The database with the table `note`."""
    async with clean_database.transaction() as tx:
        await tx.run("CREATE TABLE note (id int GENERATED ALWAYS AS IDENTITY, text text, number int DEFAULT 0)")
    small_app.broken["deadlocks"] = 0
    yield clean_database
    async with clean_database.transaction() as tx:
        await tx.run("DROP TABLE note")


@pytest.fixture
async def small(settings: Settings, notes: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with small_app.client(settings, notes) as client:
        yield client


@pytest.fixture
async def small_in_production(settings: Settings, notes: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with small_app.client(settings, notes, production=True) as client:
        yield client
