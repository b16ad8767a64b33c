"""A small town's tomorrow, its orders placed and answered, and solvers to plan it with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.dispatch import queries, service
from app.orders import service as orders
from app.orders.queries import OrderRow
from app.rounds import planning
from app.rounds import queries as plans
from app.rounds.day import Scope
from app.routing import synchronised, validation
from app.routing.problem import Pin, Plan, Problem, Solution
from app.routing.workers import OnProgress
from tests.world.orders import Town, make_order, make_town, provider_caller

WEDNESDAY = date(2026, 3, 4)
DISTRICT = "620302"
SCOPE = Scope(WEDNESDAY, DISTRICT)


def at(hour: float, day: date = WEDNESDAY) -> datetime:
    """An hour of the planned day in Shanghai."""
    return clock.day_bounds(day)[0] + timedelta(hours=hour)


def seconds(hour: float) -> int:
    return int(hour * 3600)


async def wanted(tx: Tx, elder_id: UUID, since: float, till: float, **more: Any) -> OrderRow:
    """An order for Wednesday between two hours; dispatch has offered it already, if it could."""
    given = {"wanted_from": at(since), "wanted_to": at(till), "urgency": "appointment", **more}
    return await make_order(tx, elder_id, **given)


async def accepted(tx: Tx, order: OrderRow, *, named: bool = True) -> OrderRow:
    """The provider that was asked accepts, naming whom it was asked for."""
    offer = await queries.open_offer(tx, order.id)
    await service.accept(
        tx, provider_caller(offer["provider_id"]), offer["id"], offer["caregiver_id"] if named else None
    )
    return await orders.get(tx, order.id)


async def solver(
    problem: Problem,
    budget_cpu_s: float,
    warm: Plan | None = None,
    pins: Sequence[Pin] = (),
    *,
    on_progress: OnProgress | None = None,
) -> Solution:
    """The search of our own for a third of a second, in this process: honest, small, and through the validator."""
    if on_progress is not None:
        await on_progress("synchronised", 1.0, 1.0)
    return solve_small(problem, budget_cpu_s, warm, pins)


def solve_small(
    problem: Problem, budget_cpu_s: float, warm: Plan | None = None, pins: Sequence[Pin] = (), **_: Any
) -> Solution:
    """The same for a process of its own."""
    validation.check(problem)
    plan = synchronised.search(problem, budget_cpu_s=min(0.3, budget_cpu_s), seed=1, warm=warm, pins=pins)
    cost = validation.cost(problem, plan)
    return Solution(plan, cost, 0.0, validation.violations(problem, plan, pins), (("synchronised", 0.3, cost.total),))


def crash(*_: Any, **__: Any) -> Solution:
    """Dies as machine code does."""
    os.abort()


def devour(*_: Any, **__: Any) -> Solution:
    """Takes all the memory there is."""
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))


NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)

BOOKINGS = """SELECT b.order_id, b.role, b.caregiver_id, b.status, lower(b.during) AS leaves, upper(b.during) AS until,
  b.starts_at FROM booking b WHERE b.status <> 'released' ORDER BY b.order_id, b.role"""


async def small_day(database: Database, caregivers: int = 2) -> Town:
    """Orders in all states that may be planned: waiting, offered, accepted, assigned, and one for two."""
    async with database.transaction() as tx:
        town = await make_town(tx, providers=2, caregivers=caregivers)
        await accepted(tx, await wanted(tx, town.elder, 8.5, 12, minutes=60))
        await accepted(tx, await wanted(tx, town.elder, 8.5, 16, minutes=60))
        await accepted(tx, await wanted(tx, town.elder, 8.5, 16, minutes=60), named=False)
        await wanted(tx, town.elder, 9, 19, minutes=60)
        await wanted(tx, town.elder, 9, 19, item_code="bath_home")
        waits = await wanted(tx, town.elder, 13, 18, minutes=60)
        await service.take_back(tx, await orders.locked(tx, waits.id), SYSTEM.actor, "test")
    return town


async def planned(database: Database, solve: Any = solver, **scope: Any) -> UUID:
    """Begin a plan and let the worker's task make it."""
    async with database.transaction() as tx:
        plan_id = await planning.begin(tx, SYSTEM, WEDNESDAY, *(scope.get("of") or (DISTRICT, None)), 1.0)
    await planning.Planner(solve).solve(database, {"round_plan_id": str(plan_id)})
    return plan_id


async def plan_row(database: Database, plan_id: UUID) -> Any:
    async with database.transaction() as tx:
        return await plans.get(tx, plan_id)


async def live(tx: Tx) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await tx.fetch(BOOKINGS)]


async def everything(database: Database) -> list[Any]:
    """All that a plan may touch, as it stands."""
    async with database.transaction() as tx:
        return [
            [tuple(row) for row in await tx.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")]
            for table in ("booking", "offer", "care_order", "decision", "order_history", "feed_entry", "caregiver_day")
        ]
