"""The SQL of offers and bookings: one statement holds and offers, one takes, one closes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps
from app.orders.queries import COLUMNS as ORDER_COLUMNS
from app.orders.queries import OrderRow
from app.orders.queries import row as order_row

HOLD_AND_OFFER = """WITH held AS (
  INSERT INTO booking (id, caregiver_id, order_id, status, during, starts_at, minutes, made_at)
  VALUES ($1, $2, $3, 'held', tstzrange($4, $5), $6, $7, $8)
  ON CONFLICT DO NOTHING RETURNING id
), made AS (
  INSERT INTO offer (id, order_id, provider_id, caregiver_id, decision_id, mode, attempt, status, service_day,
    starts_at, made_at, deadline_at)
  SELECT $9, $3, $10, $2, $11, $12, $13, 'offered', $14, $6, $8, $15 FROM held RETURNING id
), decided AS (
  INSERT INTO decision (id, order_id, mode, made_by, reason, weights_version, starts_at, excluded, funnel, ranked,
    chosen_caregiver_id, chosen_provider_id, made_at)
  SELECT $11, $3, $12, $16, $17, $18, $6, $19, $20, $21, $2, $10, $8 FROM held
)
SELECT id FROM made"""

DECIDE = """INSERT INTO decision (id, order_id, mode, made_by, reason, weights_version, starts_at, excluded, funnel,
  ranked, made_at)
VALUES ($1, $2, 'auto', $3, $4, $5, $6, $7, $8, '[]', $9)"""

OFFER = """SELECT id, order_id, provider_id, caregiver_id, decision_id, mode, attempt, status, service_day, starts_at,
  made_at, deadline_at, closed_at, reason_code FROM offer WHERE id = $1"""
OFFER_NAMES = ("id", "order_id", "provider_id", "caregiver_id", "status", "starts_at", "deadline_at")
LOCKED_OFFER = f"""SELECT {ORDER_COLUMNS}, {", ".join(f"f.{name} AS f_{name}" for name in OFFER_NAMES)}
FROM offer f JOIN care_order o ON o.id = f.order_id WHERE f.id = $1 FOR NO KEY UPDATE OF o, f"""
OPEN_OFFER = OFFER.replace("WHERE id = $1", "WHERE order_id = $1 AND status IN ('offered', 'accepted')") + (
    " ORDER BY made_at DESC LIMIT 1"
)
PAST_OFFERS = "SELECT provider_id, status, mode FROM offer WHERE order_id = $1"

TAKE_OFFER = """WITH taken AS (
  UPDATE offer SET status = 'accepted', closed_at = $2 WHERE id = $1 AND status = 'offered' RETURNING order_id
), kept AS (
  UPDATE booking b SET status = CASE WHEN b.caregiver_id = $3 THEN 'booked' ELSE 'released' END
  FROM taken WHERE b.order_id = taken.order_id AND b.status = 'held' AND $3::uuid IS NOT NULL
  RETURNING b.caregiver_id, b.status
)
SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM kept WHERE status = 'booked') AS booked"""

CLOSE_OFFER = """WITH closed AS (
  UPDATE offer SET status = $2, closed_at = $3, reason_code = $4, note = $5
  WHERE id = $1 AND status = ANY($6::text[]) RETURNING order_id
), freed AS (
  UPDATE booking b SET status = 'released' FROM closed WHERE b.order_id = closed.order_id AND b.status <> 'released'
)
SELECT count(*) FROM closed"""

FREE = "UPDATE booking SET status = 'released' WHERE order_id = $1 AND status <> 'released'"

BOOK = """INSERT INTO booking (id, caregiver_id, order_id, status, during, starts_at, minutes, made_at)
VALUES ($1, $2, $3, 'booked', tstzrange($4, $5), $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id"""

# Whoever moves an order from one caregiver to another touches the time of both. Taking both rows first, in one
# order for everybody, keeps two such moves from waiting for each other.
LOCK_CAREGIVERS = """SELECT id FROM caregiver WHERE id = $2 OR id IN (
  SELECT caregiver_id FROM booking WHERE order_id = $1 AND status <> 'released')
ORDER BY id FOR NO KEY UPDATE"""

BLOCKING_BOOKING = """SELECT order_id, starts_at, minutes FROM booking
WHERE caregiver_id = $1 AND status <> 'released' AND during && tstzrange($2, $3) LIMIT 1"""

OVERDUE = """SELECT id, order_id FROM offer WHERE status = 'offered' AND deadline_at <= $1
ORDER BY deadline_at LIMIT $2"""

WAITING = """SELECT o.id FROM care_order o
WHERE o.status = 'placed' AND o.flags = '{}' AND o.updated_at <= $1
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.order_id = o.id AND d.made_at > $1)
ORDER BY o.id LIMIT $2"""

BLOCK = """INSERT INTO blocked_pair (elder_id, caregiver_id, asked_by, reason, since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (elder_id, caregiver_id) DO UPDATE SET reason = excluded.reason, asked_by = excluded.asked_by"""
UNBLOCK = "DELETE FROM blocked_pair WHERE elder_id = $1 AND caregiver_id = $2"


async def hold_and_offer(tx: Tx, values: Sequence[Any], funnel: Any, ranked: Any) -> bool:
    """Hold the caregiver, make the offer and keep the decision, or nothing; False when the time is taken."""
    return await tx.fetchval(HOLD_AND_OFFER, *values, dumps(funnel), dumps(ranked)) is not None


async def decide(tx: Tx, values: Sequence[Any], funnel: Any, at: datetime) -> None:
    """Keep the decision that nobody is left."""
    await tx.run(DECIDE, *values, dumps(funnel), at)


async def locked_offer(tx: Tx, offer_id: UUID) -> tuple[OrderRow, dict[str, Any]] | None:
    """The offer's order and the offer, both locked, the order first as everywhere."""
    found = await tx.fetchrow(LOCKED_OFFER, offer_id)
    if found is None:
        return None
    return order_row(found), {name: found[f"f_{name}"] for name in OFFER_NAMES}


async def offer(tx: Tx, offer_id: UUID) -> Any:
    return await tx.fetchrow(OFFER, offer_id)


async def open_offer(tx: Tx, order_id: UUID) -> Any:
    return await tx.fetchrow(OPEN_OFFER, order_id)


async def past_offers(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(PAST_OFFERS, order_id)


async def take_offer(tx: Tx, offer_id: UUID, at: datetime, caregiver_id: UUID | None) -> tuple[bool, bool]:
    """Accept: (was it still open, was this caregiver already held and is now booked)."""
    row = await tx.fetchrow(TAKE_OFFER, offer_id, at, caregiver_id)
    return bool(row and row["taken"]), bool(row and row["booked"])


async def close_offer(
    tx: Tx, offer_id: UUID, status: str, at: datetime, reason: str | None, note: str | None, before: list[str]
) -> bool:
    return bool(await tx.fetchval(CLOSE_OFFER, offer_id, status, at, reason, note, before))


async def free(tx: Tx, order_id: UUID) -> None:
    await tx.run(FREE, order_id)


async def book(tx: Tx, values: Sequence[Any]) -> bool:
    return await tx.fetchval(BOOK, *values) is not None


async def lock_caregivers(tx: Tx, order_id: UUID, caregiver_id: UUID) -> None:
    """Lock the caregivers an order has now and the one it shall have."""
    await tx.fetch(LOCK_CAREGIVERS, order_id, caregiver_id)


async def blocking_booking(tx: Tx, caregiver_id: UUID, from_at: datetime, to_at: datetime) -> Any:
    return await tx.fetchrow(BLOCKING_BOOKING, caregiver_id, from_at, to_at)


async def overdue(tx: Tx, now: datetime, limit: int) -> list[Any]:
    return await tx.fetch(OVERDUE, now, limit)


async def waiting(tx: Tx, quiet_since: datetime, limit: int) -> list[UUID]:
    """Placed orders that nobody has tried to dispatch since `quiet_since`."""
    return [row["id"] for row in await tx.fetch(WAITING, quiet_since, limit)]


async def block(tx: Tx, elder_id: UUID, caregiver_id: UUID, actor: str, reason: str, at: datetime) -> None:
    await tx.run(BLOCK, elder_id, caregiver_id, actor, reason, at)


async def unblock(tx: Tx, elder_id: UUID, caregiver_id: UUID) -> int:
    return await tx.run(UNBLOCK, elder_id, caregiver_id)
