"""A day breaks: somebody is ill, an emergency comes in, a visit takes longer. Repairs are looked for by a worker, the
dispatcher reads what each saves and whom it disturbs, chooses one, and it is booked as every plan is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
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
from app.rounds import day as days
from app.rounds import making, planning, publishing, queries, repairs, storing
from app.rounds.day import Scope
from app.rounds.facts import MINUTE, Rules
from app.rounds.lifecycle import Kind, RepairStatus
from app.rounds.planning import Refused
from app.rounds.shifts import prolonged
from app.routing import validation
from app.routing.disruption import Disruption
from app.routing.frontier import Frontier
from app.routing.problem import Plan, Problem
from app.routing.promises import as_told

SEEK = "rounds.seek_repairs"
NOTHING_BEGUN = -1
"""The mender's hour. What has begun is no task of the day's problem: a visit that should have begun by now is late."""


class Mender(Protocol):
    """Finds the frontier of repairs, in a process of its own."""

    async def __call__(self, problem: Problem, plan: Plan, disruption: Disruption, now: int, /) -> Frontier: ...


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

    def __init__(self, mender: Mender) -> None:
        self._mender = mender

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
            day, longer = await days.read(tx, where), None
        if row["kind"] == Kind.OVERRUN:
            longer = row["what"]["order_id"], int(row["what"]["minutes"]) * MINUTE
            day = prolonged(day, *longer)
        made = making.make(day)
        if not made.problem.tasks:
            raise Refused(planning.EMPTY, "no visit of this day is left")
        validation.check(made.problem)
        plan = as_told(made.problem, made.warm)
        emergency = row["what"]["order_id"] if row["kind"] == Kind.EMERGENCY else None
        needed = repairs.vacancies(made, plan, day.orders, emergency)
        found = await self._mender(made.problem, plan, needed, NOTHING_BEGUN)
        kept = repairs.choices(made, found, day.orders)
        if not kept:
            raise Refused(planning.NONSENSE, "no repair keeps the rules")
        problem = storing.problem_to(made, day.pace) | {"now": day.now, "longer": longer}
        based_on = {order.id: order.version for order in day.orders}
        lost = repairs.lost(found, {one["level"] for one in kept})
        async with database.transaction() as tx:
            await queries.found(tx, repair_id, problem, based_on, kept, lost)


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
