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
from app.matching.queries_availability import freeing, taking

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

BEGINS = """SELECT order_id, min(starts_at) AS begins FROM booking
WHERE order_id = ANY($1) AND status <> 'released' GROUP BY order_id"""

# A whole day booked anew, every statement for all orders at once. Days are not marked here, since one statement touches
# a day many times: whoever calls makes them anew afterwards (`availability.make_anew`).
FREE_ALL = """UPDATE booking SET status = 'released' WHERE order_id = ANY($1) AND status <> 'released'
RETURNING caregiver_id"""

# In the order of their caregivers' ids, as everywhere; what is taken is left out, and the caller counts.
BOOK_ALL = """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
SELECT new.id, new.caregiver_id, new.order_id, new.role, new.status, tstzrange(new.leaves_at, new.until_at),
  new.starts_at, new.minutes, $10
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
  $8::timestamptz[], $9::int[])
  AS new (id, caregiver_id, order_id, role, status, leaves_at, until_at, starts_at, minutes)
ORDER BY new.caregiver_id, new.leaves_at
ON CONFLICT DO NOTHING RETURNING id"""

HELD = "SELECT order_id, status FROM booking WHERE order_id = ANY($1) AND status <> 'released' AND role = 'lead'"


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


@dataclass(frozen=True, slots=True)
class NewBooking:
    """One caregiver's time for one order, the way included."""

    caregiver_id: UUID
    order_id: UUID
    role: str
    status: str
    leaves_at: datetime
    until_at: datetime
    starts_at: datetime
    minutes: int


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


async def statuses(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Of orders that hold somebody's time: whether it is held or booked."""
    return {row["order_id"]: row["status"] for row in await tx.fetch(HELD, list(order_ids))}


async def free_all(tx: Tx, order_ids: Sequence[UUID]) -> set[UUID]:
    """Release every booking of these orders; returns whose."""
    return {row["caregiver_id"] for row in await tx.fetch(FREE_ALL, list(order_ids))}


async def book_all(tx: Tx, new: Sequence[NewBooking], at: datetime) -> list[NewBooking]:
    """Book them; returns those whose time is taken."""
    ids = [new_id() for _ in new]
    made = await tx.fetch(
        BOOK_ALL, ids, [b.caregiver_id for b in new], [b.order_id for b in new], [b.role for b in new],
        [b.status for b in new], [b.leaves_at for b in new], [b.until_at for b in new], [b.starts_at for b in new],
        [b.minutes for b in new], at,
    )  # fmt: skip
    done = {row["id"] for row in made}
    return [one for name, one in zip(ids, new, strict=True) if name not in done]


async def begins(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each of these orders is booked to begin; those without anybody are left out."""
    return {row["order_id"]: row["begins"] for row in await tx.fetch(BEGINS, list(order_ids))}
