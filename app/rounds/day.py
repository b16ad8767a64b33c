"""Reading a day: orders, caregivers and what is taken, in a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.matching import succession, travel_log
from app.orders import queries_recurring as recurring
from app.providers.models import TRAVEL_MODES
from app.regions.divisions import lineage, prefix_of, scope_ranges
from app.rounds import queries_day as queries
from app.rounds.facts import Day, DayCaregiver, DayOrder, DayProvider, Held, Rules, Span, Taken
from app.routing.travel import DAY, pace

OVERHANG = timedelta(hours=8)
"""Visits that begin before midnight may end so much later."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is planned together: a division with everything below it, or one provider's orders."""

    service_day: date
    division_code: str
    provider_id: UUID | None = None


async def read(tx: Tx, scope: Scope, rules: Rules | None = None) -> Day:
    """The day as it stands in this transaction."""
    bounds = clock.day_bounds(scope.service_day)
    until = bounds[1] + OVERHANG
    division = None if scope.provider_id else scope_ranges([scope.division_code])[0]
    order_ids = await queries.ids(tx, bounds, division, scope.provider_id)
    rows = await queries.orders(tx, order_ids, scope.service_day)
    providers = await _providers(tx, scope, rows)
    people = await queries.caregivers(tx, [UUID(one.id) for one in providers], scope.service_day)
    ids = [row["id"] for row in people]
    hour = _Hour(bounds[0])
    away: dict[UUID, list[Span]] = defaultdict(list)
    taken: dict[UUID, list[Taken]] = defaultdict(list)
    for row in await queries.absences(tx, ids, bounds[0], until):
        away[row["caregiver_id"]].append(hour.span(row["starts_at"], row["ends_at"]))
    for row in await queries.taken(tx, ids, bounds[0], until, order_ids):
        one = Taken(str(row["order_id"]), *hour.span(row["from_at"], row["until_at"]), (row["lng"], row["lat"]))
        taken[row["caregiver_id"]].append(one)
    learned = await travel_log.coefficients(tx)
    return Day(
        now=max(0, hour.of(clock.now())),
        orders=await _orders(tx, rows, ids, hour),
        caregivers=tuple(_caregiver(row, away[row["id"]], taken[row["id"]]) for row in people),
        providers=tuple(providers),
        pace={mode: pace(mode, DAY, learned).p50 for mode in TRAVEL_MODES},
        rules=rules or Rules(),
    )


class _Hour:
    """Instants as seconds after midnight."""

    def __init__(self, midnight: datetime) -> None:
        self.midnight = midnight

    def of(self, at: datetime) -> int:
        return int((at - self.midnight).total_seconds())

    def span(self, since: datetime, till: datetime) -> Span:
        return self.of(since), self.of(till)


async def _providers(tx: Tx, scope: Scope, rows: list[Any]) -> list[DayProvider]:
    """Of a provider's day that one alone."""
    code = scope.division_code
    own = [scope.provider_id] if scope.provider_id else []
    others = own or sorted({row["provider_id"] for row in rows if row["provider_id"]})
    around, prefix = ([], "-") if own else (lineage(code), prefix_of(code))
    return [
        DayProvider(str(row["id"]), frozenset(row["areas"]), frozenset(row["items"]), row["open"])
        for row in await queries.providers(tx, around, prefix, others, scope.service_day)
    ]


async def _orders(tx: Tx, rows: list[Any], caregivers: list[UUID], hour: _Hour) -> tuple[DayOrder, ...]:
    held: dict[UUID, list[Held]] = defaultdict(list)
    known: dict[UUID, dict[str, int]] = defaultdict(dict)
    for row in await queries.held(tx, [row["id"] for row in rows]):
        held[row["order_id"]].append(
            Held(str(row["caregiver_id"]), row["role"], hour.of(row["starts_at"]),
                 *hour.span(row["from_at"], row["until_at"]))
        )  # fmt: skip
    for row in await queries.known(tx, sorted({row["elder_id"] for row in rows}), caregivers):
        known[row["elder_id"]][str(row["caregiver_id"])] = row["visits"]
    asked = await _asked_by_plans(tx, [row["id"] for row in rows], hour)
    return tuple(
        replace(_order(row, tuple(held[row["id"]]), known[row["elder_id"]], hour), **asked.get(row["id"], {}))
        for row in rows
    )


async def _asked_by_plans(tx: Tx, order_ids: list[UUID], hour: _Hour) -> dict[UUID, dict[str, Any]]:
    """What recurring plans ask of their orders: several windows, one visit after another, somebody they know."""
    rows = await recurring.of_orders(tx, order_ids)
    left = await succession.between(tx, order_ids, beside=set(order_ids))
    slots = {row["plan_id"]: recurring.slots_of(row["slots"]) for row in rows}
    orders = {(row["plan_id"], row["day"], row["slot"]): row["order_id"] for row in rows}
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        if row["slot"] >= len(slots[row["plan_id"]]):
            continue
        slot = slots[row["plan_id"]][row["slot"]]
        begins = slot.starts(slot.minutes or row["minutes"])
        said: dict[str, Any] = {
            "also": tuple((first * 60, last * 60) for first, last in begins) if len(begins) > 1 else (),
            "wished_caregiver": str(row["caregiver_id"]) if row["caregiver_id"] else None,
            "wished_provider": str(row["provider_id"]) if row["provider_id"] else None,
        }
        if (between := left.get(row["order_id"])) is not None:
            said["between"] = (hour.of(between[0]), hour.of(between[1]))
        if (before := orders.get((row["plan_id"], row["day"], slot.follows))) is not None:
            said["follows"] = (str(before), slot.least * 60, slot.most * 60)
        found[row["order_id"]] = said
    return found


def _order(row: Any, held: tuple[Held, ...], known: dict[str, int], hour: _Hour) -> DayOrder:
    promised = row["status"] in ("accepted", "assigned")
    provider = str(row["provider_id"]) if row["provider_id"] else None
    closes = None
    if row["wanted_to"] is not None:
        closes = hour.of(row["wanted_to"] - timedelta(minutes=row["minutes"]))
    return DayOrder(
        id=str(row["id"]), version=row["version"], status=row["status"], item=row["item_code"],
        certificate=row["certificate"], hands=row["caregivers"], urgency=row["urgency"],
        division=row["division_code"], place=(row["lng"], row["lat"]), minutes=row["minutes"],
        opens=hour.of(row["wanted_from"]), closes=closes, gender_wish=row["gender_wish"],
        tags=frozenset(row["tags"]), provider=provider if promised else None,
        asked=None if promised else provider, refused=frozenset(map(str, row["refused"])),
        blocked=frozenset(map(str, row["blocked"])), known=known, held=held,
    )  # fmt: skip


def _caregiver(row: Any, away: list[Span], taken: list[Taken]) -> DayCaregiver:
    return DayCaregiver(
        id=str(row["id"]), provider=str(row["provider_id"]), sex=row["sex"],
        home=(row["home_lng"], row["home_lat"]), mode=row["travel_mode"],
        certificates=frozenset(row["certificates"]),
        shifts=tuple((since * 60, till * 60) for since, till in row["shifts"]), away=tuple(away),
        taken=tuple(taken),
    )  # fmt: skip
