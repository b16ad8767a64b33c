"""The event feed: append in the writer's transaction, read behind the fence.

The fence is `pg_snapshot_xmin`: every transaction below it has ended, so nothing can still appear behind a
cursor that never passes it. The price is that one long transaction holds all readers back, which is why the
server ends idle transactions after 15 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.json import dumps

APPEND = """INSERT INTO feed_entry (audience, type, order_id, offer_id, seq, facts, occurred_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""

READ = """SELECT id, txid::text::bigint AS txid, type, order_id, offer_id, seq, facts, occurred_at
FROM feed_entry
WHERE audience = $1 AND (txid, id) > ($2::bigint::text::xid8, $3) AND txid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY feed_entry.txid, feed_entry.id LIMIT $4"""

FRESH = """SELECT DISTINCT audience FROM feed_entry
WHERE txid >= $1::bigint::text::xid8 AND txid < pg_snapshot_xmin(pg_current_snapshot())"""

FENCE = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a reader stands: everything up to and including this has been seen."""

    txid: int = 0
    id: int = 0


async def append(
    tx: Tx,
    audience: str,
    type: str,
    *,
    order_id: UUID | None = None,
    offer_id: UUID | None = None,
    seq: int = 0,
    facts: dict[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> None:
    """Add one entry; it becomes readable after commit, once every older transaction has ended."""
    text = dumps(facts) if facts is not None else None
    tx.later("feed_entry", APPEND, audience, type, order_id, offer_id, seq, text, occurred_at or clock.now())


async def read(tx: Tx, audience: str, after: Position, limit: int) -> list[Any]:
    """Up to `limit` entries after `after`, in an order that never changes."""
    return await tx.fetch(READ, audience, after.txid, after.id, limit)


async def fence(tx: Tx) -> int:
    """The transaction id below which nothing new can appear."""
    return int(await tx.fetchval(FENCE))


async def fresh_audiences(tx: Tx, since: int) -> set[str]:
    """Audiences with entries between the old fence `since` and the present one.

    For the next call take the new fence before this one: it may hear of an entry twice, never of none.
    """
    return {row["audience"] for row in await tx.fetch(FRESH, since)}


async def forget_before(tx: Tx, before: datetime) -> int:
    """Drop entries older than the promised 90 days."""
    return await tx.run("DELETE FROM feed_entry WHERE occurred_at < $1", before)
