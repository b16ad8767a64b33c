"""The board: every open order as one line, compact enough for thousands, and the same line whenever it changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.text import masked_name
from app.orders import queries_board
from app.orders.queries_board import SORTS, Wanted

FIELDS = (
    "id", "number", "status", "urgency", "delivery", "division", "item", "elder", "from", "to", "provider_id",
    "provider", "caregivers", "flags", "version", "due", "due_at", "dispatched_at",
)  # fmt: skip
"""What a line holds, in this order. Times are seconds since 1970, names of elders are masked; an order that is over
has a line, too, so that boards can drop it."""
MOST = 20_000
"""Lines of one board."""

Line = list[Any]


async def lines(
    tx: Tx, ranges: Iterable[tuple[str, str]], wanted: Wanted, *, limit: int = MOST, offset: int = 0
) -> list[Line]:
    """Open orders within division ranges, sorted as wanted."""
    return [line(row) for row in await queries_board.find(tx, ranges, wanted, limit, offset)]


async def lines_of(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, Line]:
    """These orders as they are now, open or not, by id."""
    return {row["id"]: line(row) for row in await queries_board.of_ids(tx, order_ids)} if order_ids else {}


def line(row: Any) -> Line:
    return [
        str(row["id"]), row["number"], row["status"], row["urgency"], row["delivery"], row["division_code"],
        row["item_name"], masked_name(row["elder_name"]), _seconds(row["wanted_from"]), _seconds(row["wanted_to"]),
        str(row["provider_id"]) if row["provider_id"] is not None else None, row["provider_name"],
        [name for name in (row["caregiver_name"], row["second_name"]) if name is not None], row["flags"],
        row["version"], row["due_name"], _seconds(row["due_at"]), _seconds(row["dispatched_at"]),
    ]  # fmt: skip


def _seconds(at: datetime | None) -> int | None:
    return int(at.timestamp()) if at is not None else None


__all__ = ["FIELDS", "SORTS", "Wanted", "line", "lines", "lines_of"]
