"""The SQL of recurring plans: the plan is locked first, then its occurrences are claimed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound
from app.core.json import dumps
from app.orders.recurring import Pattern, Rest, Slot

NAMES = (
    "id", "elder_id", "division_code", "item_code", "minutes", "every", "weekdays", "slots", "valid_from", "valid_to",
    "holidays", "caregiver_id", "provider_id", "requester_name", "requester_relation", "note", "made_by", "made_at",
    "updated_at", "ended_at", "ended_reason", "made_through", "retry_at", "version",
)  # fmt: skip
PLAN = f"SELECT {', '.join(NAMES)} FROM recurring_plan WHERE id = $1"
LOCK_PLAN = PLAN + " FOR NO KEY UPDATE"
ADD_PLAN = f"""INSERT INTO recurring_plan ({", ".join(NAMES)})
VALUES ({", ".join(f"${number}" for number, _ in enumerate(NAMES, start=1))})"""

# Two sweeps at once take different plans; what one has in hand the other passes over.
DUE = """SELECT id FROM recurring_plan
WHERE ended_at IS NULL AND (made_through < $1 OR retry_at <= $2) AND (valid_to IS NULL OR valid_to >= $3)
ORDER BY made_through, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED"""
LOOKED = "UPDATE recurring_plan SET made_through = $2, retry_at = $3, division_code = $4 WHERE id = $1"
END = """UPDATE recurring_plan SET ended_at = $2, ended_reason = $3, updated_at = $2, version = version + 1
WHERE id = $1"""

OF_ELDER = "SELECT id FROM recurring_plan WHERE elder_id = $1 AND ended_at IS NULL ORDER BY id"

RESTS = """SELECT id, plan_id, first_day, last_day, reason, made_by, made_at FROM recurring_rest
WHERE elder_id = $1 AND (plan_id IS NULL OR plan_id = $2) ORDER BY first_day, id"""
ADD_REST = """INSERT INTO recurring_rest (id, elder_id, plan_id, first_day, last_day, reason, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
END_REST = "UPDATE recurring_rest SET last_day = $3 WHERE id = $1 AND elder_id = $2 RETURNING plan_id"
DROP_REST = "DELETE FROM recurring_rest WHERE id = $1 AND elder_id = $2 RETURNING plan_id"

OCCURRENCES = """SELECT day, slot, state, order_id, reason, terms, at FROM recurring_occurrence
WHERE plan_id = $1 AND day >= $2 AND day <= $3 ORDER BY day, slot"""
SHOWN = """SELECT c.day, c.slot, c.state, c.reason, c.order_id, o.number, o.status
FROM recurring_occurrence c LEFT JOIN care_order o ON o.id = c.order_id
WHERE c.plan_id = $1 AND c.day >= $2 AND c.day <= $3 ORDER BY c.day, c.slot"""

# The claim is the key: of two that want to order the same visit, the second waits here and finds it done.
CLAIM = """INSERT INTO recurring_occurrence (plan_id, day, slot, state, reason, terms, at)
VALUES ($1, $2, $3, 'failed', 'in_hand', $4, $5)
ON CONFLICT (plan_id, day, slot) DO UPDATE SET state = 'failed', reason = 'in_hand', terms = $4, at = $5
  WHERE recurring_occurrence.state = ANY($6::text[])
RETURNING true"""
SETTLE = """UPDATE recurring_occurrence SET state = $4, order_id = coalesce($5, order_id), reason = $6, at = $7
WHERE plan_id = $1 AND day = $2 AND slot = $3"""

# The visits of a plan that one order belongs to: its windows that day, and what it has to follow.
OF_ORDERS = """SELECT c.order_id, c.plan_id, c.day, c.slot, p.slots, p.minutes, p.caregiver_id, p.provider_id
FROM recurring_occurrence c JOIN recurring_plan p ON p.id = c.plan_id
WHERE c.order_id = ANY($1) AND c.state = 'ordered' ORDER BY c.plan_id, c.day, c.slot"""

OTHERS_OF_THE_DAY = """SELECT c.order_id, c.slot, other.order_id AS other_id, other.slot AS other_slot, p.slots
FROM recurring_occurrence c JOIN recurring_plan p ON p.id = c.plan_id
  JOIN recurring_occurrence other ON other.plan_id = c.plan_id AND other.day = c.day AND other.slot <> c.slot
WHERE c.order_id = ANY($1) AND c.state = 'ordered' AND other.state = 'ordered'"""

MOVE_WINDOWS = """WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
    AS g (id, was_from, wanted_from, wanted_to)
), moved AS (
  UPDATE care_order o SET wanted_from = g.wanted_from, wanted_to = g.wanted_to, version = o.version + 1,
    updated_at = $5
  FROM given g WHERE o.id = g.id RETURNING o.id, o.version, o.status
), clocks AS (
  UPDATE order_deadline d SET due_at = d.due_at + (g.wanted_from - g.was_from) FROM given g
  WHERE d.order_id = g.id AND d.name = 'arrive' AND d.met_at IS NULL
)
INSERT INTO order_history (order_id, seq, before, after, actor, reason, at)
SELECT id, version, status, status, $6, 'other_window', $5 FROM moved"""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row of `recurring_plan`, with its rule and its visits as `recurring` reads them."""

    id: UUID
    elder_id: UUID
    division_code: str
    item_code: str
    minutes: int
    every: int
    weekdays: list[int]
    slots: list[dict[str, Any]]
    valid_from: date
    valid_to: date | None
    holidays: str
    caregiver_id: UUID | None
    provider_id: UUID | None
    requester_name: str | None
    requester_relation: str | None
    note: bytes | None
    made_by: str
    made_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    ended_reason: str | None
    made_through: date
    retry_at: datetime | None
    version: int

    @property
    def pattern(self) -> Pattern:
        return Pattern(self.valid_from, self.valid_to, self.every, frozenset(self.weekdays), self.holidays)

    @property
    def visits(self) -> list[Slot]:
        return slots_of(self.slots)


def slots_of(kept: Sequence[dict[str, Any]]) -> list[Slot]:
    """Visits out of the JSON a plan keeps."""
    return [Slot(**{**slot, "windows": tuple((opens, closes) for opens, closes in slot["windows"])}) for slot in kept]


async def plan(tx: Tx, plan_id: UUID, *, lock: bool = False) -> PlanRow:
    """Raises NotFound."""
    record = await tx.fetchrow(LOCK_PLAN if lock else PLAN, plan_id)
    if record is None:
        raise NotFound("recurring_plan_not_found")
    return PlanRow(*record)


async def add_plan(tx: Tx, values: dict[str, Any]) -> None:
    await tx.run(ADD_PLAN, *({**values, "slots": dumps(values["slots"])}[name] for name in NAMES))


async def change_plan(tx: Tx, plan_id: UUID, changes: dict[str, Any], at: datetime) -> None:
    """Change what is named; the version goes up."""
    values = {name: dumps(value) if name == "slots" else value for name, value in changes.items()}
    assignments = "".join(f", {name} = ${number}" for number, name in enumerate(values, start=3))
    sql = f"UPDATE recurring_plan SET version = version + 1, updated_at = $2{assignments} WHERE id = $1"
    await tx.run(sql, plan_id, at, *values.values())


async def find(
    tx: Tx,
    *,
    ranges: Sequence[tuple[str, str]],
    elder_id: UUID | None,
    ended: bool,
    before: UUID | None,
    limit: int,
) -> list[PlanRow]:
    """Plans within division `ranges`, newest first."""
    args: list[Any] = []
    parts = []
    for low, high in ranges:
        args.extend((low, high))
        parts.append(f"(division_code >= ${len(args) - 1} AND division_code < ${len(args)})")
    where = [f"({' OR '.join(parts) or 'false'})"]
    if not ended:
        where.append("ended_at IS NULL")
    for condition, value in (("elder_id = ", elder_id), ("id < ", before)):
        if value is not None:
            args.append(value)
            where.append(f"{condition}${len(args)}")
    args.append(limit)
    sql = f"SELECT {', '.join(NAMES)} FROM recurring_plan WHERE {' AND '.join(where)} ORDER BY id DESC"
    return [PlanRow(*record) for record in await tx.search(f"{sql} LIMIT ${len(args)}", *args)]


async def due(tx: Tx, horizon: date, now: datetime, today: date, limit: int) -> list[UUID]:
    """Lock and name plans whose coming days are not made yet, or that something could not be ordered for."""
    return [row["id"] for row in await tx.fetch(DUE, horizon, now, today, limit)]


async def looked(tx: Tx, plan_id: UUID, through: date, retry_at: datetime | None, division_code: str) -> None:
    await tx.run(LOOKED, plan_id, through, retry_at, division_code)


async def end_plan(tx: Tx, plan_id: UUID, at: datetime, reason: str) -> None:
    await tx.run(END, plan_id, at, reason)


async def of_elder(tx: Tx, elder_id: UUID) -> list[UUID]:
    """Plans of an elder that have not ended, in one order for everybody who locks them."""
    return [row["id"] for row in await tx.fetch(OF_ELDER, elder_id)]


async def rest_rows(tx: Tx, elder_id: UUID, plan_id: UUID) -> list[Any]:
    return await tx.fetch(RESTS, elder_id, plan_id)


def rest_of(row: Any) -> Rest:
    return Rest(row["first_day"], row["last_day"])


async def add_rest(tx: Tx, *values: Any) -> None:
    await tx.run(ADD_REST, *values)


async def end_rest(tx: Tx, rest_id: UUID, elder_id: UUID, last_day: date) -> Any:
    """The row with the plan it belongs to; None when this elder has no such rest."""
    return await tx.fetchrow(END_REST, rest_id, elder_id, last_day)


async def drop_rest(tx: Tx, rest_id: UUID, elder_id: UUID) -> Any:
    return await tx.fetchrow(DROP_REST, rest_id, elder_id)


async def occurrences(tx: Tx, plan_id: UUID, first: date, last: date) -> dict[tuple[date, int], Any]:
    return {(row["day"], row["slot"]): row for row in await tx.fetch(OCCURRENCES, plan_id, first, last)}


async def shown(tx: Tx, plan_id: UUID, first: date, last: date) -> list[Any]:
    return await tx.fetch(SHOWN, plan_id, first, last)


async def claim(tx: Tx, plan_id: UUID, day: date, slot: int, terms: str, at: datetime, before: Sequence[str]) -> bool:
    """Take one visit in hand: it is new, or in one of the states `before`. False when somebody else has done it."""
    return bool(await tx.fetchval(CLAIM, plan_id, day, slot, terms, at, list(before)))


async def settle(
    tx: Tx, plan_id: UUID, day: date, slot: int, state: str, order_id: UUID | None, reason: str | None, at: datetime
) -> None:
    await tx.run(SETTLE, plan_id, day, slot, state, order_id, reason, at)


async def move_windows(
    tx: Tx, rows: Sequence[tuple[UUID, datetime, datetime, datetime]], at: datetime, actor: str
) -> None:
    """Give locked orders another window: (order, begin before, begin, end). The clock of arrival goes with it."""
    await tx.run(MOVE_WINDOWS, *([row[number] for row in rows] for number in range(4)), at, actor)


async def of_orders(tx: Tx, order_ids: Sequence[UUID]) -> list[Any]:
    return await tx.fetch(OF_ORDERS, list(order_ids))


async def others_of_the_day(tx: Tx, order_ids: Sequence[UUID]) -> list[Any]:
    """Every other visit of the same plan and day beside each of these orders."""
    return await tx.fetch(OTHERS_OF_THE_DAY, list(order_ids))
