"""SQL for the caregiver's own phone: which visits are hers, and what proves that she was there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

EVER_HERS = """SELECT EXISTS (
    SELECT FROM care_order WHERE id = $1 AND (caregiver_id = $2 OR second_caregiver_id = $2))
OR EXISTS (SELECT FROM booking WHERE order_id = $1 AND caregiver_id = $2)
OR EXISTS (SELECT FROM visit_event WHERE order_id = $1 AND caregiver_id = $2)
OR EXISTS (SELECT FROM order_history WHERE order_id = $1 AND facts ->> 'caregiver_id' = $2::text)"""

# Bookings say when she is expected; visits already begun stay in sight when their booking is over, and those of the
# evening before until somebody has checked out.
HERS = """WITH mine AS (
  SELECT order_id, min(starts_at) AS starts_at FROM (
    SELECT order_id, starts_at FROM booking
    WHERE caregiver_id = $1 AND status = 'booked' AND during && tstzrange($2, $3) AND starts_at < $3
    UNION ALL
    SELECT order_id, NULL FROM visit WHERE caregiver_id = $1 AND began_at >= $2 AND began_at < $3
  ) AS either GROUP BY order_id
)
SELECT o.id, coalesce(mine.starts_at, o.wanted_from) AS starts_at, o.caregiver_id = $1 AS lead,
  i.description, i.min_minutes
FROM mine JOIN care_order o ON o.id = mine.order_id JOIN service_item i ON i.code = o.item_code
WHERE (o.caregiver_id = $1 OR o.second_caregiver_id = $1)
  AND o.status IN ('assigned', 'in_service', 'completed', 'closed')
  AND (o.status = 'in_service' OR coalesce(mine.starts_at, o.wanted_from) >= $4)
ORDER BY 2, o.id"""

SHOWN = """SELECT order_id, coalesce(sum(cardinality(evidence)) FILTER (WHERE reason_code = 'photo'), 0) AS photos,
  bool_or(reason_code = 'signature' AND cardinality(evidence) > 0) AS signature,
  bool_or(reason_code = 'signature_skipped') AS skipped
FROM visit_event WHERE caregiver_id = $1 AND order_id = ANY($2::uuid[]) AND type = 'evidence_added'
  AND reason_code IN ('photo', 'signature', 'signature_skipped')
GROUP BY order_id"""
LAST_SEQ = "SELECT max(device_seq) FROM visit_event WHERE caregiver_id = $1 AND occurred_at >= $2"
CALLED = """SELECT EXISTS (
    SELECT FROM call WHERE caller_index = ANY($1::bytea[]) AND first_at BETWEEN $2 AND $3)"""


async def ever_hers(tx: Tx, order_id: UUID, caregiver_id: UUID) -> bool:
    """Has this caregiver had this order in hand at some time?"""
    return bool(await tx.fetchval(EVER_HERS, order_id, caregiver_id))


async def hers(tx: Tx, caregiver_id: UUID, begin: datetime, end: datetime, open_since: datetime) -> list[Any]:
    """Orders she is to visit, or has visited, within [begin, end), and those since `open_since` that are under way:
    id, starts_at, lead, description, min_minutes."""
    return await tx.fetch(HERS, caregiver_id, open_since, end, begin)


async def shown(tx: Tx, caregiver_id: UUID, order_ids: Sequence[UUID]) -> dict[UUID, tuple[int, bool, bool]]:
    """What she has shown of her visits, by order: photos, whether a signature, whether a reason for having none."""
    rows = await tx.fetch(SHOWN, caregiver_id, list(order_ids))
    return {row["order_id"]: (int(row["photos"]), row["signature"], row["skipped"]) for row in rows}


async def last_seq(tx: Tx, caregiver_id: UUID, since: datetime) -> int:
    """The highest number any phone of hers has given to an event since then; 0 for none."""
    return int(await tx.fetchval(LAST_SEQ, caregiver_id, since) or 0)


async def called(tx: Tx, caller_indexes: Sequence[bytes], begin: datetime, end: datetime) -> bool:
    """Did a call from one of these numbers reach us between the two?"""
    return bool(await tx.fetchval(CALLED, list(caller_indexes), begin, end))
