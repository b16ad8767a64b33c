"""The way to a visit, for whoever estimates the next one: from where the caregiver left to where she was."""

from __future__ import annotations

from app.core.db import Tx
from app.core.geo import distance_m
from app.matching import travel_log
from app.orders.queries import OrderRow
from app.visits.journal import Entry, Journal, Kind, Method

TELLING = frozenset({Kind.DEPARTED, Kind.ARRIVED, Kind.CHECKED_IN})
"""Events that can change what is known of the way."""

COARSE_M = 200.0
"""A fix worse than this says nothing about a way through a town."""


async def log(tx: Tx, order: OrderRow, journal: Journal) -> None:
    """Hand the measured way down, if this journal measures one; told again, it is the same way.

    Only what the device itself measured, then and there, counts: nothing typed in, nothing that came hours late.
    """
    left, there = journal.departed, journal.arrived or journal.begin
    if left is None or there is None or order.caregiver_id is None or not (_measured(left) and _measured(there)):
        return
    if left.lng is None or left.lat is None or there.lng is None or there.lat is None:
        return
    metres = distance_m(left.lng, left.lat, there.lng, there.lat)
    minutes = (there.occurred_at - left.occurred_at).total_seconds() / 60
    await travel_log.record(tx, order.id, order.caregiver_id, metres, minutes, left.occurred_at)


def _measured(entry: Entry) -> bool:
    precise = entry.accuracy_m is None or entry.accuracy_m <= COARSE_M
    return entry.method is not Method.MANUAL and not entry.back_filled and precise
