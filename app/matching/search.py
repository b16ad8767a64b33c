"""From an order to a ranked list with reasons: asks the database around the elder, wider and wider, then ranks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.matching import availability, kept, reach, shares, succession, travel_log, weights
from app.matching import queries_around as around
from app.matching import queries_search as queries
from app.matching.question import ANYBODY, Wish, question
from app.matching.rules import OBJECTIVES, RULES, Candidate, Ranked, funnel, rank
from app.matching.slots import row_of
from app.matching.times import possible_starts
from app.orders.queries import OrderRow
from app.orders.recurring import CHANNEL
from app.providers.models import TRAVEL_MODES
from app.routing.travel import Line, hour_band


@dataclass(frozen=True, slots=True)
class Found:
    """A search's answer: the begin time it holds for, who is left in order of rank, and who fell out where.

    `refusals` counts those who were looked at by the first rule they failed, "" for none; `radius_km` is how far was
    looked, None for everywhere.
    """

    starts_at: datetime
    ranked: list[Ranked]
    funnel: list[dict[str, object]]
    weights_version: int | None
    excluded: list[UUID]
    refusals: dict[str, int] = field(default_factory=dict)
    radius_km: float | None = None
    max_travel_minutes: int = weights.MAX_TRAVEL_MINUTES
    seed: str = ""


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
    first: Found | None = None
    moment = now or clock.now()
    wish = Wish(provider_id, caregiver_id)
    planned = await succession.between(tx, [order.id]) if order.channel == CHANNEL else {}
    for starts_at in possible_starts(
        order.wanted_from, order.wanted_to, order.minutes, order.urgency, moment, planned.get(order.id)
    ):
        if after is not None and starts_at <= after:
            continue
        found = await look(tx, order, excluded, starts_at, wish)
        if found.ranked:
            return found
        first = first or found
        if not _worth_another_time(found.refusals):
            break
    return first or nobody(order, excluded)


async def find_at(tx: Tx, order: OrderRow, starts_at: datetime, provider_id: UUID, caregiver_id: UUID | None) -> Found:
    """Who of this provider passes the work rules at this time? Of one caregiver: a list of one, or the failed rule."""
    return await look(tx, order, [], starts_at, Wish(provider_id, caregiver_id))


async def look(
    tx: Tx, order: OrderRow, excluded: list[UUID], starts_at: datetime, wish: Wish = ANYBODY, *, widest: bool = False
) -> Found:
    """One begin time: the box around the elder, doubled until ten are left and nobody outside could win.

    `widest`: begin with the last box, for a count of everybody who could come.
    """
    item = await catalog.item(tx, order.item_code)
    force = await weights.in_force(tx, item, order.division_code, order.urgency, clock.service_day(starts_at))
    if wish.max_travel_minutes is not None:
        force = replace(force, max_travel_minutes=wish.max_travel_minutes)
    ways = await _ways(tx, starts_at)
    gaps = await shares.gaps(tx, order.division_code, row_of(starts_at))
    asked = question(order, item, excluded, starts_at, wish, force, ways, gaps)
    if asked is None:
        return Found(starts_at, [], funnel({}), force.version, excluded, seed=str(order.id))
    last = reach.reach_km(ways, force.max_travel_minutes)
    km = await _first_circle(tx, asked, last, widest=widest)
    while True:
        seen = await _within(tx, asked, km)
        refusals, ranked = seen.refusals, rank(seen.left, force.weights, str(order.id))
        if km is None:
            break
        best = ranked[0].score if ranked else 0.0
        wider = reach.next_km(km, last, refusals.get("", 0), best, force.weights, ways, seen.most)
        if wider is None:
            break
        km = wider
    if asked.caregiver_id is None and (asked.need or seen.gender_wish):
        refusals = {**refusals, **await around.unable(tx, asked, _box(asked, km))}
    steps = funnel(refusals, _area(km))
    return Found(
        starts_at, ranked, steps, force.version, excluded, refusals, km, force.max_travel_minutes, str(order.id)
    )


async def _first_circle(tx: Tx, asked: queries.Search, last: float, *, widest: bool) -> float | None:
    """Where to begin; None for everywhere. Specialists are so few that all within reach are looked at."""
    if asked.lng is None or asked.lat is None or asked.caregiver_id is not None:
        return None
    if widest or asked.specialist or asked.provider_id is not None:
        return last
    for km in reach.circles(last)[:-1]:
        able = await around.able(tx, asked, _box(asked, km), reach.COUNTED)
        if able >= reach.CROWD:
            return reach.first_km(km, able)
    return last


def to_keep(found: Found) -> dict[str, Any]:
    """What a decision keeps of a search: enough to explain it, and to do it again."""
    return kept.keep(found.ranked, found.seed, found.radius_km, found.max_travel_minutes)


def _box(asked: queries.Search, km: float | None) -> tuple[float, float, float, float]:
    if km is None or asked.lng is None or asked.lat is None:
        return reach.EVERYWHERE
    return reach.box(asked.lng, asked.lat, km)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Who is left in a circle, how many of those with certificate and sex failed which rule, what nobody outside can
    exceed, by objective, and the sex that is wished for."""

    left: list[Candidate]
    refusals: dict[str, int]
    most: dict[str, float]
    gender_wish: str | None


async def _within(tx: Tx, asked: queries.Search, km: float | None) -> _Seen:
    """Who is left within `km` (None: anywhere), and how many failed which rule.

    A day nobody has asked for yet is made first. A provider found full is struck out and the rest asked again: its
    limits are counted exactly, so only where its people would have been chosen.
    """
    full: list[UUID] = []
    while True:
        rows = await queries.candidates(tx, asked, _box(asked, km), full)
        if not rows[0]["prepared"]:
            await availability.prepare(tx, [asked.day])
            continue
        found_full = {row["provider_id"] for row in rows if row["is_full"]}
        if not found_full:
            break
        full = sorted({*full, *found_full}, key=str)
    refusals: Counter[str] = Counter()
    for rule, count in rows[0]["refusals"] or ():
        refusals["" if rule is None else RULES[rule][0]] += count
    free = [row for row in rows if row["caregiver_id"] is not None and not row["taken"]]
    taken = sum(bool(row["taken"]) for row in rows)
    refusals.update({"": -taken, "busy": taken})
    return _Seen(
        [_candidate(row) for row in free[: asked.keep]],
        {rule: n for rule, n in refusals.items() if n},
        {
            "continuity": 0.0,
            "share": OBJECTIVES["share"].points(min([0.0, *asked.shares[1]])),
            "fairness": OBJECTIVES["fairness"].points(-(rows[0]["most_ahead"] or 0)),
        },
        rows[0]["gender_wish"],
    )


def _candidate(row: Any) -> Candidate:
    return Candidate(
        caregiver_id=row["caregiver_id"],
        provider_id=row["provider_id"],
        caregiver_name=row["name"],
        provider_name=row["provider_name"],
        travel_minutes=row["travel_minutes"],
        visits=row["visits"],
        slack_minutes=row["slack_minutes"],
        ahead_minutes=row["ahead_minutes"],
        rating=round(row["rating"], 3),
        share_gap=row["share_gap"],
        spare=row["spare"],
        wishes=round(row["wishes"], 2),
    )


def _area(km: float | None) -> str:
    return "服务区域内" if km is None else f"{km:.0f} 公里内"


async def _ways(tx: Tx, starts_at: datetime) -> list[Line]:
    local = starts_at.astimezone(clock.SHANGHAI)
    band = hour_band(local.hour * 60 + local.minute)
    return reach.lines(TRAVEL_MODES, band, await travel_log.coefficients(tx))


def _worth_another_time(refusals: dict[str, int]) -> bool:
    """Another begin time can only help those who were off shift, away or busy."""
    return any(refusals.get(rule) for rule in ("off_shift", "absent", "busy"))
