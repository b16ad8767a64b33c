"""Looking at orders: boards, snapshots, timelines. Nothing here locks or writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.orders.lifecycle import TERMINAL
from app.orders.queries import COLUMNS

OPEN, OVER = "status NOT IN ('closed','cancelled')", "status IN ('closed','cancelled')"
"""In the words of `ix_care_order_open` and `ix_care_order_over`, each of which holds one part by division."""

TIMELINE = """SELECT seq, before, after, actor, reason, facts, at FROM order_history WHERE order_id = $1 ORDER BY seq"""

SNAPSHOT = f"""SELECT {COLUMNS}, i.name AS item_name, e.name AS elder_name, e.sex AS elder_sex,
  p.name AS provider_name, c.name AS caregiver_name, s.name AS second_name, d.names, d.dues, d.mets
FROM care_order o
JOIN service_item i ON i.code = o.item_code
JOIN elder e ON e.id = o.elder_id
LEFT JOIN provider p ON p.id = o.provider_id
LEFT JOIN caregiver c ON c.id = o.caregiver_id
LEFT JOIN caregiver s ON s.id = o.second_caregiver_id
LEFT JOIN LATERAL (
  SELECT array_agg(name) AS names, array_agg(due_at) AS dues, array_agg(met_at) AS mets
  FROM (SELECT name, due_at, met_at FROM order_deadline WHERE order_id = o.id ORDER BY due_at) AS clock
) d ON true
WHERE o.id = ANY($1)"""

OF_ELDERS = f"""SELECT e.id AS elder_id, o.id, o.is_over FROM unnest($1::uuid[]) AS e (id) CROSS JOIN LATERAL (
  (SELECT id, 0 AS is_over FROM care_order WHERE elder_id = e.id AND {OPEN} ORDER BY id DESC LIMIT 20)
  UNION ALL
  (SELECT id, 1 FROM care_order WHERE elder_id = e.id AND {OVER} ORDER BY id DESC LIMIT $2)
) AS o ORDER BY o.id DESC"""


VERSIONS = "SELECT id, version FROM care_order WHERE id = ANY($1)"


async def versions(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    return {row["id"]: row["version"] for row in await tx.fetch(VERSIONS, list(order_ids))}


async def timeline(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(TIMELINE, order_id)


async def snapshots(tx: Tx, order_ids: Sequence[UUID]) -> list[Any]:
    return await tx.fetch(SNAPSHOT, list(order_ids))


async def of_elder(tx: Tx, elder_id: UUID, statuses: Sequence[str]) -> list[UUID]:
    """Ids of an elder's orders in one of these statuses, in one order for everybody who locks them."""
    sql = f"SELECT id FROM care_order WHERE elder_id = $1 AND status = ANY($2){_open(statuses)} ORDER BY id"
    return [row["id"] for row in await tx.fetch(sql, elder_id, list(statuses))]


async def of_elders(
    tx: Tx, elder_ids: Sequence[UUID], last: int
) -> tuple[dict[UUID, list[UUID]], dict[UUID, list[UUID]]]:
    """By elder: ids of the open orders, and of the `last` ones that are over; both newest first."""
    found: tuple[dict[UUID, list[UUID]], dict[UUID, list[UUID]]] = ({}, {})
    for row in await tx.fetch(OF_ELDERS, list(elder_ids), last):
        found[row["is_over"]].setdefault(row["elder_id"], []).append(row["id"])
    return found


async def of_provider(tx: Tx, provider_id: UUID, statuses: Sequence[str]) -> list[UUID]:
    """Ids of a provider's orders in one of these statuses, in one order for everybody who locks them."""
    sql = f"SELECT id FROM care_order WHERE provider_id = $1 AND status = ANY($2){_open(statuses)} ORDER BY id"
    return [row["id"] for row in await tx.fetch(sql, provider_id, list(statuses))]


def _open(statuses: Sequence[str]) -> str:
    """Says in the words of `ix_care_order_open` that only open orders are meant: they are few, the past is not."""
    return f" AND {OPEN}" if TERMINAL.isdisjoint(statuses) else ""


async def find(
    tx: Tx,
    *,
    ranges: Iterable[tuple[str, str]] | None,
    provider_id: UUID | None,
    elder_ids: Sequence[UUID] | None,
    statuses: Sequence[str] | None,
    updated_since: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[UUID]:
    """Ids of orders, newest first, within division `ranges` (None = everywhere)."""
    where, args = ["true"], []  # type: tuple[list[str], list[Any]]

    def add(condition: str, *values: Any) -> None:
        numbers = [f"${len(args) + i}" for i in range(1, len(values) + 1)]
        where.append(condition.format(*numbers))
        args.extend(values)

    if ranges is not None:
        parts = []
        for low, high in ranges:
            args.extend((low, high))
            parts.append(f"(division_code >= ${len(args) - 1} AND division_code < ${len(args)})")
        where.append(f"({' OR '.join(parts) or 'false'})")
        where.append(f"({OPEN} OR {OVER})")  # true, and says that both indexes together hold all
    if provider_id is not None:
        add("provider_id = {}", provider_id)
    if elder_ids is not None:
        add("elder_id = ANY({})", list(elder_ids))
    if statuses:
        add("status = ANY({})" + _open(statuses), list(statuses))
    if updated_since is not None:
        add("updated_at >= {}", updated_since)
    if before is not None:
        add("id < {}", before)
    args.append(limit)
    sql = f"SELECT id FROM care_order WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ${len(args)}"
    return [row["id"] for row in await tx.search(sql, *args)]
