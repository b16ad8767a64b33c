"""The spine's SQL. Plain asyncpg on the order's way, since every order passes here several times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound
from app.core.json import dumps
from app.orders.deadlines import Rule


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row of `care_order` as it stands in this transaction."""

    id: UUID
    number: str
    status: str
    outcome: str | None
    outcome_reason: str | None
    item_code: str
    elder_id: UUID
    division_code: str
    urgency: str
    channel: str
    care_request_id: UUID | None
    requester_name: str | None
    requester_relation: str | None
    wanted_from: datetime
    wanted_to: datetime | None
    minutes: int
    price_fen: int
    price_version_id: UUID | None
    payers: list[dict[str, Any]]
    copay_fen: int
    provider_id: UUID | None
    caregiver_id: UUID | None
    second_caregiver_id: UUID | None
    offer_id: UUID | None
    assigned_at: datetime | None
    flags: list[str]
    delivery: str
    rework_of: UUID | None
    note: bytes | None
    lng: float | None
    lat: float | None
    placed_by: str
    placed_at: datetime
    completed_at: datetime | None
    updated_at: datetime
    visit: dict[str, Any] | None
    rating: int | None
    version: int


NAMES = tuple(field.name for field in fields(OrderRow))


def supposed(now: datetime, **known: Any) -> OrderRow:
    """An order that nobody has placed, to find out who could come for it."""
    values: dict[str, Any] = dict.fromkeys(NAMES) | {
        "number": "", "status": "placed", "channel": "hotline", "price_fen": 0, "payers": [], "copay_fen": 0,
        "flags": [], "delivery": "none", "placed_by": "", "placed_at": now, "updated_at": now, "version": 1,
    }  # fmt: skip
    return OrderRow(**values | known)


COLUMNS = ", ".join(f"o.{name}" for name in NAMES)

GET = f"SELECT {COLUMNS} FROM care_order o WHERE o.id = $1"
LOCK = GET + " FOR NO KEY UPDATE OF o"
GET_ALL = f"SELECT {COLUMNS} FROM care_order o WHERE o.id = ANY($1)"
LOCK_ALL = f"SELECT {COLUMNS} FROM care_order o WHERE o.id = ANY($1) ORDER BY o.id FOR NO KEY UPDATE OF o"

PLACE = f"""WITH placed AS (
  INSERT INTO care_order (id, number, status, item_code, elder_id, division_code, urgency, channel, care_request_id,
    requester_name, requester_relation, wanted_from, wanted_to, minutes, price_fen, price_version_id, payers,
    copay_fen, flags, delivery, rework_of, note, lng, lat, placed_by, placed_at, updated_at, version)
  VALUES ($1, $2 || lpad(nextval('care_order_number')::text, 7, '0'), 'placed', $3, $4, $5, $6, $7, $8, $9, $10,
    $11, $12, $13, $14, $15, $16, $17, '{{}}', 'none', $18, $19, $20, $21, $22, $23, $23, 1)
  RETURNING *
), history AS (
  INSERT INTO order_history (order_id, seq, before, after, actor, reason, facts, at)
  VALUES ($1, 1, NULL, 'placed', $22, NULL, NULL, $23)
), clocks AS (
  INSERT INTO order_deadline (order_id, name, due_at)
  SELECT $1, clock.name, clock.due_at FROM unnest($24::text[], $25::timestamptz[]) AS clock (name, due_at)
)
SELECT {COLUMNS} FROM placed o"""

CHANGEABLE = frozenset(
    {"outcome", "outcome_reason", "provider_id", "caregiver_id", "second_caregiver_id", "offer_id", "assigned_at",
     "delivery", "completed_at", "visit", "rating"}
)  # fmt: skip


@cache
def _advance_sql(changed: tuple[str, ...]) -> str:
    assignments = "".join(f", {name} = ${position}" for position, name in enumerate(changed, start=14))
    return f"""WITH moved AS (
  UPDATE care_order SET status = $2, version = version + cardinality($5::text[]), updated_at = $3{assignments}
  WHERE id = $1 AND version = $4
  RETURNING *
), history AS (
  INSERT INTO order_history (order_id, seq, before, after, actor, reason, facts, at)
  SELECT $1, $4 + step.number::int, step.before, step.after, $7,
    CASE WHEN step.after = $2 THEN $8::text END, CASE WHEN step.after = $2 THEN $9::jsonb END, $3
  FROM moved, unnest($5::text[], $6::text[]) WITH ORDINALITY AS step (before, after, number)
), met AS (
  UPDATE order_deadline SET met_at = $3 WHERE order_id = $1 AND name = ANY($10::text[]) AND met_at IS NULL
), clocks AS (
  INSERT INTO order_deadline (order_id, name, due_at, met_at)
  SELECT $1, clock.name, clock.due_at, clock.met_at
  FROM moved, unnest($11::text[], $12::timestamptz[], $13::timestamptz[]) AS clock (name, due_at, met_at)
  ON CONFLICT (order_id, name) DO UPDATE
    SET due_at = excluded.due_at, met_at = excluded.met_at, announced_at = NULL
)
SELECT {COLUMNS} FROM moved o"""


FLAGS = f"""WITH flagged AS (
  UPDATE care_order SET flags = $2, version = version + 1, updated_at = $3 WHERE id = $1 RETURNING *
), history AS (
  INSERT INTO order_history (order_id, seq, before, after, actor, reason, facts, at)
  SELECT $1, version, status, status, $4, $5, $6, $3 FROM flagged
)
SELECT {COLUMNS} FROM flagged o"""

NOTE = f"""WITH noted AS (
  UPDATE care_order SET delivery = $2, version = version + 1, updated_at = $3 WHERE id = $1 RETURNING *
), history AS (
  INSERT INTO order_history (order_id, seq, before, after, actor, reason, facts, at)
  SELECT $1, version, status, status, $4, $5, $6, $3 FROM noted
)
SELECT {COLUMNS} FROM noted o"""

CORRECT_END = f"""WITH corrected AS (
  UPDATE care_order SET outcome = $2, outcome_reason = $3, completed_at = $4, visit = $5, version = version + 1,
    updated_at = $6
  WHERE id = $1 RETURNING *
), history AS (
  INSERT INTO order_history (order_id, seq, before, after, actor, reason, facts, at)
  SELECT $1, version, status, status, $7, 'end_corrected', $8, $6 FROM corrected
)
SELECT {COLUMNS} FROM corrected o"""

NOTE_RATING = "UPDATE care_order SET rating = $2, version = version + 1, updated_at = $3 WHERE id = $1"
NOTE_VISIT = "UPDATE care_order SET visit = $2, version = version + 1, updated_at = $3 WHERE id = $1"
NOTE_DELIVERY = """UPDATE care_order SET delivery = $2 WHERE id IN (
  SELECT id FROM care_order WHERE id = ANY($1) AND status = 'dispatched' AND delivery = ANY($3)
  ORDER BY id FOR NO KEY UPDATE)"""
MEET = "UPDATE order_deadline SET met_at = $3 WHERE order_id = $1 AND name = $2 AND met_at IS NULL"

RULES = """SELECT division_code, urgency, name, minutes, rural_minutes, from_window, valid_from, valid_to
FROM deadline_rule"""

SEED_RULE = """INSERT INTO deadline_rule
(division_code, urgency, name, valid_from, minutes, rural_minutes, from_window)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"""

MISSED = """WITH missed AS (
  SELECT d.order_id, d.name FROM order_deadline d JOIN care_order o ON o.id = d.order_id
  WHERE d.met_at IS NULL AND d.announced_at IS NULL AND d.due_at <= $1 AND o.status <> 'cancelled'
  ORDER BY d.due_at LIMIT 200 FOR UPDATE OF d SKIP LOCKED
)
UPDATE order_deadline d SET announced_at = $1 FROM missed
WHERE d.order_id = missed.order_id AND d.name = missed.name
RETURNING d.order_id, d.name, d.due_at"""


def row(record: Any) -> OrderRow:
    """An order out of a record that begins with COLUMNS."""
    return OrderRow(*record[: len(NAMES)])


async def get(tx: Tx, order_id: UUID) -> OrderRow:
    record = await tx.fetchrow(GET, order_id)
    if record is None:
        raise NotFound("order_not_found")
    return row(record)


async def get_all(tx: Tx, order_ids: Sequence[UUID]) -> list[OrderRow]:
    """In no order; those that do not exist are left out."""
    return [row(record) for record in await tx.fetch(GET_ALL, list(order_ids))]


async def lock(tx: Tx, order_id: UUID) -> OrderRow:
    record = await tx.fetchrow(LOCK, order_id)
    if record is None:
        raise NotFound("order_not_found")
    return row(record)


async def lock_all(tx: Tx, order_ids: Sequence[UUID]) -> list[OrderRow]:
    """Lock these orders, in one order for everybody; those that do not exist are passed over."""
    return [row(record) for record in await tx.fetch(LOCK_ALL, list(order_ids))]


async def place(tx: Tx, number_prefix: str, values: dict[str, Any], clocks: list[tuple[str, datetime]]) -> OrderRow:
    names, dues = [name for name, _ in clocks], [due for _, due in clocks]
    v = values
    record = await tx.fetchrow(
        PLACE, v["id"], number_prefix, v["item_code"], v["elder_id"], v["division_code"], v["urgency"], v["channel"],
        v["care_request_id"], v["requester_name"], v["requester_relation"], v["wanted_from"], v["wanted_to"],
        v["minutes"], v["price_fen"], v["price_version_id"], dumps(v["payers"]), v["copay_fen"], v["rework_of"],
        v["note"], v["lng"], v["lat"], v["placed_by"], v["placed_at"], names, dues,
    )  # fmt: skip
    return row(record)


async def advance(
    tx: Tx,
    order: OrderRow,
    path: Sequence[str],
    at: datetime,
    *,
    actor: str,
    reason: str | None,
    facts: dict[str, Any] | None,
    met: Sequence[str],
    clocks: list[tuple[str, datetime]],
    changes: dict[str, Any],
) -> OrderRow | None:
    """The one UPDATE of a status, to the last of `path`, with a history row for each step and the clocks.

    `reason` and `facts` are the last step's. None when the version has moved on.
    """
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise ValueError(f"advance() cannot change {sorted(unknown)}")
    values = [dumps(v) if k == "visit" and v is not None else v for k, v in changes.items()]
    record = await tx.fetchrow(
        _advance_sql(tuple(changes)), order.id, path[-1], at, order.version, [order.status, *path[:-1]], list(path),
        actor, reason, dumps(facts) if facts is not None else None, list(met), [name for name, _ in clocks],
        [due for _, due in clocks], [at if name in met else None for name, _ in clocks], *values,
    )  # fmt: skip
    return row(record) if record is not None else None


async def set_flags(
    tx: Tx,
    order: OrderRow,
    flags: list[str],
    at: datetime,
    actor: str,
    reason: str | None,
    facts: dict[str, Any],
) -> OrderRow:
    return row(await tx.fetchrow(FLAGS, order.id, flags, at, actor, reason, dumps(facts)))


async def note(
    tx: Tx, order: OrderRow, at: datetime, delivery: str, actor: str, reason: str, facts: dict[str, Any]
) -> OrderRow:
    return row(await tx.fetchrow(NOTE, order.id, delivery, at, actor, reason, dumps(facts)))


async def correct_end(
    tx: Tx,
    order: OrderRow,
    at: datetime,
    *,
    actor: str,
    outcome: str,
    outcome_reason: str | None,
    completed_at: datetime,
    visit: dict[str, Any],
    facts: dict[str, Any],
) -> OrderRow:
    return row(
        await tx.fetchrow(
            CORRECT_END, order.id, outcome, outcome_reason, completed_at, dumps(visit), at, actor, dumps(facts)
        )
    )


async def note_visit(tx: Tx, order_id: UUID, visit: dict[str, Any], at: datetime) -> None:
    await tx.run(NOTE_VISIT, order_id, dumps(visit), at)


async def note_rating(tx: Tx, order_id: UUID, score: int, at: datetime) -> None:
    await tx.run(NOTE_RATING, order_id, score, at)


async def note_delivery(tx: Tx, order_ids: list[UUID], delivery: str, before: list[str]) -> None:
    """How far the offers of these orders have come; only from one of the states `before`."""
    await tx.run(NOTE_DELIVERY, order_ids, delivery, before)


async def meet_deadline(tx: Tx, order_id: UUID, name: str, at: datetime) -> None:
    await tx.run(MEET, order_id, name, at)


async def deadline_rules(tx: Tx) -> list[Rule]:
    return [Rule(**dict(row)) for row in await tx.fetch(RULES)]


async def take_missed(tx: Tx, now: datetime) -> list[Any]:
    """Mark up to 200 missed deadlines as announced and return them; two tasks never get the same one."""
    return await tx.fetch(MISSED, now)


async def seed_rule(tx: Tx, values: Sequence[Any]) -> None:
    """Add one rule unless the division has one from that day."""
    await tx.run(SEED_RULE, *values)
