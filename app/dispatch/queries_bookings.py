"""The SQL of caregivers' time. Whoever is booked is booked here; the exclusion constraint has the last word.

A booking that overlaps one in doubt waits until that one is decided. So that no two wait for each other:

* who frees somebody's time, or books two at once, holds their rows of `caregiver`, taken in the order of their ids;
* who holds such a row looks for somebody else by trying: a caregiver in others' hands is passed over (`tried`).

Whoever has freed nobody yet may wait, and then gets the best and not the next best.
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
TRIED = "SELECT id FROM caregiver WHERE id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"


def of_those(tried: str) -> str:
    """MAKE for those members alone who are in a part named `tried` of the same statement."""
    return MAKE.replace("ORDER BY member", f"JOIN {tried} ON {tried}.id = member.caregiver_id\nORDER BY member")


BOOK = f"WITH held AS ({MAKE}), marked AS ({taking('held')}) SELECT caregiver_id FROM held"
BOOK_IF_FREE = f"""WITH tried AS MATERIALIZED ({TRIED}), held AS ({of_those("tried")}), marked AS ({taking("held")})
SELECT caregiver_id FROM held"""

UNDO = f"""WITH undone AS (
  DELETE FROM booking WHERE id = ANY($1) RETURNING caregiver_id, during, starts_at, minutes
)
{freeing("undone")}"""

FREE = f"""WITH theirs AS (
  SELECT c.id FROM caregiver c WHERE c.id IN (
    SELECT caregiver_id FROM booking WHERE order_id = $1 AND status <> 'released')
  ORDER BY c.id FOR NO KEY UPDATE
), freed AS (
  UPDATE booking b SET status = 'released' FROM theirs
  WHERE b.caregiver_id = theirs.id AND b.order_id = $1 AND b.status <> 'released'
  RETURNING b.caregiver_id, b.during, b.starts_at, b.minutes
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

LOCK_CAREGIVERS = """SELECT id FROM caregiver WHERE id = ANY($2) OR id IN (
  SELECT caregiver_id FROM booking WHERE order_id = ANY($1) AND status <> 'released')
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


async def book(tx: Tx, time: Time, status: str, at: datetime, *, waiting: bool = True) -> bool:
    """Book all of a team, `held` or `booked`, or nobody; False when somebody's time is taken.

    Not `waiting`, also when somebody is in others' hands just now.
    """
    values = time.values(status, at)
    made = await tx.fetch(BOOK if waiting else BOOK_IF_FREE, *values)
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


async def lock_caregivers(tx: Tx, order_ids: Sequence[UUID], caregiver_ids: Collection[UUID] = ()) -> None:
    """Lock the caregivers that orders have now and those they may have."""
    await tx.fetch(LOCK_CAREGIVERS, list(order_ids), list(caregiver_ids))


async def blocking(tx: Tx, caregiver_id: UUID, from_at: datetime, to_at: datetime) -> Any:
    """The booking that is in the way, if there is one."""
    return await tx.fetchrow(BLOCKING, caregiver_id, from_at, to_at)
