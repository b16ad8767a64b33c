"""A meal half an hour to an hour after the insulin: when a visit may begin as the other one is booked.

The day's round plans both together; this is for whoever is sent out alone, after a refusal say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.core.db import Tx
from app.matching import queries_bookings
from app.orders import queries_recurring as recurring
from app.orders.recurring import distance

Between = tuple[datetime, datetime]


async def between(tx: Tx, order_ids: Sequence[UUID], beside: Collection[UUID] = ()) -> dict[UUID, Between]:
    """The earliest and the latest begin, by order, of those that follow a booked visit of their plan or are followed by
    one; visits of `beside` are planned together with them and leave them free.
    """
    rows = [row for row in await recurring.others_of_the_day(tx, order_ids) if row["other_id"] not in beside]
    begins = await queries_bookings.begins(tx, [row["other_id"] for row in rows])
    found: dict[UUID, Between] = {}
    for row in rows:
        apart = distance(recurring.slots_of(row["slots"]), row["slot"], row["other_slot"])
        if apart is None or (begin := begins.get(row["other_id"])) is None:
            continue
        first, last = (begin + timedelta(minutes=minutes) for minutes in apart)
        if (known := found.get(row["order_id"])) is not None:
            first, last = max(first, known[0]), min(last, known[1])
        found[row["order_id"]] = first, last
    return found
