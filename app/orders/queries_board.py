"""The board's SQL: open orders as one line each, thousands at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.orders.queries_reading import OPEN

# Who is asked is known of orders that were dispatched; when, only their history says.
LINE = """SELECT o.id, o.number, o.status, o.urgency, o.delivery, o.division_code, i.name AS item_name,
  e.name AS elder_name, o.wanted_from, o.wanted_to, o.provider_id, p.name AS provider_name, c.name AS caregiver_name,
  s.name AS second_name, o.flags, o.version, d.name AS due_name, d.due_at,
  CASE WHEN o.status = 'dispatched' THEN (SELECT max(h.at) FROM order_history h
    WHERE h.order_id = o.id AND h.after = 'dispatched' AND h.before IS DISTINCT FROM h.after) END AS dispatched_at
FROM care_order o
JOIN service_item i ON i.code = o.item_code
JOIN elder e ON e.id = o.elder_id
LEFT JOIN provider p ON p.id = o.provider_id
LEFT JOIN caregiver c ON c.id = o.caregiver_id
LEFT JOIN caregiver s ON s.id = o.second_caregiver_id
LEFT JOIN LATERAL (SELECT name, due_at FROM order_deadline WHERE order_id = o.id AND met_at IS NULL
  ORDER BY due_at LIMIT 1) d ON true"""

OF_IDS = f"{LINE} WHERE o.id = ANY($1)"

SORTS = {
    "due": "d.due_at NULLS LAST, o.id",
    "window": "o.wanted_from, o.id",
    "number": "o.number",
    "item": "i.name, d.due_at NULLS LAST, o.id",
    "provider": "p.name NULLS FIRST, d.due_at NULLS LAST, o.id",
    "status": "array_position(ARRAY['placed','dispatched','accepted','assigned','in_service','completed'], o.status),"
    " d.due_at NULLS LAST, o.id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines; nothing said means all."""

    statuses: Sequence[str] = ()
    urgency: str | None = None
    provider_id: UUID | None = None
    late_at: datetime | None = None
    text: str | None = None
    sort: str = "due"


async def of_ids(tx: Tx, order_ids: Sequence[UUID]) -> list[Any]:
    return await tx.fetch(OF_IDS, list(order_ids))


async def find(tx: Tx, ranges: Iterable[tuple[str, str]], wanted: Wanted, limit: int, offset: int = 0) -> list[Any]:
    """Lines of open orders within division ranges."""
    args: list[Any] = []

    def arg(value: Any) -> str:
        args.append(value)
        return f"${len(args)}"

    places = [f"(o.division_code >= {arg(low)} AND o.division_code < {arg(high)})" for low, high in ranges]
    where = [f"({' OR '.join(places) or 'false'})", f"o.{OPEN}"]
    if wanted.statuses:
        where.append(f"o.status = ANY({arg(list(wanted.statuses))})")
    if wanted.urgency is not None:
        where.append(f"o.urgency = {arg(wanted.urgency)}")
    if wanted.provider_id is not None:
        where.append(f"o.provider_id = {arg(wanted.provider_id)}")
    if wanted.late_at is not None:
        where.append(f"d.due_at < {arg(wanted.late_at)}")
    if wanted.text:
        like = arg(f"%{wanted.text.translate(_PLAIN)}%")
        where.append(f"concat_ws(' ', o.number, i.name, p.name, c.name, s.name) ILIKE {like}")
    sql = f"{LINE} WHERE {' AND '.join(where)} ORDER BY {SORTS[wanted.sort]} LIMIT {arg(limit)} OFFSET {arg(offset)}"
    return await tx.search(sql, *args)


_PLAIN = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})
