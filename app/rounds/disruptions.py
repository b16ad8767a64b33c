"""A day breaks: somebody is ill, an emergency comes in, a visit takes longer. Repairs are looked for by a worker, the
dispatcher reads what each saves and whom it disturbs, chooses one, and it is booked as every plan is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.core import clock, log
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.core.sqlstate import as_unavailable
from app.jobs.queue import enqueue
from app.orders import service as orders
from app.providers import service as providers
from app.providers import workforce
from app.rounds import changes, making, planning, publishing, queries, repairing, storing
from app.rounds import day as days
from app.rounds.day import Scope
from app.rounds.facts import MINUTE, Day, DayCaregiver, Rules
from app.rounds.lifecycle import Kind, RepairStatus
from app.rounds.planning import Refused, Solver
from app.routing import validation
from app.routing.problem import Plan

SEEK = "rounds.seek_repairs"
LEVEL_BUDGET_S = 2.0
"""Processor time for each level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What was reported. `facts` are caregiver_id, from_at, to_at; or order_id; or order_id and minutes."""

    kind: Kind
    facts: Mapping[str, Any]
    round_plan_id: UUID | None = None
    service_day: date | None = None
    division: str | None = None
    provider_id: UUID | None = None


async def report(tx: Tx, caller: Caller, broken: Broken) -> UUID:
    """Write down what happened and let repairs be looked for. Whoever is ill is absent from this moment on.

    Raises Invalid for facts that are missing or cannot be, NotFound for what the caller does not see.
    """
    where, plan_id = await _where(tx, caller, broken)
    await _check(tx, caller, broken, where)
    repair_id = new_id()
    values = (repair_id, where.service_day, where.division_code, where.provider_id, plan_id, broken.kind.value)
    await queries.add_repair(tx, values, dict(broken.facts), caller.actor, clock.now())
    if broken.kind is Kind.CAREGIVER_ILL:
        facts = broken.facts
        await workforce.excuse(
            tx, caller, facts["caregiver_id"],
            {"starts_at": facts["from_at"], "ends_at": facts["to_at"], "reason": "病假"},
        )  # fmt: skip
    await enqueue(tx, SEEK, {"round_repair_id": str(repair_id)})
    return repair_id


async def seen(tx: Tx, caller: Caller, repair_id: UUID, *, locked: bool = False) -> Any:
    """The disruption, if the caller may see it. Raises NotFound."""
    row = await (queries.lock_repair if locked else queries.repair)(tx, repair_id)
    if row is None:
        raise NotFound("disruption_not_found")
    scope.see(caller, row["division_code"])
    return row


async def choose(tx: Tx, caller: Caller, repair_id: UUID, level: str, version: int | None) -> dict[str, int]:
    """Book one of the repairs, as any plan is published: the whole of it, or nothing and the reason."""
    row = await seen(tx, caller, repair_id, locked=True)
    check_version(version, row["version"])
    if row["status"] != RepairStatus.OPEN:
        raise Conflict("disruption_state", f"these repairs are {row['status']}", status=row["status"])
    chosen = next((one for one in row["frontier"] if one["level"] == level), None)
    if chosen is None:
        levels = [one["level"] for one in row["frontier"]]
        raise Invalid("level_unknown", "there is no such repair", field="level", levels=levels)
    plan_id, now = new_id(), clock.now()
    based_on = row["based_on"]
    await queries.add_repaired(
        tx,
        (plan_id, row["service_day"], row["division_code"], row["provider_id"], f"repair:{level}", asdict(Rules()),
         row["problem"], based_on, storing.fingerprint(based_on.items()), chosen["plan"], chosen["before"],
         chosen["cost"], caller.actor, now),
    )  # fmt: skip
    counts = await publishing.publish(tx, caller, plan_id, None)
    await queries.choose(tx, repair_id, level, caller.actor, now)
    return counts


class Seeker:
    """The task `rounds.seek_repairs`."""

    def __init__(self, solver: Solver, budget_cpu_s: float = LEVEL_BUDGET_S) -> None:
        self._solver, self._budget = solver, budget_cpu_s

    async def seek(self, database: Database, payload: dict[str, Any]) -> None:
        """Find the frontier and keep it, or why there is none. Repeatable: the first answer stays."""
        repair_id = UUID(payload["round_repair_id"])
        try:
            await self._seek(database, repair_id)
        except Exception as failure:
            if as_unavailable(failure) is not None:
                raise
            reason, detail = planning.why(failure)
            log.get("rounds").warning("no_repair", round_repair_id=str(repair_id), reason=reason)
            async with database.transaction() as tx:
                await queries.not_found(tx, repair_id, reason, detail)

    async def _seek(self, database: Database, repair_id: UUID) -> None:
        async with database.transaction() as tx:
            row = await queries.repair(tx, repair_id)
            if row is None or row["status"] != RepairStatus.SEARCHING:
                return
            where = Scope(row["service_day"], row["division_code"], row["provider_id"])
            day = as_broken(await days.read(tx, where), row["kind"], row["what"])
        made = making.make(day)
        if not made.problem.tasks:
            raise Refused(planning.EMPTY, "no visit of this day is left")
        validation.check(made.problem)
        before = repairing.standing(made.problem, made.warm)
        found = [
            await self._level(name, made, before, day, pins) for name, pins in repairing.levels(made.problem, before)
        ]
        kept = [_kept(one, made, before) for one in repairing.frontier(found)]
        problem = storing.problem_to(made, day.pace) | {"now": day.now}
        async with database.transaction() as tx:
            await queries.found(tx, repair_id, problem, {order.id: order.version for order in day.orders}, kept)

    async def _level(self, name: str, made: making.Made, before: Plan, day: Day, pins: Any) -> repairing.Repair:
        solution = await self._solver(made.problem, self._budget, before, pins)
        if found := validation.violations(made.problem, solution.plan, pins):
            raise Refused(planning.NONSENSE, "a repair breaks the rules", storing.violations_to(found[:50]))
        planned = [order for order in day.orders if order.id not in made.aside]
        moved = changes.changes(made.problem, solution.plan, planned)
        total = validation.cost(made.problem, solution.plan).total
        return repairing.Repair(name, solution.plan, total, tuple(moved))


def as_broken(day: Day, kind: str, what: Mapping[str, Any]) -> Day:
    """The day with what the database does not know: a visit that goes on takes so much longer.

    An absence is known already; an emergency is an order of the day like others.
    """
    if kind != Kind.OVERRUN:
        return day
    extra = int(what["minutes"]) * MINUTE

    def later(one: DayCaregiver) -> DayCaregiver:
        return replace(
            one,
            taken=tuple(
                replace(taken, until=max(taken.until, day.now) + extra) if taken.order == what["order_id"] else taken
                for taken in one.taken
            ),
        )

    return replace(day, caregivers=tuple(map(later, day.caregivers)))


def _kept(one: repairing.Repair, made: making.Made, before: Plan) -> dict[str, Any]:
    cost, then = validation.cost(made.problem, one.plan), validation.cost(made.problem, before)
    return {
        "level": one.level, "plan": storing.plan_to(one.plan), "cost": storing.cost_to(cost),
        "before": storing.cost_to(then), "saved": then.total - cost.total,
        "rescued": repairing.rescued(before, one.plan), "unserved": cost.unserved, "visits": len(one.disturbed),
        "caregivers": repairing.people(before, one.plan),
        "changes": [
            {"order_id": c.order, "how": c.how, "others": c.others, "minutes": c.moved // MINUTE}
            for c in one.disturbed
        ],
    }  # fmt: skip


async def _where(tx: Tx, caller: Caller, broken: Broken) -> tuple[Scope, UUID | None]:
    if broken.round_plan_id is not None:
        row = await planning.seen(tx, caller, broken.round_plan_id)
        return Scope(row["service_day"], row["division_code"], row["provider_id"]), row["id"]
    day = broken.service_day or clock.today()
    where = await planning.scope_of(tx, caller, day, broken.division, broken.provider_id)
    return where, await queries.latest(tx, day, where.division_code, where.provider_id)


async def _check(tx: Tx, caller: Caller, broken: Broken, where: Scope) -> None:
    needed = {
        Kind.CAREGIVER_ILL: ("caregiver_id", "from_at", "to_at"),
        Kind.EMERGENCY: ("order_id",),
        Kind.OVERRUN: ("order_id", "minutes"),
    }[broken.kind]
    for name in needed:
        if broken.facts.get(name) is None:
            raise Invalid("fact_missing", f"{broken.kind} needs {name}", field=name)
    if broken.kind is Kind.CAREGIVER_ILL:
        facts = broken.facts
        ill = await providers.caregiver(tx, facts["caregiver_id"])
        scope.see(caller, (await providers.provider(tx, ill.provider_id)).division_code)
        if not _in_days(facts["from_at"]) or not _in_days(facts["to_at"]):
            raise Invalid("time_out_of_range", "an absence lies within the coming year", field="from_at")
        return
    order = await orders.get(tx, broken.facts["order_id"])
    scope.see(caller, order.division_code)
    if broken.kind is Kind.OVERRUN and order.status != "in_service":
        raise Conflict("order_state", "only a visit that goes on can take longer", status=order.status)


def _in_days(at: datetime) -> bool:
    return at.tzinfo is not None and abs(at - clock.now()) < timedelta(days=366)
