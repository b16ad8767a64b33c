"""What providers shall have by contract and what they have; who works how much and at which hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.accounts import audit, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid
from app.core.http import Caller
from app.core.ids import new_id
from app.core.sqlstate import constraint_of
from app.matching import queries_shares as queries
from app.matching.fairness import gini, spread
from app.providers import service as providers
from app.regions import service as regions
from app.regions.divisions import lineage, scope_ranges

Gaps = tuple[list[UUID], list[float]]
"""Providers, and by how many percentage points each is above (or below) its contract."""


async def gaps(tx: Tx, division_code: str, day: date) -> Gaps:
    """For the nearest division around an order where shares are agreed; nobody where there are none."""
    places = [code for code in lineage(division_code) if len(code) == 6]
    return await tx.cache.get(("matching.gaps", places[0], day), lambda: _gaps(tx, places, day))


async def _gaps(tx: Tx, places: list[str], day: date) -> Gaps:
    rows = await queries.agreed(tx, places, day, day)
    if not rows:
        return [], []
    nearest = min((row["division_code"] for row in rows), key=places.index)
    orders = await queries.tallied(tx, day.replace(day=1), _codes(nearest))
    found = {
        row["provider_id"]: round(_percent(orders, row["provider_id"]) - row["share_bp"] / 100, 2)
        for row in rows
        if row["division_code"] == nearest
    }
    return list(found), list(found.values())


async def month(tx: Tx, division_code: str, first: date) -> dict[str, Any]:
    """Agreed and actual shares of a division in the month that begins on `first`, counted now."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    agreed = {row["provider_id"]: row for row in await queries.agreed(tx, [division_code], first, last)}
    orders = await queries.counted(tx, first, _codes(division_code))
    names = await queries.provider_names(tx, list({*agreed, *orders}))
    rows = []
    for provider_id in sorted(names, key=lambda one: (-orders.get(one, 0), names[one], str(one))):
        contract = agreed[provider_id]["share_bp"] / 100 if provider_id in agreed else None
        actual = round(_percent(orders, provider_id), 2)
        rows.append(
            {
                "provider_id": provider_id, "provider": names[provider_id], "orders": orders.get(provider_id, 0),
                "actual_percent": actual, "contract_percent": contract,
                "deviation": None if contract is None else round(actual - contract, 2),
                "source": agreed[provider_id]["source"] if provider_id in agreed else None,
            }
        )  # fmt: skip
    return {"division_code": division_code, "month": f"{first:%Y-%m}", "orders": sum(orders.values()), "shares": rows}


async def agree(tx: Tx, caller: Caller, given: Mapping[str, Any]) -> UUID:
    """Enter a contract share: the fields of `schemas_rules.ShareBody`. An earlier one without an end, or with a
    later one, ends the day before.

    Raises NotFound for a division or provider that is not the caller's, Conflict when another begins later.
    """
    scope.see(caller, given["division_code"])
    await providers.provider(tx, given["provider_id"])
    share_id, first = new_id(), given["valid_from"]
    of = (given["provider_id"], given["division_code"])
    await queries.end_before(tx, *of, first, first - timedelta(days=1))
    valid, made = (first, given["valid_to"]), (caller.actor, clock.now())
    try:
        async with tx.savepoint():
            await queries.agree(tx, share_id, *of, round(given["percent"] * 100), given["source"], valid, made)
    except asyncpg.ExclusionViolationError as overlap:
        if constraint_of(overlap) != "ex_contract_share_overlap":
            raise
        raise Conflict("share_overlaps", "another share of this provider holds then") from overlap
    await audit.record(tx, caller, "dispatch.agree_share", "contract_share", share_id, ["share_bp"], given["source"])
    tx.cache.clear()
    return share_id


async def week(tx: Tx, division_code: str, week: date) -> dict[str, Any]:
    """Hours and unpopular visits of every caregiver of the providers that serve a division, by team."""
    days = [week + timedelta(days=n) for n in range(7)]
    days_off = [day for day in days if not await regions.is_workday(tx, day)]
    places = lineage(division_code)
    rows = await queries.week_of_teams(tx, places, week, week + timedelta(days=7), days_off)
    teams: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        teams[row["provider_id"]].append(row)
    return {
        "division_code": division_code,
        "week": week,
        "days_off": days_off,
        "teams": [_team(provider_id, members) for provider_id, members in teams.items()],
    }


def _team(provider_id: UUID, members: Sequence[Any]) -> dict[str, Any]:
    minutes, unpopular = [m["minutes"] for m in members], [m["unpopular"] for m in members]
    names = ("caregiver_id", "caregiver", "minutes", "visits", "evening", "night", "day_off", "unpopular")
    return {
        "provider_id": provider_id,
        "provider": members[0]["provider"],
        "gini_minutes": round(gini(minutes), 4),
        "spread_minutes": int(spread(minutes)),
        "gini_unpopular": round(gini(unpopular), 4),
        "spread_unpopular": int(spread(unpopular)),
        "caregivers": [{name: m[name] for name in names} for m in members],
    }


async def count(tx: Tx) -> None:
    """The sweep: count offers by provider, day and month, and this month's and the next one's by district."""
    await queries.count_loads(tx, clock.today())
    this = clock.today().replace(day=1)
    for first in (this, (this + timedelta(days=31)).replace(day=1)):
        await queries.count_month(tx, first)


def _percent(orders: Mapping[UUID, int], provider_id: UUID) -> float:
    total = sum(orders.values())
    return 100 * orders.get(provider_id, 0) / total if total else 0.0


def _codes(division_code: str) -> tuple[str, str]:
    return scope_ranges([division_code])[0]


def first_day(iso_week: str) -> date:
    """The Monday of "2026-W10". Raises Invalid when the year has no such week."""
    year, number = iso_week.split("-W")
    try:
        return date.fromisocalendar(int(year), int(number), 1)
    except ValueError as none:
        raise Invalid("week_unknown", "that year has no such week", field="week") from none
