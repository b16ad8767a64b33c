"""Which weights are in force, and how new ones are published.

A row holds for a service type (an item, a category of items, or any), a division with everything below it, and an
urgency (or any). What fits the service and its urgency more closely wins, then the nearer division, then the newer
row: a district that publishes weights for everyday help does not change by that how emergencies are matched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.accounts import audit, scope
from app.catalog import service as catalog
from app.catalog.models import CATEGORIES
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.http import SYSTEM, Caller
from app.matching import queries_weights as queries
from app.matching.rules import OBJECTIVES
from app.regions.divisions import NATION, lineage

MAX_TRAVEL_MINUTES = 60

ORDINARY = {
    "travel": 35, "continuity": 20, "slack": 12, "fairness": 10, "rating": 8, "share": 8, "just_enough": 4,
    "preference": 3,
}  # fmt: skip
EMERGENCY = {"travel": 80, "slack": 20}

SHIPPED = {
    ("any", NATION, "any"): ORDINARY,
    ("any", NATION, "emergency"): EMERGENCY,
    ("urgent_help", NATION, "any"): EMERGENCY,
    ("emergency_check", NATION, "any"): EMERGENCY,
}
"""What is published for the whole country; divisions may add their own."""


@dataclass(frozen=True, slots=True)
class InForce:
    """Weights, their version (None: the shipped ones, where nothing is published), and the work rule beside them."""

    version: int | None
    weights: Mapping[str, int]
    max_travel_minutes: int


async def in_force(tx: Tx, item: catalog.Item, division_code: str, urgency: str, day: date) -> InForce:
    """The weights for an order of `item` in a division on `day`."""
    rows = await tx.cache.get("matching.weights", lambda: queries.everything(tx))
    return choose(rows, (item.code, item.category, "any"), lineage(division_code), urgency, day)


def choose(
    rows: Iterable[Mapping[str, Any]], types: tuple[str, ...], places: list[str], urgency: str, day: date
) -> InForce:
    """The row that fits best; `types` and `places` most specific first."""
    fitting = [
        row
        for row in rows
        if row["service_type"] in types
        and row["urgency"] in ("any", urgency)
        and row["division_code"] in places
        and row["valid_from"] <= day
        and set(row["weights"]) <= set(OBJECTIVES)
    ]
    if not fitting:
        return shipped(urgency)
    best = min(
        fitting,
        key=lambda row: (
            row["urgency"] == "any",
            types.index(row["service_type"]),
            places.index(row["division_code"]),
            -row["valid_from"].toordinal(),
            -row["version"],
        ),
    )
    return InForce(best["version"], best["weights"], best["max_travel_minutes"])


def shipped(urgency: str) -> InForce:
    """What holds where nothing is published."""
    return InForce(None, EMERGENCY if urgency == "emergency" else ORDINARY, MAX_TRAVEL_MINUTES)


async def of_version(tx: Tx, version: int) -> InForce:
    """The weights of one version. Raises NotFound."""
    row = await queries.one(tx, version)
    if row is None:
        raise NotFound("weights_not_found", "there are no weights of this version")
    return InForce(row["version"], row["weights"], row["max_travel_minutes"])


async def published(tx: Tx, caller: Caller) -> list[dict[str, Any]]:
    """Every version the caller may see: those of its divisions, and those above that hold for them."""
    rows = await queries.everything(tx)
    above = {place for code in caller.divisions for place in lineage(code)}
    return [row for row in rows if row["division_code"] in above or scope.sees(caller, row["division_code"])]


async def publish(tx: Tx, caller: Caller, given: Mapping[str, Any]) -> int:
    """A new version: the fields of `schemas_rules.WeightsBody`. Returns its number.

    Raises Invalid for unknown objectives, weights that do not add up to 100, an unknown service type or a day that
    has begun; NotFound for a division that is not the caller's.
    """
    weights = check(given["weights"])
    if not scope.sees(caller, given["division_code"]):
        raise NotFound("division_not_found", "there is no such division for you")
    if given["service_type"] not in ("any", *CATEGORIES):
        await catalog.item(tx, given["service_type"])
    if given["valid_from"] < clock.today():
        raise Invalid("valid_from_past", "weights hold from today on at the earliest", field="valid_from")
    where = (given["service_type"], given["division_code"], given["urgency"])
    made = (caller.actor, given["reason"], clock.now())
    version = await queries.add(tx, where, weights, given["max_travel_minutes"], given["valid_from"], made)
    await audit.record(
        tx, caller, "dispatch.publish_weights", "dispatch_weights", version, sorted(weights), given["reason"]
    )
    tx.cache.clear()
    return version


def check(weights: Mapping[str, int]) -> dict[str, int]:
    """The weights in the order of the objectives, without zeros. Raises Invalid."""
    if unknown := sorted(set(weights) - set(OBJECTIVES)):
        raise Invalid("objective_unknown", "there is no such objective", field="weights", unknown=unknown)
    if any(weight < 0 for weight in weights.values()) or sum(weights.values()) != 100:
        raise Invalid("weights_sum", "weights are not negative and add up to 100", field="weights")
    return {name: weights[name] for name in OBJECTIVES if weights.get(name)}


async def load_shipped(tx: Tx) -> None:
    """Publish the shipped weights where nothing was ever published for their scope."""
    made = (SYSTEM.actor, "随系统发布", datetime(2020, 1, 1, tzinfo=UTC))
    for where, weights in SHIPPED.items():
        await queries.seed(tx, where, weights, MAX_TRAVEL_MINUTES, date(2020, 1, 1), made)
