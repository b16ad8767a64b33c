"""From an order to a ranked list with reasons: asks the database once per begin time, then ranks in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.dispatch import queries_matching as queries
from app.dispatch.matching import OBJECTIVES, Candidate, Ranked, funnel, rank
from app.dispatch.offers import TURNAROUND, possible_starts
from app.orders.queries import OrderRow
from app.providers.ratings import shrunk
from app.regions.divisions import lineage
from app.routing.travel import travel_minutes

FALLBACK_WEIGHTS = {"travel": 40, "continuity": 25, "fairness": 20, "rating": 15}
"""Used only when no row of `dispatch_weights` is in force."""

DEFAULT_WEIGHTS = {
    "any": FALLBACK_WEIGHTS,
    "emergency": {"travel": 80, "continuity": 5, "fairness": 5, "rating": 10},
}


@dataclass(frozen=True, slots=True)
class Found:
    """A search's answer: the begin time it holds for, who is left in order of rank, and who fell out where."""

    starts_at: datetime
    ranked: list[Ranked]
    funnel: list[dict[str, object]]
    weights_version: int | None
    excluded: list[UUID]


def nobody(order: OrderRow, excluded: list[UUID]) -> Found:
    """The answer where asking makes no sense any more."""
    return Found(order.wanted_from, [], [], None, excluded)


async def find(
    tx: Tx,
    order: OrderRow,
    excluded: list[UUID],
    *,
    provider_id: UUID | None = None,
    caregiver_id: UUID | None = None,
    now: datetime | None = None,
    after: datetime | None = None,
) -> Found:
    """The earliest begin time (later than `after`) with anybody left; if there is none, the funnel of the first.

    Begin times are counted from `now`: whoever asks for one after another has to stay with one `now`, or the first
    is always a little later than `after`, and the asking never ends.
    """
    version, weights = await _weights(tx, order)
    first: Found | None = None
    moment = now or clock.now()
    for starts_at in possible_starts(order.wanted_from, order.wanted_to, order.minutes, order.urgency, moment):
        if after is not None and starts_at <= after:
            continue
        asked = await _search(tx, order, excluded, starts_at, provider_id, caregiver_id)
        rows = await queries.candidates(tx, asked)
        left = [_candidate(row, order) for row in rows if row["id"] is not None]
        steps = funnel(rows[0]["refusals"] or {})
        found = Found(starts_at, rank(left, weights, str(order.id)), steps, version, excluded)
        if left:
            return found
        first = first or found
        if not _worth_another_time(rows[0]["refusals"] or {}):
            break
    return first or nobody(order, excluded)


async def find_at(tx: Tx, order: OrderRow, starts_at: datetime, provider_id: UUID, caregiver_id: UUID | None) -> Found:
    """Who of this provider passes the work rules at this time? Of one caregiver: a list of one, or the failed rule."""
    version, weights = await _weights(tx, order)
    rows = await queries.candidates(tx, await _search(tx, order, [], starts_at, provider_id, caregiver_id))
    left = [_candidate(row, order) for row in rows if row["id"] is not None]
    return Found(starts_at, rank(left, weights, str(order.id)), funnel(rows[0]["refusals"] or {}), version, [])


async def relaxations(tx: Tx, order: OrderRow, excluded: list[UUID]) -> list[dict[str, Any]]:
    """What would help when nobody is left: other begin times near the wanted one, with how many would be free."""
    options = []
    for minutes in (-60, -30, 30, 60, 120):
        starts_at = max(order.wanted_from, clock.now()) + timedelta(minutes=minutes)
        if starts_at < clock.now():
            continue
        rows = await queries.candidates(tx, await _search(tx, order, excluded, starts_at, None, None))
        count = (rows[0]["refusals"] or {}).get("", 0)
        if count:
            options.append({"relax": "window", "starts_at": starts_at, "candidates": count})
    return options


def explained(ranked: list[Ranked], limit: int = 10) -> list[dict[str, Any]]:
    """The first `limit` as a decision keeps them."""
    return [
        {
            "caregiver_id": str(r.candidate.caregiver_id),
            "caregiver": r.candidate.caregiver_name,
            "provider_id": str(r.candidate.provider_id),
            "provider": r.candidate.provider_name,
            "score": r.score,
            "travel_minutes": r.candidate.travel_minutes,
            "parts": [{"name": p.name, "points": p.points, "weight": p.weight, "value": p.value} for p in r.parts],
        }
        for r in ranked[:limit]
    ]


async def load_default_weights(tx: Tx) -> None:
    """Ship the published weights for the whole country; divisions may add their own."""
    for urgency, weights in DEFAULT_WEIGHTS.items():
        await queries.seed_weights(tx, "000000", urgency, weights, date(2020, 1, 1))


async def _search(
    tx: Tx,
    order: OrderRow,
    excluded: list[UUID],
    starts_at: datetime,
    provider_id: UUID | None,
    caregiver_id: UUID | None,
) -> queries.Search:
    item = await catalog.item(tx, order.item_code)
    local = starts_at.astimezone(clock.SHANGHAI)
    minute = local.hour * 60 + local.minute
    monday = local.date() - timedelta(days=local.weekday())
    return queries.Search(
        lineage=lineage(order.division_code),
        excluded=excluded,
        item_code=order.item_code,
        day=local.date(),
        certificate=item.certificate,
        elder_id=order.elder_id,
        weekday=local.isoweekday(),
        from_minute=minute,
        to_minute=minute + order.minutes,
        from_at=starts_at,
        to_at=starts_at + timedelta(minutes=order.minutes) + TURNAROUND,
        lng=order.lng,
        lat=order.lat,
        week_from=clock.day_bounds(monday)[0],
        week_to=clock.day_bounds(monday + timedelta(days=7))[0],
        provider_id=provider_id,
        caregiver_id=caregiver_id,
    )


def _candidate(row: Any, order: OrderRow) -> Candidate:
    return Candidate(
        caregiver_id=row["id"],
        provider_id=row["provider_id"],
        caregiver_name=row["name"],
        provider_name=row["provider_name"],
        travel_minutes=travel_minutes(row["home_lng"], row["home_lat"], order.lng, order.lat, row["travel_mode"]),
        visits=row["visits"],
        week_minutes=row["week_minutes"],
        rating=shrunk(row["score_sum"], row["ratings"]),
    )


async def _weights(tx: Tx, order: OrderRow) -> tuple[int | None, dict[str, int]]:
    """The newest weights in force for the most specific division, the order's urgency before "any"."""
    rows = await tx.cache.get("dispatch.weights", lambda: queries.all_weights(tx))
    places = lineage(order.division_code)
    today = clock.today()
    fitting = [
        row
        for row in rows
        if row["urgency"] in ("any", order.urgency)
        and row["division_code"] in places
        and row["valid_from"] <= today
        and set(row["weights"]) <= set(OBJECTIVES)
    ]
    if not fitting:
        return None, FALLBACK_WEIGHTS
    best = min(
        fitting,
        key=lambda row: (
            places.index(row["division_code"]),
            row["urgency"] == "any",
            -row["valid_from"].toordinal(),
            -row["version"],
        ),
    )
    return best["version"], best["weights"]


def _worth_another_time(refusals: dict[str, int]) -> bool:
    """Another begin time can only help those who were off shift, away or busy."""
    return any(refusals.get(rule) for rule in ("off_shift", "absent", "busy"))
