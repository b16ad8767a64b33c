"""A plan becomes bookings, offers and assignments in one transaction: all of it, or nothing.

What it was made from must still be so: the same orders in the same versions, and the same validator finds nothing
wrong with the plan in the day as it is now. What else took somebody's time meanwhile, the bookings' constraint tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller, check_version
from app.dispatch import replanning
from app.dispatch.replanning import Planned, Rebooking
from app.dispatch.teams import Team
from app.orders import recurring_orders
from app.orders import service as orders
from app.orders.queries import OrderRow
from app.rounds import changes, making, planning, queries, storing
from app.rounds import day as days
from app.rounds.changes import ASSIGN, KEEP, OFFER, TAKE_BACK, Change
from app.rounds.day import Scope
from app.rounds.events import RoundsPublished
from app.rounds.facts import FIXED, Day, DayCaregiver, Rules
from app.rounds.lifecycle import PlanStatus, may_move
from app.rounds.shifts import prolonged
from app.routing import validation
from app.routing.problem import Plan

REASON = "rounds"


async def publish(tx: Tx, caller: Caller, plan_id: UUID, version: int | None) -> dict[str, int]:
    """Book a plan that is ready; returns how many orders went each way.

    Raises Stale for another version of the plan, Conflict for one that is not ready (`plan_state`), orders that
    changed since (`plan_stale`), a day that has (`plan_outdated`), or somebody who is booked meanwhile
    (`caregiver_busy`, with the order and the booking that won).
    """
    row = await planning.seen(tx, caller, plan_id, locked=True)
    check_version(version, row["version"])
    if not may_move(PlanStatus(row["status"]), PlanStatus.PUBLISHED):
        raise Conflict("plan_state", f"a plan that is {row['status']} cannot be published", status=row["status"])
    locked = await orders.all_locked(tx, sorted(UUID(name) for name in row["based_on"]))
    _unchanged(locked, row["based_on"])
    day = await _now(tx, row)
    made = making.make(day)
    plan = _stripped(storing.plan_from(row["plan"]), made)
    if found := validation.violations(made.problem, plan):
        raise Conflict(
            "plan_outdated", "the day is not what it was when this plan was made; plan it again",
            violations=storing.violations_to(found[:20]),
        )  # fmt: skip
    what = changes.changes(made.problem, plan, [order for order in day.orders if order.id not in made.aside])
    await replanning.rebook(tx, _rebooking(row, what, locked, day), actor=caller.actor, reason=REASON)
    await recurring_orders.move_windows(tx, _other_windows(row, what, locked, day), actor=caller.actor)
    counts = changes.told(what)
    await queries.decide(tx, plan_id, PlanStatus.PUBLISHED.value, caller.actor, clock.now())
    await audit.record(tx, caller, "rounds.publish", "round_plan", plan_id)
    await tx.publish(
        RoundsPublished(
            round_plan_id=plan_id, service_day=row["service_day"], division_code=row["division_code"], counts=counts,
            at=clock.now(),
        )
    )  # fmt: skip
    return counts


def _unchanged(locked: list[OrderRow], based_on: Mapping[str, int]) -> None:
    versions = {str(order.id): order.version for order in locked}
    if storing.fingerprint(versions.items()) == storing.fingerprint(based_on.items()):
        return
    numbers = {str(order.id): order.number for order in locked}
    changed = sorted(name for name in based_on if versions.get(name) != based_on[name])
    raise Conflict(
        "plan_stale", "orders of this plan have changed since; plan it again",
        orders=[{"id": name, "number": numbers.get(name)} for name in changed],
    )  # fmt: skip


async def _now(tx: Tx, row: Any) -> Day:
    """The day as it is, in the plan's own moment and with its orders alone; time that others took since is left to
    the bookings' constraint."""
    where = Scope(row["service_day"], row["division_code"], row["provider_id"])
    day = await days.read(tx, where, Rules(**row["rules"]))
    now, planned = row["problem"]["now"], row["based_on"]
    fixed = {task[0] for task in row["problem"]["tasks"] if task[0].startswith(FIXED)}

    def then(one: DayCaregiver) -> DayCaregiver:
        known = (t for t in one.taken if t.from_ < now or f"{FIXED}{t.order}/{one.id}" in fixed)
        return replace(one, taken=tuple(known))

    day = replace(
        day, now=now, orders=tuple(order for order in day.orders if order.id in planned),
        caregivers=tuple(then(one) for one in day.caregivers),
    )  # fmt: skip
    return prolonged(day, *longer) if (longer := row["problem"].get("longer")) else day


def _stripped(plan: Plan, made: making.Made) -> Plan:
    """The plan without bookings of others that are gone."""
    there = {task.id for task in made.problem.tasks}

    def is_there(name: str) -> bool:
        return name in there or not name.startswith(FIXED)

    rounds = (replace(one, stops=tuple(stop for stop in one.stops if is_there(stop.task))) for one in plan.rounds)
    return Plan(tuple(one for one in rounds if one.stops), tuple(filter(is_there, plan.unserved)))


def _rebooking(row: Any, what: list[Change], locked: list[OrderRow], day: Day) -> Rebooking:
    rows = {str(order.id): order for order in locked}
    employer = {one.id: UUID(one.provider) for one in day.caregivers}
    midnight = clock.day_bounds(row["service_day"])[0]

    def planned(how: str) -> list[Planned]:
        return [_planned(one, rows[one.order], employer, midnight) for one in what if one.how == how]

    return Rebooking(
        row["service_day"], planned(KEEP), planned(ASSIGN), planned(OFFER),
        [rows[one.order] for one in what if one.how == TAKE_BACK],
    )  # fmt: skip


def _other_windows(
    row: Any, what: list[Change], locked: list[OrderRow], day: Day
) -> list[tuple[OrderRow, datetime, datetime]]:
    """Orders that a plan puts into another of their windows than the one they were made for: they go with it."""
    midnight = clock.day_bounds(row["service_day"])[0]
    also = {order.id: order.also for order in day.orders if order.also}
    starts = {one.order: one.starts for one in what if one.team}
    moved = []
    for order in locked:
        at = starts.get(str(order.id))
        if at is None or order.wanted_to is None:
            continue
        if order.wanted_from <= midnight + timedelta(seconds=at) <= order.wanted_to - timedelta(minutes=order.minutes):
            continue
        for first, last in also.get(str(order.id), ()):
            if first <= at <= last:
                end = midnight + timedelta(seconds=last, minutes=order.minutes)
                moved.append((order, midnight + timedelta(seconds=first), end))
    return moved


def _planned(one: Change, order: OrderRow, employer: Mapping[str, UUID], midnight: datetime) -> Planned:
    def at(seconds: int) -> datetime:
        return midnight + timedelta(seconds=seconds)

    team = [UUID(part.caregiver) for part in one.team]
    return Planned(
        order, employer[one.team[0].caregiver], Team(*team), [at(part.leaves) for part in one.team], at(one.starts),
        at(one.until),
    )  # fmt: skip
