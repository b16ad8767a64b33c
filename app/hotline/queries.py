"""SQL of presence, dialling and nuisance numbers; what is listened to has its own page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound

LEAVE = "UPDATE operator_presence SET until_at = $2 WHERE staff_id = $1 AND until_at IS NULL RETURNING id"
FREE = "UPDATE operator_presence SET until_at = $2 WHERE extension = $1 AND until_at IS NULL RETURNING staff_id"
ENTER = """INSERT INTO operator_presence (id, staff_id, extension, state, reason, from_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id"""
PRESENT = "SELECT extension, state, reason, from_at FROM operator_presence WHERE staff_id = $1 AND until_at IS NULL"
OPERATORS = """SELECT p.staff_id, s.name, p.extension, p.state, p.reason, p.from_at, c.id AS call_id
FROM operator_presence p JOIN staff s ON s.id = p.staff_id
LEFT JOIN LATERAL (SELECT id FROM call WHERE outcome IS NULL AND state = 'talking' AND agent = p.extension
  ORDER BY first_at DESC LIMIT 1) c ON true
WHERE p.until_at IS NULL ORDER BY p.extension"""
# Whose session has ended has gone home without saying so.
GONE = """UPDATE operator_presence p SET until_at = $1 WHERE until_at IS NULL
AND NOT EXISTS (SELECT 1 FROM staff_session s WHERE s.staff_id = p.staff_id AND s.expires_at > $1)"""
AT_EXTENSION = """SELECT staff_id FROM operator_presence
WHERE extension = $1 AND from_at <= $2 AND (until_at IS NULL OR until_at > $2) ORDER BY from_at DESC LIMIT 1"""
QUEUES = """SELECT coalesce(queue, '') AS queue, count(*) FILTER (WHERE state = 'waiting') AS waiting,
  count(*) FILTER (WHERE state = 'ringing') AS ringing, count(*) FILTER (WHERE state = 'talking') AS talking,
  min(coalesce(queued_at, first_at)) FILTER (WHERE state <> 'talking') AS longest_since
FROM call WHERE outcome IS NULL GROUP BY 1 ORDER BY 1"""

ADD_DIAL = """INSERT INTO dial (id, staff_id, extension, number, about, about_id, status, requested_at)
VALUES ($1, $2, $3, $4, $5, $6, 'requested', $7)"""
# Nobody took it in time; or who took it has not been heard of since.
EXPIRE_DIALS = """UPDATE dial SET settled_at = $3, status = CASE status WHEN 'taken' THEN 'failed' ELSE 'expired' END,
  cause = CASE status WHEN 'taken' THEN 'no_word' END
WHERE (status = 'requested' AND requested_at < $1) OR (status = 'taken' AND taken_at < $2)"""
TAKE_DIALS = """UPDATE dial SET status = 'taken', taken_at = $1 WHERE id IN (
  SELECT id FROM dial WHERE status = 'requested' AND requested_at >= $2 ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED)
RETURNING id, extension, number"""
SETTLE_DIAL = """UPDATE dial SET status = $2, cause = $3, settled_at = $4
WHERE id = $1 AND (status = 'taken' OR cause = 'no_word') RETURNING id"""
DIAL = """SELECT id, extension, about, about_id, status, requested_at, taken_at, settled_at, cause FROM dial
WHERE id = $1"""

PROPOSE = """INSERT INTO nuisance_number (id, phone, phone_index, call_id, reason, status, proposed_by, proposed_at)
VALUES ($1, $2, $3, $4, $5, 'proposed', $6, $7)
ON CONFLICT (phone_index) WHERE status IN ('proposed', 'listed') DO NOTHING RETURNING id"""
_NUISANCE = """SELECT id, phone, call_id, reason, status, proposed_by, proposed_at, decided_by, decided_at, valid_until
FROM nuisance_number"""
ONE_NUISANCE = f"{_NUISANCE} WHERE id = $1 FOR UPDATE"
NUISANCES = f"""{_NUISANCE} WHERE ($1::text IS NULL OR status = $1) AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3"""
LISTED = f"{_NUISANCE} WHERE phone_index = $1 AND status = 'listed' AND valid_until >= $2"
DECIDE = """UPDATE nuisance_number SET status = $2, decided_by = $3, decided_at = $4, valid_until = $5 WHERE id = $1"""
LIFT_OLD = "UPDATE nuisance_number SET status = 'lifted' WHERE status = 'listed' AND valid_until < $1"

# A page that is open says so every two seconds; only every other time is worth a write.
LOOK = """INSERT INTO order_viewer AS v (order_id, staff_id, seen_at) VALUES ($1, $2, $3)
ON CONFLICT (order_id, staff_id) DO UPDATE SET seen_at = excluded.seen_at WHERE v.seen_at < $4"""
LOOK_AWAY = "DELETE FROM order_viewer WHERE order_id = $1 AND staff_id = $2"
VIEWERS = """SELECT s.name FROM order_viewer v JOIN staff s ON s.id = v.staff_id
WHERE v.order_id = $1 AND v.staff_id <> $2 AND v.seen_at >= $3 ORDER BY s.name"""
FORGET_VIEWERS = "DELETE FROM order_viewer WHERE seen_at < $1"


async def look(tx: Tx, order_id: UUID, staff_id: UUID, now: datetime, unless_since: datetime) -> None:
    await tx.run(LOOK, order_id, staff_id, now, unless_since)


async def look_away(tx: Tx, order_id: UUID, staff_id: UUID) -> None:
    await tx.run(LOOK_AWAY, order_id, staff_id)


async def viewers(tx: Tx, order_id: UUID, but: UUID, since: datetime) -> list[str]:
    """Names of everybody else who has looked since then."""
    return [row["name"] for row in await tx.fetch(VIEWERS, order_id, but, since)]


async def forget_viewers(tx: Tx, before: datetime) -> int:
    return await tx.run(FORGET_VIEWERS, before)


async def leave(tx: Tx, staff_id: UUID, now: datetime) -> bool:
    return await tx.fetchval(LEAVE, staff_id, now) is not None


async def free(tx: Tx, extension: str, now: datetime) -> UUID | None:
    """End whoever is there; who it was."""
    found: UUID | None = await tx.fetchval(FREE, extension, now)
    return found


async def enter(tx: Tx, *values: Any) -> bool:
    """False when somebody else is at that extension."""
    return await tx.fetchval(ENTER, *values) is not None


async def present(tx: Tx, staff_id: UUID) -> Any:
    return await tx.fetchrow(PRESENT, staff_id)


async def operators(tx: Tx) -> list[Any]:
    """Everybody who is there, with the call they are in."""
    return await tx.fetch(OPERATORS)


async def gone(tx: Tx, now: datetime) -> int:
    return await tx.run(GONE, now)


async def at_extension(tx: Tx, extension: str, at: datetime) -> UUID | None:
    found: UUID | None = await tx.fetchval(AT_EXTENSION, extension, at)
    return found


async def queues(tx: Tx) -> list[Any]:
    """What is on the line, by queue; calls in no queue under the empty name."""
    return await tx.fetch(QUEUES)


async def add_dial(tx: Tx, *values: Any) -> None:
    await tx.run(ADD_DIAL, *values)


async def expire_dials(tx: Tx, requested_before: datetime, taken_before: datetime, now: datetime) -> int:
    return await tx.run(EXPIRE_DIALS, requested_before, taken_before, now)


async def take_dials(tx: Tx, now: datetime, since: datetime) -> Sequence[Any]:
    return await tx.fetch(TAKE_DIALS, now, since)


async def settle_dial(tx: Tx, dial_id: UUID, status: str, cause: str | None, now: datetime) -> bool:
    """False unless it was taken and is not settled yet."""
    return await tx.fetchval(SETTLE_DIAL, dial_id, status, cause, now) is not None


async def dial(tx: Tx, dial_id: UUID) -> Any:
    row = await tx.fetchrow(DIAL, dial_id)
    if row is None:
        raise NotFound("dial_not_found")
    return row


async def propose(tx: Tx, *values: Any) -> bool:
    """False when the number is proposed or listed already."""
    return await tx.fetchval(PROPOSE, *values) is not None


async def locked_nuisance(tx: Tx, number_id: UUID) -> Any:
    row = await tx.fetchrow(ONE_NUISANCE, number_id)
    if row is None:
        raise NotFound("nuisance_number_not_found")
    return row


async def nuisances(tx: Tx, status: str | None, after: UUID | None, limit: int) -> list[Any]:
    return await tx.fetch(NUISANCES, status, after, limit)


async def listed(tx: Tx, index: bytes, day: date) -> Any:
    """The listed nuisance with this number, or None."""
    return await tx.fetchrow(LISTED, index, day)


async def decide(tx: Tx, *values: Any) -> None:
    await tx.run(DECIDE, *values)


async def lift_old(tx: Tx, day: date) -> int:
    return await tx.run(LIFT_OLD, day)
