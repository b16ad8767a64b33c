"""Who has an order's page open is told; the database is asked once for all of them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from uuid import uuid4

from app.core.db import Database
from app.orders import queries_reading, watch
from app.orders.watch import OrderWatch
from tests.world import World


async def test_every_reader_hears_of_the_change_by_one_look(database: Database, world: World, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    async with database.transaction() as tx:
        made, other = await world.assigned_order(tx), await world.assigned_order(tx)
    looks = 0

    async def counted(*args: object) -> dict[object, int]:
        nonlocal looks
        looks += 1
        return await versions(*args)  # type: ignore[arg-type, return-value]

    versions = queries_reading.versions
    monkeypatch.setattr(watch.queries_reading, "versions", counted)
    watching = OrderWatch(database, interval_s=0.05)

    async def first(order_id: object, version: int) -> int | None:
        async with aclosing(watching.follow(order_id, version, 10, 10)) as news:  # type: ignore[arg-type]
            async for one in news:
                return one
        return None

    readers = [asyncio.create_task(first(made.order_id, 5)) for _ in range(200)]
    behind = asyncio.create_task(first(other.order_id, 4))
    assert await behind == 5, "who comes with an older version is told at once"
    await asyncio.sleep(0.2)
    assert not any(one.done() for one in readers)
    async with database.transaction() as tx:
        await made.report(tx, made.event("departed", 1))
    assert set(await asyncio.gather(*readers)) == {6}
    assert looks < 20, "however many read"
    assert watching.watched == 0
    await asyncio.sleep(0.2)
    ended = looks
    await asyncio.sleep(0.2)
    assert looks == ended, "nobody looks while nobody watches"


async def test_a_reader_without_news_gets_heartbeats_until_its_time_is_over(database: Database) -> None:
    watching = OrderWatch(database, interval_s=0.05)
    heard = [one async for one in watching.follow(uuid4(), 1, 0.3, 0.1)]
    assert heard == [None] * len(heard)
    assert len(heard) >= 2


async def test_a_database_that_is_away_is_looked_for_again(database: Database, world: World, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    async with database.transaction() as tx:
        made = await world.assigned_order(tx)
    versions, failures = queries_reading.versions, iter([OSError("away"), OSError("away")])

    async def sometimes(*args: object) -> object:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await versions(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(watch.queries_reading, "versions", sometimes)
    async with aclosing(OrderWatch(database, interval_s=0.05).follow(made.order_id, 4, 5, 5)) as news:
        assert await anext(news) == 5
