"""Who could come for an order now, and why, for a person who chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.catalog import service as catalog
from app.core import clock
from app.core.db import Database, Tx
from app.core.geo import offset_m
from app.core.http import Caller
from app.core.ids import new_id
from app.dispatch import queries
from app.elders import service as elders
from app.matching import finalists, relaxing, search
from app.matching.maps import Origin, RoadTimes
from app.matching.search import Found
from app.orders import service as orders
from app.orders.lifecycle import Urgency
from app.orders.queries import OrderRow, supposed

GRAIN_M = 100


@dataclass(frozen=True, slots=True)
class Candidates:
    """`view` is what `CandidatesView` says; `origins` are where the first of them come from."""

    view: dict[str, Any]
    order: OrderRow
    origins: Sequence[Origin]

    def around(self) -> dict[UUID, tuple[int, int]]:
        """Where each comes from, in metres east and north of the elder's home, too coarse to find a door by."""
        lng, lat = self.order.lng, self.order.lat
        if lng is None or lat is None:
            return {}
        away = {one.caregiver_id: offset_m((lng, lat), one.place) for one in self.origins}
        return {who: (round(x / GRAIN_M) * GRAIN_M, round(y / GRAIN_M) * GRAIN_M) for who, (x, y) in away.items()}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody would like, before it is an order. Without `begin` as soon as possible."""

    elder_id: UUID
    item_code: str
    begin: datetime | None = None
    end: datetime | None = None
    minutes: int | None = None
    urgency: Urgency = Urgency.NORMAL


async def of_order(database: Database, road_times: RoadTimes, caller: Caller, order_id: UUID) -> Candidates:
    """In a transaction of its own. Raises NotFound for an order that is not there, or not there for this caller."""
    async with database.transaction() as tx:
        order = await orders.get(tx, order_id)
        scope.see(caller, order.division_code)
        excluded = [row["provider_id"] for row in await queries.past_offers(tx, order_id)]
        looked = await _look(tx, order, excluded)
    return await _told(road_times, order, *looked)


async def of_wish(database: Database, road_times: RoadTimes, caller: Caller, wish: Wish) -> Candidates:
    """Who could come if it were ordered now. In a transaction of its own. Raises NotFound as `of_order`."""
    async with database.transaction() as tx:
        elder = await elders.elder(tx, wish.elder_id)
        scope.see(caller, elder.division_code)
        item = await catalog.item(tx, wish.item_code)
        now = clock.now()
        order = supposed(
            now, id=new_id(), item_code=item.code, elder_id=elder.id, division_code=elder.division_code,
            urgency=wish.urgency, wanted_from=wish.begin or now, wanted_to=wish.end,
            minutes=wish.minutes or item.standard_minutes, lng=elder.lng, lat=elder.lat,
        )  # fmt: skip
        looked = await _look(tx, order, [])
    return await _told(road_times, order, *looked)


async def _look(tx: Tx, order: OrderRow, excluded: list[UUID]) -> tuple[Found, Any, list[Origin]]:
    found = await search.find(tx, order, excluded)
    relaxed = await relaxing.relaxations(tx, order, excluded) if not found.ranked else []
    return found, relaxed, await finalists.origins(tx, found.ranked)


async def _told(
    road_times: RoadTimes, order: OrderRow, found: Found, relaxed: Any, origins: list[Origin]
) -> Candidates:
    """The connection is back by now: the map may be slow, and nobody else waits for it."""
    view = {
        "starts_at": found.starts_at,
        "candidates": await finalists.explained(road_times, order, found, origins),
        "funnel": found.funnel,
        "relaxations": relaxed,
    }
    return Candidates(view, order, origins)
