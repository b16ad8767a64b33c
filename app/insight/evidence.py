"""One order with everything that proves it: moves, clocks, the visit's events and distances, files, what the elder
said of it, and what was paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.core.db import Tx
from app.core.geo import distance_m
from app.core.http import Caller
from app.insight import queries_listing
from app.orders import queries as order_queries
from app.orders import queries_reading
from app.orders import views as orders
from app.orders.schemas import DeadlineView, OrderView
from app.visits import queries as visits
from app.visits import views as visit_views
from app.visits.schemas import VisitDetail


@dataclass(frozen=True, slots=True)
class Evidence:
    """`distances` are metres from the elder's registered door, by the id of the visit's event."""

    order: OrderView
    division: str
    timeline: list[Any]
    visit: VisitDetail | None
    distances: dict[str, int]
    files: list[Any]
    followup: Any | None
    ratings: list[Any]
    complaints: list[Any]
    line: Any | None


async def of_order(tx: Tx, caller: Caller, order_id: UUID, *, money: bool) -> Evidence:
    """The elder's name stays masked; the line is told to those who may see statements (`money`). Raises NotFound for
    an order that is not there, or not for this caller."""
    order = await orders.one(tx, order_id)
    scope.see(caller, order.division)
    row = await visits.shown(tx, order_id)
    visit = visit_views.detail(row, await visits.events(tx, order_id), tx.vault) if row is not None else None
    names = await queries_listing.division_names(tx, [order.division])
    if visit is not None and (there := visit.arrived_at or visit.begin.at):
        order.deadlines = [_at_the_door(one, there) for one in order.deadlines]
    return Evidence(
        order=order,
        division=names.get(order.division, order.division),
        timeline=await queries_reading.timeline(tx, order_id),
        visit=visit,
        distances=await _distances(tx, order_id),
        files=await queries_listing.files(tx, visit.evidence) if visit and visit.evidence else [],
        followup=await queries_listing.followup(tx, order_id),
        ratings=await queries_listing.ratings(tx, order_id),
        complaints=await queries_listing.complaints(tx, order_id),
        line=await queries_listing.line(tx, order_id) if money else None,
    )


def _at_the_door(clock: DeadlineView, there: datetime) -> DeadlineView:
    """Of the clock of the arrival: when somebody was there, however late that was told."""
    if clock.name != "arrive":
        return clock
    return clock.model_copy(update={"met_at": there, "late": there > clock.due_at})


async def _distances(tx: Tx, order_id: UUID) -> dict[str, int]:
    door = await order_queries.get(tx, order_id)
    if door.lng is None or door.lat is None:
        return {}
    places = await queries_listing.positions(tx, order_id)
    return {event: round(distance_m(door.lng, door.lat, lng, lat)) for event, (lng, lat) in places.items()}
