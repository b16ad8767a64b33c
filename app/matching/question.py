"""What a search asks the database at one begin time, from the order, the item and the rules in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import BitString

from app.catalog import service as catalog
from app.matching import availability, shares, weights
from app.matching import queries_search as queries
from app.matching.rules import OBJECTIVES
from app.matching.slots import SLOTS, mask, outward, row_of
from app.matching.times import TURNAROUND
from app.orders.queries import OrderRow
from app.regions.divisions import lineage
from app.routing.travel import UNKNOWN_MINUTES, Line


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom to look for, and which rules to lay aside for the sake of an answer to "what if"."""

    provider_id: UUID | None = None
    caregiver_id: UUID | None = None
    gender_matters: bool = True
    max_travel_minutes: int | None = None


ANYBODY = Wish()


def question(
    order: OrderRow,
    item: catalog.Item,
    excluded: list[UUID],
    starts_at: datetime,
    wish: Wish,
    force: weights.InForce,
    ways: list[Line],
    gaps: shares.Gaps,
) -> queries.Search | None:
    """The question at one begin time; None when the visit would end after its day's row."""
    day = row_of(starts_at)
    ends_at = starts_at + timedelta(minutes=order.minutes)
    visit, busy = outward(day, starts_at, ends_at), outward(day, starts_at, ends_at + TURNAROUND)
    if busy[1] > SLOTS:
        return None
    return queries.Search(
        lineage=lineage(order.division_code),
        excluded=excluded,
        item_code=order.item_code,
        day=day,
        need=availability.certificate_bit(item.certificate),
        specialist=availability.is_specialist(item.certificate),
        surplus=availability.specialist_bits(item.certificate),
        elder_id=order.elder_id,
        starts_at=starts_at,
        ends_at=ends_at + TURNAROUND,
        visit_slots=BitString(mask(*visit)),
        busy_slots=BitString(mask(*busy)),
        first_slot=busy[0],
        end_slot=busy[1],
        lng=order.lng,
        lat=order.lat,
        per_km=[way.per_km for way in ways],
        fixed=[way.fixed for way in ways],
        unknown_minutes=UNKNOWN_MINUTES,
        weights=[float(force.weights.get(name, 0)) for name in OBJECTIVES],
        week=availability.monday(day),
        shares=gaps,
        seed=order.id.int >> 65,
        max_travel_minutes=force.max_travel_minutes,
        provider_id=wish.provider_id,
        caregiver_id=wish.caregiver_id,
        gender_matters=wish.gender_matters,
        keep=queries.KEPT if item.caregivers == 1 else queries.KEPT_FOR_PAIRS,
    )
