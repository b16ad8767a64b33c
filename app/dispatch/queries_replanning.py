"""The SQL of a day planned anew: offers made and moved, one statement for all orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

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
