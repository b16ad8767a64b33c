"""The line to the database breaks around a COMMIT: the caller hears "not now", and asking again decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.core.config import Settings
from app.core.db import Database
from app.main import create_app
from tests.chaos.proxies import BrittleLine, Cut, brittle_line
from tests.conftest import vault, wired_bus
from tests.world.accounts import staff_headers
from tests.world.orders import make_town

pytestmark = pytest.mark.chaos


@dataclass
class Desk:
    """A desk whose service reaches its database over a line that breaks."""

    line: BrittleLine
    client: httpx.AsyncClient
    body: dict[str, Any]
    headers: dict[str, str]

    async def place(self) -> httpx.Response:
        return await self.client.post("/v1/orders", json=self.body, headers=self.headers)


@pytest.fixture
async def desk(settings: Settings, clean_database: Database) -> AsyncIterator[Desk]:
    async with clean_database.transaction() as tx:
        elder = (await make_town(tx)).elder
    headers = await staff_headers(clean_database)
    async with brittle_line(clean_database.dsn) as line:
        database = Database(line.dsn, vault=vault(), bus=wired_bus(), pool_size=2)
        transport = httpx.ASGITransport(app=create_app(settings, database))
        async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test") as client:
            yield Desk(line, client, {"elder_id": str(elder), "item_code": "clean_home"}, headers)
        await database.close()


async def orders(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM care_order"))


@pytest.mark.parametrize(("cut", "committed"), [("before", 0), ("after", 1)])
async def test_the_line_breaks_at_the_commit(desk: Desk, clean_database: Database, cut: Cut, committed: int) -> None:
    desk.line.cut = cut
    unknown = await desk.place()
    assert desk.line.cuts == 1
    assert (unknown.status_code, unknown.json()["code"]) == (503, "database_unavailable")
    assert int(unknown.headers["retry-after"]) > 0
    assert await orders(clean_database) == committed
    again = await desk.place()
    assert again.status_code == 201
    assert again.headers.get("idempotency-replayed") == ("true" if committed else None)
    assert (await desk.place()).content == again.content
    assert await orders(clean_database) == 1


async def test_a_caller_who_goes_away_at_the_beginning_takes_nobody_along(desk: Desk, clean_database: Database) -> None:
    """The driver is interrupted while it waits for BEGIN; the connection must not go on as if nothing had begun."""
    assert (await desk.place()).status_code == 201
    desk.headers = desk.headers | {"Idempotency-Key": "another"}
    desk.line.slow_s = 0.3
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(desk.place(), 0.1)
    desk.line.slow_s = 0.0
    assert (await desk.place()).status_code == 201
    assert await orders(clean_database) == 2, "what was acknowledged was never committed"


async def test_a_server_that_said_its_last_word_but_did_not_hang_up(desk: Desk, clean_database: Database) -> None:
    assert (await desk.place()).status_code == 201
    desk.line.last_word()
    desk.headers = desk.headers | {"Idempotency-Key": "another"}
    away = await desk.place()
    assert (away.status_code, away.json()["code"]) == (503, "database_unavailable")
    assert (await desk.place()).status_code == 201, "the pool goes on with a dead connection"
    assert await orders(clean_database) == 2
