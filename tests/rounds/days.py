"""A small town's tomorrow, its orders placed and answered, and solvers to plan it with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.dispatch import queries, service
from app.orders import service as orders
from app.orders.queries import OrderRow
from app.rounds.day import Scope
from app.routing import synchronised, validation
from app.routing.problem import Pin, Plan, Problem, Solution
from tests.world.orders import make_order, provider_caller

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


def solver(problem: Problem, budget_cpu_s: float, **options: Any) -> Solution:
    """The search of our own for a third of a second, in this process: honest, small, and through the validator."""
    warm: Plan | None = options.get("warm")
    pins: tuple[Pin, ...] = tuple(options.get("pins", ()))
    tell: Callable[[str, float, float], None] | None = options.get("on_progress")
    validation.check(problem)
    plan = synchronised.search(problem, budget_cpu_s=0.3, seed=1, warm=warm, pins=pins)
    if tell is not None:
        tell("synchronised", 1.0, 1.0)
    cost = validation.cost(problem, plan)
    return Solution(plan, cost, 0.0, validation.violations(problem, plan, pins), (("synchronised", 0.3, cost.total),))


NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
