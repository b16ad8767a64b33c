"""The SQL of planned days and repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps

HEAD = """id, service_day, division_code, provider_id, status, version, turn, budget_cpu_s, progress, step, rules,
  fingerprint, cost_before, cost_after, bound, steps, failure, failure_detail, violations, made_by, made_at, started_at,
  ended_at, decided_by, decided_at"""
WHOLE = f"{HEAD}, problem, based_on, plan, aside"

ADD = """INSERT INTO round_plan (id, service_day, division_code, provider_id, status, version, turn, budget_cpu_s,
  progress, rules, made_by, made_at) VALUES ($1, $2, $3, $4, 'draft', 1, 0, $5, 0, $6, $7, $8)"""
ADD_REPAIRED = """INSERT INTO round_plan (id, service_day, division_code, provider_id, status, version, turn,
  budget_cpu_s, progress, step, rules, problem, based_on, fingerprint, plan, cost_before, cost_after, made_by, made_at,
  ended_at) VALUES ($1, $2, $3, $4, 'ready', 1, 0, 1, 1, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)"""
AT_WORK = """SELECT id FROM round_plan WHERE service_day = $1 AND division_code = $2
  AND provider_id IS NOT DISTINCT FROM $3 AND status IN ('draft', 'solving')"""
GET = f"SELECT {WHOLE} FROM round_plan WHERE id = $1"
LOCK = f"{GET} FOR NO KEY UPDATE"
LIST = f"""SELECT {HEAD} FROM round_plan WHERE ($1::date IS NULL OR service_day = $1)
  AND EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
    WHERE division_code >= r.low AND division_code < r.high)
  AND ($4::uuid IS NULL OR id < $4) ORDER BY id DESC LIMIT $5"""

BEGIN = """UPDATE round_plan SET status = 'solving', turn = turn + 1, version = version + 1, progress = 0,
  step = 'reading', started_at = $2 WHERE id = $1 AND status IN ('draft', 'solving') RETURNING turn"""
MADE = """UPDATE round_plan SET problem = $3, problem_hash = $4, based_on = $5, fingerprint = $6, aside = $7,
  cost_before = $8, step = 'solving' WHERE id = $1 AND turn = $2 AND status = 'solving'"""
PROGRESS = """UPDATE round_plan SET progress = greatest(progress, least(1, $3::float8)), step = $4
WHERE id = $1 AND turn = $2 AND status = 'solving'"""
READY = """UPDATE round_plan SET status = 'ready', version = version + 1, progress = 1, step = NULL, plan = $3,
  aside = $4, cost_after = $5, bound = $6, steps = $7, ended_at = $8
WHERE id = $1 AND turn = $2 AND status = 'solving'"""
FAIL = """UPDATE round_plan SET status = 'failed', version = version + 1, step = NULL, failure = $3,
  failure_detail = $4, violations = $5, ended_at = $6 WHERE id = $1 AND turn = $2 AND status IN ('draft', 'solving')"""
DECIDE = """UPDATE round_plan SET status = $2, version = version + 1, decided_by = $3, decided_at = $4
WHERE id = $1 RETURNING version"""
LATEST = """SELECT id FROM round_plan WHERE service_day = $1 AND division_code = $2
  AND provider_id IS NOT DISTINCT FROM $3 AND status = 'published' ORDER BY decided_at DESC LIMIT 1"""

REPAIR = """SELECT id, service_day, division_code, provider_id, round_plan_id, kind, what, status, version, problem,
  based_on, frontier, lost, failure, failure_detail, chosen, made_by, made_at, decided_by, decided_at
FROM round_repair WHERE id = $1"""
LOCK_REPAIR = f"{REPAIR} FOR NO KEY UPDATE"
ADD_REPAIR = """INSERT INTO round_repair (id, service_day, division_code, provider_id, round_plan_id, kind, what,
  status, version, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'searching', 1, $8, $9)"""
FOUND = """UPDATE round_repair SET status = 'open', version = version + 1, problem = $2, based_on = $3, frontier = $4,
  lost = $5 WHERE id = $1 AND status = 'searching'"""
NOT_FOUND = """UPDATE round_repair SET status = 'failed', version = version + 1, failure = $2, failure_detail = $3
WHERE id = $1 AND status = 'searching'"""
CHOOSE = """UPDATE round_repair SET status = 'chosen', version = version + 1, chosen = $2, decided_by = $3,
  decided_at = $4 WHERE id = $1"""


async def add(tx: Tx, values: Sequence[Any], rules: Any, actor: str, at: datetime) -> None:
    """A draft: id, day, division, provider, budget."""
    await tx.run(ADD, *values, dumps(rules), actor, at)


async def at_work(tx: Tx, day: date, division_code: str, provider_id: UUID | None) -> UUID | None:
    found: UUID | None = await tx.fetchval(AT_WORK, day, division_code, provider_id)
    return found


async def get(tx: Tx, plan_id: UUID) -> Any:
    return await tx.fetchrow(GET, plan_id)


async def lock(tx: Tx, plan_id: UUID) -> Any:
    return await tx.fetchrow(LOCK, plan_id)


async def find(
    tx: Tx, day: date | None, ranges: Sequence[tuple[str, str]], before: UUID | None, limit: int
) -> list[Any]:
    """Plans in these divisions, newest first, without what is in them."""
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return await tx.fetch(LIST, day, lows, highs, before, limit)


async def begin(tx: Tx, plan_id: UUID, at: datetime) -> int | None:
    """Take it up; returns the turn, None if there is nothing to do any more."""
    turn: int | None = await tx.fetchval(BEGIN, plan_id, at)
    return turn


async def made(
    tx: Tx, plan_id: UUID, turn: int, problem: Any, digest: str, based_on: Mapping[str, int], fingerprint: str,
    aside: Mapping[str, str], cost_before: Any,
) -> int:  # fmt: skip
    """Keep what the plan is made from; 0 when somebody else has taken over."""
    return await tx.run(
        MADE, plan_id, turn, dumps(problem), digest, dumps(based_on), fingerprint, dumps(aside), dumps(cost_before)
    )


async def progress(tx: Tx, plan_id: UUID, turn: int, share: float, step: str) -> int:
    """0 when the plan is not ours any more."""
    return await tx.run(PROGRESS, plan_id, turn, share, step)


async def ready(
    tx: Tx, plan_id: UUID, turn: int, plan: Any, aside: Any, cost: Any, bound: float, steps: Any, at: datetime
) -> int:
    return await tx.run(READY, plan_id, turn, dumps(plan), dumps(aside), dumps(cost), bound, dumps(steps), at)


async def fail(tx: Tx, plan_id: UUID, turn: int, reason: str, detail: str | None, violations: Any, at: datetime) -> int:
    return await tx.run(FAIL, plan_id, turn, reason, detail, dumps(violations), at)


async def decide(tx: Tx, plan_id: UUID, status: str, actor: str, at: datetime) -> int:
    """Published or discarded; returns the version."""
    return int(await tx.fetchval(DECIDE, plan_id, status, actor, at))


async def latest(tx: Tx, day: date, division_code: str, provider_id: UUID | None) -> UUID | None:
    """The plan of that day and scope that was published last."""
    found: UUID | None = await tx.fetchval(LATEST, day, division_code, provider_id)
    return found


async def add_repaired(tx: Tx, values: Sequence[Any]) -> None:
    """A plan that is ready at once: id, day, division, provider, step, rules, problem, based_on, fingerprint, plan,
    cost before and after, actor, at."""
    await tx.run(ADD_REPAIRED, *[dumps(v) if isinstance(v, Mapping) else v for v in values])


async def repair(tx: Tx, repair_id: UUID) -> Any:
    return await tx.fetchrow(REPAIR, repair_id)


async def lock_repair(tx: Tx, repair_id: UUID) -> Any:
    return await tx.fetchrow(LOCK_REPAIR, repair_id)


async def add_repair(tx: Tx, values: Sequence[Any], what: Any, actor: str, at: datetime) -> None:
    """id, day, division, provider, plan, kind."""
    await tx.run(ADD_REPAIR, *values, dumps(what), actor, at)


async def found(tx: Tx, repair_id: UUID, problem: Any, based_on: Any, frontier: Any, lost: Any) -> int:
    return await tx.run(FOUND, repair_id, dumps(problem), dumps(based_on), dumps(frontier), dumps(lost))


async def not_found(tx: Tx, repair_id: UUID, reason: str, detail: str | None) -> int:
    return await tx.run(NOT_FOUND, repair_id, reason, detail)


async def choose(tx: Tx, repair_id: UUID, level: str, actor: str, at: datetime) -> None:
    await tx.run(CHOOSE, repair_id, level, actor, at)
