"""What a caregiver's own work came to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from app.core import clock
from app.core.db import Database, Tx
from app.providers import service as providers
from tests.world import World
from tests.world.settlement import Market, make_market, make_served_order

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)


async def served(tx: Tx, market: Market, caregiver: UUID, days_ago: int, **more: Any) -> UUID:
    at = NOW - timedelta(days=days_ago)
    order_id = await make_served_order(tx, market, completed_at=at, **more)
    await tx.run(
        "UPDATE visit SET caregiver_id = $2, service_day = $3 WHERE order_id = $1",
        order_id, caregiver, clock.service_day(at),
    )  # fmt: skip
    return order_id


async def test_months_ratings_and_what_has_been_settled(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    with clock.hold(NOW):
        async with database.transaction() as tx:
            market = await make_market(tx)
            caregiver = await world.caregiver(tx, market.provider_id)
            colleague = await world.caregiver(tx, market.provider_id)
            await served(tx, market, caregiver, 2, rating=5)
            await served(tx, market, caregiver, 3, verification="review")
            old = await served(tx, market, caregiver, 35, rating=3)
            await served(tx, market, caregiver, 400)
            await served(tx, market, colleague, 2, rating=1)
            await providers.record_rating(tx, market.provider_id, caregiver, 5)
            phone = await world.phone(tx, caregiver)
        clerk = await world.staff_headers(database, ("settlement_clerk",), ("620300",))
        run = await api.post("/v1/settlement-runs", json={"period": "2026-10"}, headers=clerk)
        assert run.status_code == 200, run.text
        before = (await phone.get(api, "/v1/caregiver/earnings")).json()
        async with database.transaction() as tx:
            await tx.run("UPDATE statement SET status = 'issued'")
        earned = (await phone.get(api, "/v1/caregiver/earnings")).json()
    november, october = earned["months"]
    assert (november["period"], november["visits"], november["verified"], november["in_review"]) == ("2026-11", 2, 1, 1)
    assert (november["minutes"], november["price_fen"], november["settled"], november["ratings"]) == (
        240,
        14_000,
        0,
        [5],
    )
    assert (october["period"], october["visits"], october["settled"], october["ratings"]) == ("2026-10", 1, 1, [3])
    assert before["months"][1]["settled"] == 0, "a draft is nothing to count on"
    async with database.transaction() as tx:
        line = await tx.fetchval("SELECT payable_fen FROM statement_line WHERE order_id = $1", old)
    assert october["settled_fen"] == line
    assert (earned["ratings"], earned["completed"]) == (1, 0)
    assert 1 <= earned["score"] <= 5
