"""The first of a ranking with a map's minutes in place of the estimate, for a person who chooses.

Only for show and for choosing by hand: what the machine decides by itself it decides inside a transaction, where no
map is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.matching import kept
from app.matching import queries_maps as queries
from app.matching.maps import Origin, RoadTimes
from app.matching.rules import Ranked, rank
from app.matching.search import Found
from app.orders.queries import OrderRow
from app.routing.travel import hour_band

MOST = 10


async def origins(tx: Tx, ranked: Sequence[Ranked]) -> list[Origin]:
    """Where the finalists come from; read while there is a transaction, asked about when there is none any more."""
    rows = await queries.homes(tx, [one.candidate.caregiver_id for one in ranked[:MOST]])
    return [Origin(row["id"], (row["home_lng"], row["home_lat"]), row["travel_mode"]) for row in rows]


async def explained(
    road_times: RoadTimes, order: OrderRow, found: Found, places: Sequence[Origin]
) -> list[dict[str, Any]]:
    """The finalists as a decision would keep them, ranked anew by what the map says, and where each time is from."""
    minutes: Mapping[UUID, int] = {}
    if places and order.lng is not None and order.lat is not None:
        local = found.starts_at.astimezone(clock.SHANGHAI)
        band = hour_band(local.hour * 60 + local.minute)
        minutes = await road_times.minutes(places, (order.lng, order.lat), band)
    return [
        {**shown, "travel_source": "map" if UUID(shown["caregiver_id"]) in minutes else "estimate"}
        for shown in kept.explained(_again(found.ranked[:MOST], minutes, found.seed or str(order.id)), MOST)
    ]


def _again(ranked: Sequence[Ranked], minutes: Mapping[UUID, int], seed: str) -> list[Ranked]:
    if not ranked or not minutes:
        return list(ranked)
    candidates = [one.candidate for one in ranked]
    told = [replace(one, travel_minutes=minutes.get(one.caregiver_id, one.travel_minutes)) for one in candidates]
    return rank(told, ranked[0].weights, seed)
