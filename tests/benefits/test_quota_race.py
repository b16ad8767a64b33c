"""One elder, one month, many orders at the same moment, on connections of their own."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest

from app.benefits import queries, service
from app.core import clock
from app.core.db import Database
from app.core.errors import Conflict
from tests.world import World

DAY = date(2026, 3, 17)
ORDERS = 16


@pytest.fixture
async def entitled(database: Database, world: World) -> tuple[UUID, UUID]:
    """(elder, entitlement) with 200 yuan a month."""
    async with database.transaction() as tx:
        elder_id: UUID = await world.elder(tx)
        entitlement_id: UUID = await world.entitlement(tx, elder_id)
    return elder_id, entitlement_id


async def totals(database: Database) -> tuple[int, int, int]:
    async with database.transaction() as tx:
        row = await tx.fetchrow("""SELECT q.granted_fen, q.reserved_fen,
            (SELECT coalesce(sum(amount_fen), 0)::bigint FROM quota_movement WHERE kind = 'reserve') AS moved
            FROM quota_month q""")
    assert row is not None
    return tuple(row)


async def test_sixteen_orders_at_once_never_overdraw(database: Database, entitled: tuple[UUID, UUID]) -> None:
    """Everybody quotes before anybody reserves, so everybody believes in the full quota: 16 x 30 yuan of 200."""
    ready = asyncio.Barrier(ORDERS)

    async def order() -> bool:
        async with database.transaction() as tx:
            split = await service.quote(tx, entitled[0], "clean_home", 3750, DAY)
            assert split.parts[0].amount_fen == 3000
            await ready.wait()
            try:
                await service.reserve(tx, uuid4(), split, DAY)
            except Conflict as gone:
                assert gone.facts["quota_left_fen"] < 3000  # noqa: PT017 (the loser is told what is left)
                return False
        return True

    won = await asyncio.gather(*(order() for _ in range(ORDERS)))
    assert sum(won) == 6
    assert await totals(database) == (20_000, 18_000, 18_000)


async def test_with_the_condition_gone_the_constraint_still_holds(
    database: Database, entitled: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: code that reserves without looking is stopped by the CHECK, not by luck."""
    careless = queries.RESERVE.replace(
        "WHERE quota_month.reserved_fen + quota_month.consumed_fen + $3 <= quota_month.granted_fen", ""
    )
    assert careless != queries.RESERVE
    monkeypatch.setattr(queries, "RESERVE", careless)

    async def order() -> str:
        try:
            async with database.transaction() as tx:
                month = service.first_of_month(DAY)
                await queries.reserve(tx, entitled[1], month, 3000, uuid4(), clock.now())
        except Exception as refused:
            return str(getattr(refused, "constraint_name", refused))
        return "reserved"

    ended = await asyncio.gather(*(order() for _ in range(ORDERS)))
    assert sorted(set(ended)) == ["ck_quota_month_not_overdrawn", "reserved"]
    assert await totals(database) == (20_000, 18_000, 18_000)


async def test_release_and_consume_at_once_close_a_reservation_once(
    database: Database, entitled: tuple[UUID, UUID]
) -> None:
    async with database.transaction() as tx:
        split = await service.quote(tx, entitled[0], "clean_home", 10_000, DAY)
        scheme_id = split.parts[0].scheme_id
        assert scheme_id is not None
        orders = [uuid4(), uuid4()]
        for order_id in orders:
            await service.reserve(tx, order_id, split, DAY)

    async def close(order_id: UUID, settle: bool) -> str:
        try:
            async with database.transaction() as tx:
                if settle:
                    await service.consume(tx, order_id, {scheme_id: 8000})
                else:
                    await service.release(tx, order_id)
        except Conflict as late:
            return late.code
        return "done"

    ended = await asyncio.gather(*(close(order_id, n % 2 == 0) for order_id in orders for n in range(8)))
    assert set(ended) <= {"done", "reservation_closed"}
    async with database.transaction() as tx:
        closed = await tx.fetch("SELECT order_id, kind FROM quota_movement WHERE kind <> 'reserve'")
        row = await tx.fetchrow("SELECT reserved_fen, consumed_fen FROM quota_month")
    assert {entry["order_id"] for entry in closed} == set(orders)
    assert len(closed) == 2
    assert row is not None
    assert tuple(row) == (0, 8000 * sum(entry["kind"] == "consume" for entry in closed))


async def test_a_first_reservation_waits_for_a_cut_and_sees_it(database: Database, entitled: tuple[UUID, UUID]) -> None:
    async with database.transaction() as tx:
        split = await service.quote(tx, entitled[0], "clean_home", 10_000, DAY)
    assert split.parts[0].amount_fen == 8000

    async def reserve() -> None:
        async with database.transaction() as tx:
            await service.reserve(tx, uuid4(), split, DAY)

    async with database.transaction() as tx:
        await queries.entitlement(tx, entitled[1])
        await queries.change_entitlement(tx, entitled[1], {"monthly_quota_fen": 1000})
        reserving = asyncio.create_task(reserve())
        await asyncio.sleep(0.2)
        assert not reserving.done()
    with pytest.raises(Conflict) as gone:
        await reserving
    assert gone.value.facts == {"quota_left_fen": 1000}
