"""The SQL of caregivers' time. Whoever is booked is booked here; the exclusion constraint has the last word.

Of a team both are booked in one statement, in the order of their ids, as every other path does it: so two teams that
share a caregiver wait for each other in one direction only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.ids import new_id
from app.dispatch.queries_availability import freeing, taking

# Of a team, those whose time is taken are left out; the caller counts.
MAKE = """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
SELECT member.id, member.caregiver_id, $5, member.role, $6, tstzrange(member.leaves_at, $7), $8, $9, $10
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) AS member (id, caregiver_id, role, leaves_at)
ORDER BY member.caregiver_id
ON CONFLICT DO NOTHING RETURNING id, caregiver_id, during, starts_at, minutes"""
BOOK = f"WITH held AS ({MAKE}), marked AS ({taking('held')}) SELECT caregiver_id FROM held"

UNDO = f"""WITH undone AS (
  DELETE FROM booking WHERE id = ANY($1) RETURNING caregiver_id, during, starts_at, minutes
)
{freeing("undone")}"""

FREE = f"""WITH freed AS (
  UPDATE booking SET status = 'released' WHERE order_id = $1 AND status <> 'released'
  RETURNING caregiver_id, during, starts_at, minutes
)
{freeing("freed")}"""

KEEP = f"""WITH kept AS (
  UPDATE booking b SET status = CASE
    WHEN b.role = 'lead' AND b.caregiver_id = $2 THEN 'booked'
    WHEN b.role = 'second' AND b.caregiver_id = $3 THEN 'booked'
    ELSE 'released' END
  WHERE b.order_id = $1 AND b.status <> 'released'
  RETURNING b.caregiver_id, b.status, b.during, b.starts_at, b.minutes
), gone AS (
  SELECT * FROM kept WHERE status = 'released'
), marked AS (
  {freeing("gone")}
)
SELECT caregiver_id, status FROM kept"""

# Whoever moves an order from one caregiver to another touches the time of both. Taking the rows of all first, in one
# order for everybody, keeps two such moves from waiting for each other.
LOCK_CAREGIVERS = """SELECT id FROM caregiver WHERE id = ANY($2) OR id IN (
  SELECT caregiver_id FROM booking WHERE order_id = $1 AND status <> 'released')
ORDER BY id FOR NO KEY UPDATE"""

BLOCKING = """SELECT caregiver_id, starts_at, minutes FROM booking
WHERE caregiver_id = $1 AND status <> 'released' AND during && tstzrange($2, $3) LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Time:
    """A team's time for one order: each leaves for the door at their own hour, all are free again at `until`."""

    order_id: UUID
    members: Sequence[tuple[UUID, str, datetime]]
    """Caregiver, role, begin of the way."""
    until: datetime
    starts_at: datetime
    minutes: int

    def values(self, status: str, at: datetime) -> list[Any]:
        """The ten arguments of BOOK."""
        caregivers, roles, leaving = (list(column) for column in zip(*self.members, strict=True))
        ids = [new_id() for _ in self.members]
        return [
            ids, caregivers, roles, leaving, self.order_id, status, self.until, self.starts_at, self.minutes, at
        ]  # fmt: skip


async def book(tx: Tx, time: Time, status: str, at: datetime) -> bool:
    """Book all of a team, `held` or `booked`, or nobody; False when somebody's time is taken."""
    values = time.values(status, at)
    made = await tx.fetch(BOOK, *values)
    if len(made) == len(time.members):
        return True
    if made:
        await undo(tx, values[0])
    return False


async def undo(tx: Tx, booking_ids: list[UUID]) -> None:
    """Take back half a team, which nobody else has seen yet."""
    await tx.run(UNDO, booking_ids)


async def free(tx: Tx, order_id: UUID) -> None:
    await tx.run(FREE, order_id)


async def keep(tx: Tx, order_id: UUID, lead: UUID, second: UUID | None) -> set[UUID]:
    """Book those of the team who hold their place already, free everybody else; returns who is booked."""
    return {row["caregiver_id"] for row in await tx.fetch(KEEP, order_id, lead, second) if row["status"] == "booked"}


async def lock_caregivers(tx: Tx, order_id: UUID, caregiver_ids: Collection[UUID]) -> None:
    """Lock the caregivers an order has now and those it may have."""
    await tx.fetch(LOCK_CAREGIVERS, order_id, list(caregiver_ids))


async def blocking(tx: Tx, caregiver_id: UUID, from_at: datetime, to_at: datetime) -> Any:
    """The booking that is in the way, if there is one."""
    return await tx.fetchrow(BLOCKING, caregiver_id, from_at, to_at)
