"""SQL for what a caregiver's own work came to."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from app.core.db import Tx

# Prices are the city's and the families'; what of them has been settled stands in lines of statements once issued.
MONTHS = """SELECT to_char(v.service_day, 'YYYY-MM') AS period,
  count(*) AS visits, coalesce(sum(v.minutes), 0) AS minutes,
  count(*) FILTER (WHERE v.verification = 'verified') AS verified,
  count(*) FILTER (WHERE v.verification = 'review') AS in_review,
  coalesce(sum(o.price_fen), 0)::bigint AS price_fen,
  coalesce(sum(l.payable_fen), 0)::bigint AS settled_fen,
  count(l.payable_fen) AS settled,
  array_agg(o.rating ORDER BY v.service_day DESC) FILTER (WHERE o.rating IS NOT NULL) AS ratings
FROM visit v JOIN care_order o ON o.id = v.order_id
LEFT JOIN LATERAL (
  SELECT line.payable_fen FROM statement_line line JOIN statement s ON s.id = line.statement_id
  WHERE line.order_id = v.order_id AND line.kind = 'service' AND NOT line.void
    AND s.status NOT IN ('draft', 'void')
) l ON true
WHERE v.caregiver_id = $1 AND v.status = 'ended' AND v.service_day >= $2 AND v.began_at >= $2::date - 1
GROUP BY 1 ORDER BY 1 DESC"""


async def months(tx: Tx, caregiver_id: UUID, since: date) -> list[Any]:
    """Her finished visits by month, newest first."""
    return await tx.fetch(MONTHS, caregiver_id, since)
