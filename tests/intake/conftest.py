"""A desk with an operator, a town to serve, and the doors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.db import Database
from tests.intake.doors import client_of, small_app
from tests.world.accounts import staff_token
from tests.world.orders import Town, make_town


@pytest.fixture
async def doors(clean_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    clean_database.cache.clear()
    async with client_of(small_app(clean_database)) as client:
        yield client


@pytest.fixture
async def town(clean_database: Database) -> Town:
    async with clean_database.transaction() as tx:
        return await make_town(tx)


@pytest.fixture
def elder(town: Town) -> UUID:
    return town.elder


Headers = Callable[[], dict[str, str]]


@pytest.fixture
async def operator(clean_database: Database) -> Headers:
    """Headers of one operator, with a fresh Idempotency-Key each time."""
    token = await staff_token(clean_database)
    return lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
