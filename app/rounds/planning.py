"""A plan is made: begun by a person, worked out by a worker in a process of its own, shown when the validator agrees.

Nothing of the day is touched here. Whatever goes wrong is written down where the dispatcher reads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

from app.accounts import audit, scope
from app.core import clock, log
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.core.sqlstate import as_unavailable, constraint_of
from app.jobs.queue import enqueue
from app.providers import service as providers
from app.rounds import day as days
from app.rounds import making, queries, storing
from app.rounds.day import Scope
from app.rounds.facts import FIXED, Rules
from app.rounds.lifecycle import PlanStatus, may_move
from app.routing import validation
from app.routing.problem import Pin, Plan, Problem, Solution, Unsolvable
from app.routing.workers import OnProgress, SolverFailed

SOLVE = "rounds.solve"
BUDGET_S, MOST_BUDGET_S = 20.0, 300.0
LOOK_S = 1.0
"""How often progress is written."""

NONSENSE, UNSOLVABLE, EMPTY, DIED = "nonsense", "unsolvable", "nothing_to_plan", "died"


class Solver(Protocol):
    """`routing.workers.solve_apart`: plans in a process of its own, within its limits."""

    async def __call__(
        self,
        problem: Problem,
        budget_cpu_s: float,
        warm: Plan | None = None,
        pins: Sequence[Pin] = (),
        *,
        on_progress: OnProgress | None = None,
    ) -> Solution: ...


async def begin(
    tx: Tx, caller: Caller, service_day: Any, division: str | None, provider_id: UUID | None, budget_cpu_s: float | None
) -> UUID:
    """Ask for a plan of a day. Raises Conflict while one of the same scope is at work, Invalid for a day gone by."""
    if service_day < clock.today():
        raise Invalid("day_over", "this day is over", field="service_day")
    where = await scope_of(tx, caller, service_day, division, provider_id)
    if (other := await queries.at_work(tx, service_day, where.division_code, provider_id)) is not None:
        raise Conflict("plan_at_work", "a plan of this day is being made", round_plan_id=str(other))
    plan_id = new_id()
    values = (plan_id, service_day, where.division_code, provider_id, min(budget_cpu_s or BUDGET_S, MOST_BUDGET_S))
    try:
        async with tx.savepoint():
            await queries.add(tx, values, asdict(Rules()), caller.actor, clock.now())
    except Exception as failure:
        if constraint_of(failure) != "ix_round_plan_at_work":
            raise
        raise Conflict("plan_at_work", "a plan of this day is being made") from failure
    await audit.record(tx, caller, "rounds.plan", "round_plan", plan_id)
    await enqueue(tx, SOLVE, {"round_plan_id": str(plan_id)})
    return plan_id


async def scope_of(tx: Tx, caller: Caller, day: Any, division: str | None, provider_id: UUID | None) -> Scope:
    """What is meant, if the caller may see it. Raises NotFound out of scope, Invalid for both or neither."""
    if (division is None) == (provider_id is None):
        raise Invalid("scope_unclear", "name a division or a provider", field="division")
    if provider_id is not None:
        division = (await providers.provider(tx, provider_id)).division_code
    assert division is not None  # noqa: S101 (one of both is given)
    scope.see(caller, division)
    return Scope(day, division, provider_id)


async def seen(tx: Tx, caller: Caller, plan_id: UUID, *, locked: bool = False) -> Any:
    """The plan, if the caller may see it. Raises NotFound."""
    row = await (queries.lock if locked else queries.get)(tx, plan_id)
    if row is None:
        raise NotFound("round_plan_not_found")
    scope.see(caller, row["division_code"])
    return row


async def discard(tx: Tx, caller: Caller, plan_id: UUID) -> None:
    """Nobody wants it. Raises Conflict once it is published, failed or discarded."""
    row = await seen(tx, caller, plan_id, locked=True)
    if not may_move(PlanStatus(row["status"]), PlanStatus.DISCARDED):
        raise Conflict("plan_state", f"a plan that is {row['status']} cannot be discarded", status=row["status"])
    await queries.decide(tx, plan_id, PlanStatus.DISCARDED.value, caller.actor, clock.now())


@dataclass(slots=True)
class _Said:
    """What the solver said last."""

    step: str = "solving"
    share: float = 0.0

    async def __call__(self, step: str, _best: float, share: float) -> None:
        self.step, self.share = step, share


class Planner:
    """The task `rounds.solve`. One plan at a time in each worker: a solver takes a processor for itself."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._turn = asyncio.Semaphore(1)

    async def solve(self, database: Database, payload: dict[str, Any]) -> None:
        """Make and keep the plan, or keep why there is none. Repeatable: whoever comes last may write."""
        async with self._turn:
            plan_id = UUID(payload["round_plan_id"])
            async with database.transaction() as tx:
                turn = await queries.begin(tx, plan_id, clock.now())
            if turn is None:
                return
            try:
                await self._solve(database, plan_id, turn)
            except Exception as failure:
                if as_unavailable(failure) is not None:
                    raise  # the database is away: the job comes again
                await _failed(database, plan_id, turn, failure)

    async def _solve(self, database: Database, plan_id: UUID, turn: int) -> None:
        async with database.transaction() as tx:
            row = await queries.get(tx, plan_id)
            where = Scope(row["service_day"], row["division_code"], row["provider_id"])
            day = await days.read(tx, where, Rules(**row["rules"]))
            made = making.make(day)
            if not made.problem.tasks:
                raise Refused(EMPTY, "no order of this day can be planned")
            validation.check(made.problem)
            based_on = {order.id: order.version for order in day.orders}
            problem = storing.problem_to(made, day.pace) | {"now": day.now}
            await queries.made(
                tx, plan_id, turn, problem, storing.digest(problem), based_on, storing.fingerprint(based_on.items()),
                made.aside, storing.cost_to(validation.cost(made.problem, made.warm)),
            )  # fmt: skip
        said = _Said()
        work = asyncio.ensure_future(self._solver(made.problem, row["budget_cpu_s"], made.warm, on_progress=said))
        try:
            while not (await asyncio.wait({work}, timeout=LOOK_S))[0]:
                async with database.transaction() as tx:
                    if not await queries.progress(tx, plan_id, turn, said.share, said.step):
                        return  # discarded, or taken over by another worker
            await self._keep(database, plan_id, turn, made, work.result())
        finally:
            work.cancel()

    @staticmethod
    async def _keep(database: Database, plan_id: UUID, turn: int, made: making.Made, solution: Solution) -> None:
        """Show it if our own look at it finds nothing wrong; the solver's word is not asked."""
        found = validation.violations(made.problem, solution.plan)
        if found:
            raise Refused(NONSENSE, "the solver's plan breaks the rules", storing.violations_to(found[:50]))
        left = [name for name in solution.plan.unserved if name.startswith(FIXED)]
        if left:
            alone = [{"rule": "fixed", "detail": name} for name in left]
            raise Refused(NONSENSE, "the plan has no room for what is booked elsewhere", alone)
        aside = dict(made.aside) | storing.reasons(made.problem, solution.plan)
        cost = validation.cost(made.problem, solution.plan)
        async with database.transaction() as tx:
            await queries.ready(
                tx, plan_id, turn, storing.plan_to(solution.plan), aside, storing.cost_to(cost), solution.bound,
                [list(step) for step in solution.steps], clock.now(),
            )  # fmt: skip


class Refused(Exception):
    """There is no plan to show, and why."""

    def __init__(self, reason: str, detail: str, violations: Any = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.violations = reason, detail, violations


def why(failure: BaseException) -> tuple[str, str]:
    """A failure in words for the dispatcher: a stable reason and a sentence without anybody's data."""
    if isinstance(failure, Refused):
        return failure.reason, failure.detail
    if isinstance(failure, Unsolvable):
        return UNSOLVABLE, str(failure)
    if isinstance(failure, SolverFailed):
        return failure.reason, SENTENCES[failure.reason]
    return DIED, log.describe(failure)


SENTENCES = {
    "died": "the solver's process ended without an answer",
    "out_of_memory": "the solver ran out of memory",
    "out_of_time": "the solver did not end in time",
    "nonsense": "the solver's plan breaks the rules",
}


async def _failed(database: Database, plan_id: UUID, turn: int, failure: Exception) -> None:
    reason, detail = why(failure)
    log.get("rounds").warning("plan_failed", round_plan_id=str(plan_id), reason=reason, error=log.describe(failure))
    async with database.transaction() as tx:
        await queries.fail(tx, plan_id, turn, reason, detail, getattr(failure, "violations", None), clock.now())
