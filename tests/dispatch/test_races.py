"""Exactly one winner, on real connections; and what would happen without the constraint.

NUANXIAN_RACE_ORDERS sets how many orders are fought for, 50 callers each.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Database
from app.core.errors import Conflict
from app.dispatch import service
from tests.conftest import TestServer, vault, wired_bus
from tests.world.orders import TUESDAY_TEN, make_order, make_town, provider_caller

ORDERS = int(os.environ.get("NUANXIAN_RACE_ORDERS", "200"))
CALLERS = 50
AT_ONCE = 4
TEAM = 5

OVERLAPS = """SELECT count(*) FROM booking a JOIN booking b ON a.caregiver_id = b.caregiver_id AND a.id < b.id
AND a.during && b.during WHERE a.status <> 'released' AND b.status <> 'released'"""


@asynccontextmanager
async def own_database(server: TestServer, template: str) -> AsyncIterator[Database]:
    name = f"nuanxian_race_{secrets.token_hex(4)}"
    database = Database(await server.clone(name, template), vault=vault(), bus=wired_bus(), pool_size=CALLERS)
    try:
        yield database
    finally:
        await database.close()
        await server.drop(name)


async def offered_orders(database: Database, count: int) -> tuple[list[Any], list[UUID]]:
    """`count` offers of one provider, AT_ONCE for the same hour, and the provider's caregivers."""
    async with database.transaction() as tx:
        town = await make_town(tx, providers=1, caregivers=TEAM, hours=(0, 24))
    for i in range(count):
        begin = TUESDAY_TEN + timedelta(days=1 + i // (AT_ONCE * 6), hours=2 * (i // AT_ONCE % 6))
        async with database.transaction() as tx:
            await make_order(tx, town.elder, urgency="appointment", wanted_from=begin, wanted_to=None)
    async with database.transaction() as tx:
        offers = await tx.fetch("SELECT id, provider_id, order_id FROM offer WHERE status = 'offered'")
    return offers, town.caregivers[0]


async def fight(database: Database, offers: list[Any], team: list[UUID]) -> dict[UUID, int]:
    """CALLERS accept every offer at once, each naming a caregiver of its own; wins by order."""
    wins: dict[UUID, int] = {}

    async def one(offer: Any, caregiver: UUID) -> None:
        try:
            async with database.transaction() as tx:
                await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], caregiver)
        except Conflict:
            return
        wins[offer["order_id"]] = wins.get(offer["order_id"], 0) + 1

    for begin in range(0, len(offers), AT_ONCE):
        rivals = offers[begin : begin + AT_ONCE]
        calls = [one(offer, random.choice(team)) for offer in rivals for _ in range(CALLERS)]
        random.shuffle(calls)
        await asyncio.gather(*calls)
    return wins


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.mark.timeout(300)
async def test_fifty_acceptances_of_each_order_have_one_winner_and_no_overlap(
    server: TestServer, template: str
) -> None:
    async with own_database(server, template) as database:
        offers, team = await offered_orders(database, ORDERS)
        assert len(offers) == ORDERS
        wins = await fight(database, offers, team)
        async with database.transaction() as tx:
            assert await tx.fetchval(OVERLAPS) == 0
            assigned = await tx.fetchval("SELECT count(*) FROM care_order WHERE status = 'assigned'")
            winners = await tx.fetchval("SELECT count(DISTINCT order_id) FROM booking WHERE status = 'booked'")
    assert set(wins.values()) == {1}
    assert assigned == len(wins) == winners == ORDERS


@pytest.mark.timeout(120)
async def test_without_the_constraint_caregivers_are_booked_twice(server: TestServer, template: str) -> None:
    """The control: the same fight on a database that lost its exclusion constraint."""
    async with own_database(server, template) as database:
        async with database.transaction() as tx:
            await tx.run("ALTER TABLE booking DROP CONSTRAINT ex_booking_caregiver_during")
        offers, team = await offered_orders(database, 24)
        await fight(database, offers, team)
        async with database.transaction() as tx:
            assert await tx.fetchval(OVERLAPS) > 0
