"""The SQL of a whole day booked anew: every statement for all orders at once.

The caregivers' days are not marked booking by booking here, since one statement touches a day many times; whoever
calls makes them anew from the bookings afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.ids import new_id

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

OFFER_ALL = """WITH new AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[],
    $8::timestamptz[]) AS new (id, decision_id, order_id, provider_id, lead, second, starts_at, deadline_at)
), made AS (
  INSERT INTO offer (id, order_id, provider_id, caregiver_id, second_caregiver_id, decision_id, mode, attempt, status,
    service_day, starts_at, made_at, deadline_at, delivery)
  SELECT new.id, new.order_id, new.provider_id, new.lead, new.second, new.decision_id, $9, 1 + coalesce((
    SELECT max(f.attempt) FROM offer f WHERE f.order_id = new.order_id), 0), 'offered', $10, new.starts_at, $11,
    new.deadline_at, 'queued' FROM new
)
INSERT INTO decision (id, order_id, mode, made_by, reason, starts_at, excluded, funnel, ranked, chosen_caregiver_id,
  chosen_second_id, chosen_provider_id, made_at)
SELECT new.decision_id, new.order_id, $9, $12, $13, new.starts_at, '{}', '[]', '[]', new.lead, new.second,
  new.provider_id, $11 FROM new"""

MOVE_ACCEPTED = """UPDATE offer f SET starts_at = new.starts_at, service_day = $5, caregiver_id = new.lead,
  second_caregiver_id = new.second
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) AS new (order_id, lead, second, starts_at)
WHERE f.order_id = new.order_id AND f.status = 'accepted'"""


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


@dataclass(frozen=True, slots=True)
class DayOffer:
    """One offer of a published plan."""

    id: UUID
    decision_id: UUID
    order_id: UUID
    provider_id: UUID
    lead: UUID
    second: UUID | None
    starts_at: datetime
    deadline_at: datetime


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


async def offer_all(
    tx: Tx, new: Sequence[DayOffer], mode: str, day: date, at: datetime, actor: str, reason: str
) -> None:
    """Make the offers and keep a decision for each."""
    await tx.run(
        OFFER_ALL, [o.id for o in new], [o.decision_id for o in new], [o.order_id for o in new],
        [o.provider_id for o in new], [o.lead for o in new], [o.second for o in new], [o.starts_at for o in new],
        [o.deadline_at for o in new], mode, day, at, actor, reason,
    )  # fmt: skip


async def move_accepted(tx: Tx, new: Sequence[tuple[UUID, UUID, UUID | None, datetime]], day: date) -> None:
    """Accepted offers say who comes when from now on: order, lead, second, begin."""
    columns: list[list[Any]] = [list(column) for column in zip(*new, strict=True)]
    await tx.run(MOVE_ACCEPTED, *columns, day)
