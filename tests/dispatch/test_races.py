"""Exactly one winner, on real connections; what would happen without the constraint; nobody waits in a circle.

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
from app.core.http import SYSTEM
from app.dispatch import queries, service, tasks
from app.dispatch.offers import IN_OTHERS_HANDS
from app.matching import queries_decisions
from app.orders import service as orders
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


async def test_who_has_freed_somebody_does_not_wait_for_others_and_is_served_by_the_next_sweep(
    clean_database: Database,
) -> None:
    async with clean_database.transaction() as tx:
        town = await make_town(tx, providers=2, caregivers=1)
        order = await make_order(tx, town.elder)
        offer = await queries.open_offer(tx, order.id)
    others = [person for team in town.caregivers for person in team if person != offer["caregiver_id"]]
    async with clean_database.transaction() as elsewhere:
        await elsewhere.fetch("SELECT id FROM caregiver WHERE id = ANY($1) FOR NO KEY UPDATE", others)
        async with asyncio.timeout(0.9), clean_database.transaction() as tx:
            await service.refuse(tx, provider_caller(offer["provider_id"]), offer["id"], "no_capacity", None)
    async with clean_database.transaction() as tx:
        waiting = await orders.get(tx, order.id)
        last = (await queries_decisions.decisions(tx, order.id))[-1]
        assert (waiting.status, last["reason"]) == ("placed", IN_OTHERS_HANDS)
        told = "SELECT count(*) FROM feed_entry WHERE audience = 'desk' AND type <> 'order.changed'"
        assert await tx.fetchval(told) == 0
        assert await tasks.dispatch_waiting(tx) == 1
        assert (await queries.open_offer(tx, order.id))["caregiver_id"] == others[0]


async def test_orders_that_want_each_others_caregivers_do_not_wait_in_a_circle(clean_database: Database) -> None:
    """Each frees the caregiver the other one wants. The server would notice a circle, but only after a second."""
    async with clean_database.transaction() as tx:
        town = await make_town(tx, providers=2, caregivers=1, hours=(0, 24))

    async def again(order_id: UUID) -> None:
        async with clean_database.transaction() as tx:
            await service.redispatch(tx, SYSTEM, order_id, "换人")

    for day in range(1, 16):
        begin = TUESDAY_TEN + timedelta(days=day)
        window = {"wanted_from": begin, "wanted_to": begin + timedelta(hours=2), "urgency": "appointment"}
        async with clean_database.transaction() as tx:
            pair = [await make_order(tx, town.elder, **window) for _ in town.providers]
            assert {order.status for order in pair} == {"dispatched"}
        async with asyncio.timeout(0.9):
            await asyncio.gather(*(again(order.id) for order in pair))
    async with clean_database.transaction() as tx:
        assert await tx.fetchval(OVERLAPS) == 0
        lost = await tx.fetchval(
            """SELECT count(*) FROM care_order o WHERE o.status = 'placed' AND NOT EXISTS (
            SELECT FROM decision d WHERE d.order_id = o.id AND d.chosen_caregiver_id IS NULL)"""
        )
    assert lost == 0
