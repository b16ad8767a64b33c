"""The SQL of offers: one statement holds and offers, one offers to several, one takes, one closes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps
from app.dispatch.teams import Team
from app.matching.queries_availability import freeing, taking
from app.matching.queries_bookings import MAKE, TRIED, Time, of_those, undo
from app.orders.queries import COLUMNS as ORDER_COLUMNS
from app.orders.queries import OrderRow
from app.orders.queries import row as order_row


def _and_offer(held: str, sure: str) -> str:
    """Hold by a part `held`, and offer and decide if everybody is held. $1 to $10 are those of MAKE.

    `sure` is SQL that tells whether everybody could be tried.
    """
    return f"""WITH {held}, marked AS (
  {taking("held")}
), made AS (
  INSERT INTO offer (id, order_id, provider_id, caregiver_id, second_caregiver_id, decision_id, mode, attempt, status,
    service_day, starts_at, made_at, deadline_at, delivery)
  SELECT $11, $5, $12, $13, $14, $15, $16, $17, 'offered', $18, $8, $10, $19, 'queued'
  WHERE (SELECT count(*) FROM held) = cardinality($1) RETURNING id
), decided AS (
  INSERT INTO decision (id, order_id, mode, mode_version, made_by, reason, weights_version, starts_at, excluded,
    funnel, ranked, chosen_caregiver_id, chosen_second_id, chosen_provider_id, made_at)
  SELECT $15, $5, $16, $20, $21, $22, $23, $8, $24, $25, $26, $13, $14, $12, $10 FROM made
)
SELECT (SELECT count(*) FROM held) AS held, EXISTS (SELECT FROM made) AS made,
  {sure} AS sure"""


HOLD_AND_OFFER = _and_offer(f"held AS ({MAKE})", "true")
TRY_AND_OFFER = _and_offer(
    f"tried AS MATERIALIZED ({TRIED}), held AS ({of_those('tried')})",
    "(SELECT count(*) FROM tried) = cardinality($1)",
)

OFFER_TO_SEVERAL = """WITH made AS (
  INSERT INTO offer (id, order_id, provider_id, caregiver_id, second_caregiver_id, decision_id, mode, attempt, status,
    service_day, starts_at, made_at, deadline_at, delivery)
  SELECT asked.id, $5, asked.provider_id, asked.lead, asked.second, $6, $7, $8, 'offered', $9, $10, $11, $12, 'queued'
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) AS asked (id, provider_id, lead, second)
)
INSERT INTO decision (id, order_id, mode, mode_version, made_by, reason, weights_version, starts_at, excluded, funnel,
  ranked, made_at)
VALUES ($6, $5, $7, $13, $14, $15, $16, $10, $17, $18, $19, $11)"""

OFFER = """SELECT id, order_id, provider_id, caregiver_id, second_caregiver_id, decision_id, mode, attempt, status,
  service_day, starts_at, made_at, deadline_at, closed_at, reason_code, delivery, sent_at, fetched_at
FROM offer WHERE id = $1"""
OFFER_NAMES = (
    "id", "order_id", "provider_id", "caregiver_id", "second_caregiver_id", "mode", "status", "starts_at",
    "deadline_at", "reason_code",
)  # fmt: skip
LOCKED_OFFER = f"""SELECT {ORDER_COLUMNS}, {", ".join(f"f.{name} AS f_{name}" for name in OFFER_NAMES)}
FROM offer f JOIN care_order o ON o.id = f.order_id WHERE f.id = $1 FOR NO KEY UPDATE OF o, f"""
LIVE = OFFER.replace("WHERE id = $1", "WHERE order_id = $1 AND status IN ('offered', 'accepted')")
OPEN_OFFER = LIVE + " ORDER BY status, made_at DESC LIMIT 1"
LIVE_OFFERS = LIVE + " ORDER BY id"
OF_ORDER = OFFER.replace("WHERE id = $1", "WHERE order_id = $1 ORDER BY made_at, id")
PAST_OFFERS = "SELECT provider_id, status, mode, attempt FROM offer WHERE order_id = $1"

# A deed of the provider's shows that it has the offer, whatever its reader has confirmed.
TAKE_OFFER = f"""WITH taken AS (
  UPDATE offer SET status = 'accepted', closed_at = $2, delivery = 'fetched', fetched_at = coalesce(fetched_at, $2),
    caregiver_id = coalesce($5, caregiver_id),
    second_caregiver_id = CASE WHEN $5::uuid IS NULL THEN second_caregiver_id ELSE $6 END
  WHERE id = $1 AND status = 'offered' RETURNING order_id
), kept AS (
  UPDATE booking b SET status = CASE
    WHEN b.role = 'lead' AND b.caregiver_id = $3 THEN 'booked'
    WHEN b.role = 'second' AND b.caregiver_id = $4 THEN 'booked'
    ELSE 'released' END
  FROM taken WHERE b.order_id = taken.order_id AND b.status = 'held' AND $3::uuid IS NOT NULL
  RETURNING b.caregiver_id, b.status, b.during, b.starts_at, b.minutes
), gone AS (
  SELECT * FROM kept WHERE status = 'released'
), marked AS (
  {freeing("gone")}
)
SELECT EXISTS (SELECT FROM taken) AS taken, ARRAY(SELECT caregiver_id FROM kept WHERE status = 'booked') AS booked"""

TAKE_FROM_OTHERS = """UPDATE offer SET status = 'withdrawn', closed_at = $3, reason_code = $4,
  delivery = CASE delivery WHEN 'fetched' THEN delivery ELSE 'expired' END
WHERE order_id = $1 AND id <> $2 AND status = 'offered' RETURNING id, order_id, provider_id"""

CLOSE_OFFER = f"""WITH closed AS (
  UPDATE offer SET status = $2, closed_at = $3, reason_code = $4, note = $5,
    delivery = CASE WHEN $2 = 'refused' OR delivery = 'fetched' THEN 'fetched' ELSE 'expired' END,
    fetched_at = CASE WHEN $2 = 'refused' THEN coalesce(fetched_at, $3) ELSE fetched_at END
  WHERE id = $1 AND status = ANY($6::text[]) RETURNING order_id
), theirs AS (
  SELECT c.id FROM caregiver c WHERE c.id IN (
    SELECT b.caregiver_id FROM booking b JOIN closed ON b.order_id = closed.order_id WHERE b.status <> 'released')
  ORDER BY c.id FOR NO KEY UPDATE
), freed AS (
  UPDATE booking b SET status = 'released' FROM closed, theirs
  WHERE b.order_id = closed.order_id AND b.caregiver_id = theirs.id AND b.status <> 'released'
  RETURNING b.caregiver_id, b.during, b.starts_at, b.minutes
), marked AS (
  {freeing("freed")}
)
SELECT count(*) FROM closed"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOffer:
    """One offer to be made: who is asked, and whom it may send."""

    id: UUID
    provider_id: UUID
    lead: UUID
    second: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What the offers of one decision have in common, and the decision itself."""

    decision_id: UUID
    order_id: UUID
    mode: str
    mode_version: int | None
    attempt: int
    service_day: date
    starts_at: datetime
    deadline_at: datetime
    actor: str
    reason: str | None
    weights_version: int | None
    excluded: list[UUID]
    funnel: Any
    ranked: Any


async def hold_and_offer(tx: Tx, time: Time, new: NewOffer, r: Round, at: datetime, *, waiting: bool) -> bool | None:
    """Hold the whole team, make the offer and keep the decision, or nothing; False when somebody's time is taken.

    Not `waiting`, None says that somebody is in others' hands just now, so that nobody knows.
    """
    values = time.values("held", at)
    row = await tx.fetchrow(
        HOLD_AND_OFFER if waiting else TRY_AND_OFFER,
        *values, new.id, new.provider_id, new.lead, new.second, r.decision_id, r.mode, r.attempt,
        r.service_day, r.deadline_at, r.mode_version, r.actor, r.reason, r.weights_version, r.excluded,
        dumps(r.funnel), dumps(r.ranked),
    )  # fmt: skip
    assert row is not None  # noqa: S101 (it counts)
    if not row["made"] and row["held"]:
        await undo(tx, values[0])
    return bool(row["made"]) if row["sure"] else None


async def offer_to_several(tx: Tx, offers: Sequence[NewOffer], r: Round, at: datetime) -> None:
    """Make every offer and keep the decision; nobody's time is held."""
    await tx.run(
        OFFER_TO_SEVERAL, [o.id for o in offers], [o.provider_id for o in offers], [o.lead for o in offers],
        [o.second for o in offers], r.order_id, r.decision_id, r.mode, r.attempt, r.service_day, r.starts_at, at,
        r.deadline_at, r.mode_version, r.actor, r.reason, r.weights_version, r.excluded, dumps(r.funnel),
        dumps(r.ranked),
    )  # fmt: skip


async def locked_offer(tx: Tx, offer_id: UUID) -> tuple[OrderRow, dict[str, Any]] | None:
    """The offer's order and the offer, both locked, the order first as everywhere."""
    found = await tx.fetchrow(LOCKED_OFFER, offer_id)
    if found is None:
        return None
    return order_row(found), {name: found[f"f_{name}"] for name in OFFER_NAMES}


async def offer(tx: Tx, offer_id: UUID) -> Any:
    return await tx.fetchrow(OFFER, offer_id)


async def open_offer(tx: Tx, order_id: UUID) -> Any:
    """The accepted offer, or an open one."""
    return await tx.fetchrow(OPEN_OFFER, order_id)


async def live_offers(tx: Tx, order_id: UUID) -> list[Any]:
    """Offers that are open or accepted: several while an order is to be grabbed."""
    return await tx.fetch(LIVE_OFFERS, order_id)


async def offers_of(tx: Tx, order_id: UUID) -> list[Any]:
    """Every offer an order ever had, oldest first."""
    return await tx.fetch(OF_ORDER, order_id)


async def past_offers(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(PAST_OFFERS, order_id)


async def take_offer(
    tx: Tx, offer_id: UUID, at: datetime, team: Team | None, held: Team | None = None
) -> tuple[bool, Collection[UUID]]:
    """Accept: (was it still open, who of `team` was held already and is now booked).

    `held` are those who were held with the acceptance, and become what the offer suggests.
    """
    lead, second = (team.lead, team.second) if team else (None, None)
    row = await tx.fetchrow(
        TAKE_OFFER, offer_id, at, lead, second, held.lead if held else None, held.second if held else None
    )
    assert row is not None  # noqa: S101 (it always answers)
    return row["taken"], row["booked"]


async def take_from_others(tx: Tx, order_id: UUID, offer_id: UUID, at: datetime, reason: str) -> list[Any]:
    """Withdraw all open offers of an order but this one; returns them."""
    return await tx.fetch(TAKE_FROM_OTHERS, order_id, offer_id, at, reason)


async def close_offer(
    tx: Tx, offer_id: UUID, status: str, at: datetime, reason: str | None, note: str | None, before: list[str]
) -> bool:
    return bool(await tx.fetchval(CLOSE_OFFER, offer_id, status, at, reason, note, before))
