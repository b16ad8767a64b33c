"""What proves a visit, for somebody who looks at it: the files, and where it began and ended against the elder's home.

Where the home is, is not told: places are metres east and north of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.geo import offset_m
from app.orders.queries import OrderRow
from app.visits import inbox, queries, views
from app.visits.schemas import VisitDetail


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one end of the visit was reported from; `what` is "begin" or "end"."""

    what: str
    east_m: int
    north_m: int
    accuracy_m: float | None


@dataclass(frozen=True, slots=True)
class Proof:
    """`files`: media type by upload. `radius_m`: how far from the door still counts as there."""

    visit: VisitDetail
    files: dict[UUID, str]
    spots: list[Spot]
    radius_m: int


async def of_order(tx: Tx, order: OrderRow) -> Proof | None:
    """None while nothing has been said about a visit. Whether the caller may see it is the caller's room to check."""
    row = await queries.shown(tx, order.id)
    if row is None:
        return None
    policy = await inbox.policy_of(tx, order, clock.now())
    files = await queries.upload_types(tx, row["evidence"])
    detail = views.detail(row, await queries.events(tx, order.id), tx.vault)
    return Proof(detail, files, _spots(row, order), policy.radius_m)


def _spots(row: Any, order: OrderRow) -> list[Spot]:
    if order.lng is None or order.lat is None:
        return []
    found = []
    for what in ("begin", "end"):
        lng, lat = row[f"{what}_lng"], row[f"{what}_lat"]
        if lng is not None and lat is not None:
            away = offset_m((order.lng, order.lat), (lng, lat))
            found.append(Spot(what, *away, row[f"{what}_accuracy_m"]))
    return found
