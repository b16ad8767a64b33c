"""SQL of follow-up. Planning is one read and one write; so is a rating, beside what the order itself costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.ids import new_id
from app.followup.rules import DEFAULTS
from app.followup.selection import Rule

RULE = ", ".join(field.name for field in fields(Rule))
RULES = f"SELECT {RULE} FROM followup_rule"
ADD_RULE = f"""INSERT INTO followup_rule (id, {RULE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT DO NOTHING"""

CIRCUMSTANCES = """SELECT
  NOT EXISTS (SELECT FROM followup f WHERE f.elder_id = $2 AND f.provider_id = $3 AND f.order_id <> $1) AS first_visit,
  EXISTS (SELECT FROM complaint c WHERE c.elder_id = $2 AND c.status <> 'decided'
    AND (c.provider_id = $3 OR c.order_id = $1)) AS open_complaint,
  (SELECT due_at FROM order_deadline d WHERE d.order_id = $1 AND d.name = 'follow_up') AS due_at"""

PLAN = """INSERT INTO followup (id, order_id, elder_id, provider_id, division_code, urgency, selection,
  selected_because, status, due_at, next_call_at, passes_at, attempts, max_attempts, created_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, 1)
ON CONFLICT (order_id) DO NOTHING"""

STANDING = """SELECT f.id AS followup_id, f.status AS followup_status, f.selection,
  EXISTS (SELECT FROM rating r WHERE r.order_id = $1 AND r.counts) AS rated,
  EXISTS (SELECT FROM rating r WHERE r.order_id = $1 AND r.source = $2) AS heard,
  (SELECT c.id FROM complaint c WHERE c.order_id = $1 AND c.status <> 'decided') AS complaint_id
FROM (SELECT 1) AS one LEFT JOIN followup f ON f.order_id = $1"""

ADD_RATING = """INSERT INTO rating (id, order_id, provider_id, caregiver_id, source, score, solved, tags, comment,
  counts, first_of_source, actor, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"""

CLOSE = """UPDATE followup SET status = 'closed', outcome = $2, solved = coalesce($3, solved), closed_at = $4,
  next_call_at = NULL, version = version + 1
WHERE id = $1 AND status <> 'closed'"""

ONE = """SELECT f.*, o.placed_by, r.taken_by FROM followup f JOIN care_order o ON o.id = f.order_id
LEFT JOIN care_request r ON r.id = o.care_request_id WHERE f.id = $1"""
LOCK = "SELECT status, attempts, version FROM followup WHERE id = $1 FOR UPDATE"
ADD_ATTEMPT = """INSERT INTO followup_attempt (followup_id, number, at, actor, outcome, quiet_hours, solved, score,
  answers, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
TRIED = """UPDATE followup SET status = CASE status WHEN 'watching' THEN 'due' ELSE status END, attempts = $2,
  next_call_at = $3, announced_at = NULL, solved = coalesce($4, solved), version = version + 1 WHERE id = $1"""
ATTEMPTS = "SELECT * FROM followup_attempt WHERE followup_id = $1 ORDER BY number"

SHOWN = """SELECT f.*, o.number AS order_number, o.completed_at, o.placed_by, r.taken_by, i.name AS item,
  e.name AS elder_name, p.name AS provider_name, c.name AS caregiver_name
FROM followup f JOIN care_order o ON o.id = f.order_id JOIN service_item i ON i.code = o.item_code
JOIN elder e ON e.id = f.elder_id JOIN provider p ON p.id = f.provider_id
LEFT JOIN caregiver c ON c.id = o.caregiver_id LEFT JOIN care_request r ON r.id = o.care_request_id"""

PASSING = """SELECT order_id FROM followup WHERE status = 'watching' AND passes_at <= $1 ORDER BY passes_at LIMIT $2"""
OF_ORDER = "SELECT * FROM followup WHERE order_id = $1 FOR UPDATE"
CALL_AFTER_ALL = """UPDATE followup SET status = 'due', selected_because = $2, next_call_at = $3, version = version + 1
WHERE id = $1"""
ANNOUNCE = """WITH ready AS (
  SELECT id FROM followup WHERE status = 'due' AND next_call_at <= $1 AND announced_at IS NULL
  ORDER BY next_call_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE followup f SET announced_at = $1 FROM ready WHERE f.id = ready.id
RETURNING f.id, f.order_id, f.division_code, f.due_at, f.attempts"""

FAMILY = r"""SELECT o.id, i.name AS item, p.name AS provider_name, c.name AS caregiver_name, s.name AS second_name,
  EXISTS (SELECT FROM rating r WHERE r.order_id = o.id AND r.source = 'family') AS heard,
  EXISTS (SELECT FROM complaint k WHERE k.order_id = o.id AND k.status <> 'decided') AS complaint_open,
  ARRAY(SELECT t.purpose FROM consent t WHERE t.elder_id = o.elder_id AND t.granted_to = 'family'
    AND t.withdrawn_at IS NULL) AS consents,
  EXISTS (SELECT FROM consent t WHERE t.elder_id = o.elder_id AND t.granted_to = 'family'
    AND t.purpose LIKE 'family\_page%') AS decided,
  EXISTS (SELECT FROM family_member m WHERE m.elder_id = o.elder_id AND m.approved_at IS NOT NULL) AS approved,
  (SELECT count(*) FROM visit v JOIN upload u ON u.id = ANY(v.evidence)
    WHERE v.order_id = o.id AND starts_with(u.media_type, 'image/')) AS photos
FROM care_order o JOIN service_item i ON i.code = o.item_code
LEFT JOIN provider p ON p.id = o.provider_id LEFT JOIN caregiver c ON c.id = o.caregiver_id
LEFT JOIN caregiver s ON s.id = o.second_caregiver_id
WHERE o.id = ANY($1)"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about an order when somebody rates it."""

    followup_id: UUID | None
    followup_status: str | None
    selection: str | None
    rated: bool
    heard: bool
    """The same source has rated before."""
    complaint_id: UUID | None


async def rules(tx: Tx) -> list[Rule]:
    """All rules of the database, and behind them the shipped ones."""
    return [Rule(*row.values()) for row in await tx.fetch(RULES)] + DEFAULTS


async def add_rule(tx: Tx, rule: Rule) -> None:
    await tx.run(ADD_RULE, new_id(), *(getattr(rule, field.name) for field in fields(Rule)))


async def circumstances(tx: Tx, order_id: UUID, elder_id: UUID, provider_id: UUID) -> Any:
    return await tx.fetchrow(CIRCUMSTANCES, order_id, elder_id, provider_id)


async def plan(tx: Tx, *values: Any) -> None:
    """Insert a follow-up, unless the order has one."""
    tx.later("followup", PLAN, new_id(), *values)


async def standing(tx: Tx, order_id: UUID, source: str) -> Standing:
    row = await tx.fetchrow(STANDING, order_id, source)
    assert row is not None  # noqa: S101 (it starts from a constant row)
    return Standing(*row.values())


async def add_rating(tx: Tx, *values: Any) -> None:
    tx.later("rating", ADD_RATING, *values)


async def close_open(tx: Tx, followup_id: UUID, outcome: str, solved: bool | None, at: datetime) -> None:
    """Close what is known to be open, while its order is locked."""
    tx.later("followup", CLOSE, followup_id, outcome, solved, at)


async def close(tx: Tx, followup_id: UUID, outcome: str, solved: bool | None, at: datetime) -> bool:
    """False when it was closed before."""
    return await tx.run(CLOSE, followup_id, outcome, solved, at) == 1


async def one(tx: Tx, followup_id: UUID) -> Any:
    return await tx.fetchrow(ONE, followup_id)


async def lock(tx: Tx, followup_id: UUID) -> Any:
    return await tx.fetchrow(LOCK, followup_id)


async def add_attempt(tx: Tx, *values: Any) -> None:
    await tx.run(ADD_ATTEMPT, *values)


async def tried(tx: Tx, followup_id: UUID, attempts: int, next_call_at: datetime | None, solved: bool | None) -> None:
    await tx.run(TRIED, followup_id, attempts, next_call_at, solved)


async def attempts(tx: Tx, followup_id: UUID) -> list[Any]:
    return await tx.fetch(ATTEMPTS, followup_id)


async def shown(tx: Tx, followup_id: UUID) -> Any:
    return await tx.fetchrow(SHOWN + " WHERE f.id = $1", followup_id)


async def find(
    tx: Tx,
    *,
    ranges: list[tuple[str, str]],
    status: str | None,
    provider_id: UUID | None,
    callable_at: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Any]:
    """Follow-ups within division `ranges`, the one due first first."""
    args: list[Any] = [status, provider_id, callable_at, *(after or (None, None)), limit]
    places = []
    for low, high in ranges:
        args.extend((low, high))
        places.append(f"(f.division_code >= ${len(args) - 1} AND f.division_code < ${len(args)})")
    return await tx.search(
        f"""{SHOWN} WHERE ({" OR ".join(places) or "false"}) AND ($1::text IS NULL OR f.status = $1)
          AND ($2::uuid IS NULL OR f.provider_id = $2)
          AND ($3::timestamptz IS NULL OR (f.status = 'due' AND f.next_call_at <= $3))
          AND ($4::timestamptz IS NULL OR (f.due_at, f.id) > ($4, $5::uuid))
        ORDER BY f.due_at, f.id LIMIT $6""",
        *args,
    )


async def passing(tx: Tx, now: datetime, limit: int) -> list[UUID]:
    """Orders whose follow-up passes by itself by now; nothing is locked."""
    return [row["order_id"] for row in await tx.fetch(PASSING, now, limit)]


async def of_order(tx: Tx, order_id: UUID) -> Any:
    """The order's follow-up, locked. Take the order's lock first."""
    return await tx.fetchrow(OF_ORDER, order_id)


async def call_after_all(tx: Tx, followup_id: UUID, because: str, at: datetime) -> None:
    await tx.run(CALL_AFTER_ALL, followup_id, because, at)


async def announce(tx: Tx, now: datetime, limit: int) -> list[Any]:
    return await tx.fetch(ANNOUNCE, now, limit)


async def family_facts(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, Any]:
    return {row["id"]: row for row in await tx.fetch(FAMILY, list(order_ids))}
