"""Weights: which row is in force, who may publish, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Invalid
from app.matching import search, weights
from app.matching.rules import OBJECTIVES
from app.matching.weights import EMERGENCY, ORDINARY, SHIPPED, check, choose
from app.orders import service as orders
from app.regions.divisions import NATION, lineage
from tests.world.accounts import staff_headers
from tests.world.orders import TUESDAY_TEN, make_order, make_town

DAY = date(2026, 3, 3)
PLACES = lineage("620302001001")
TYPES = ("bath_home", "daily_living", "any")
BODY = {
    "service_type": "daily_living", "division_code": "620302", "urgency": "any",
    "weights": {"travel": 60, "rating": 40}, "max_travel_minutes": 30, "valid_from": "2099-01-01", "reason": "试行",
}  # fmt: skip


def row(version: int, **overrides: Any) -> dict[str, Any]:
    usual = {
        "version": version, "service_type": "any", "division_code": NATION, "urgency": "any", "weights": ORDINARY,
        "max_travel_minutes": 60, "valid_from": DAY,
    }  # fmt: skip
    return {**usual, **overrides}


def test_shipped_weights_are_what_may_be_published() -> None:
    for shipped in SHIPPED.values():
        assert check(shipped) == shipped
    assert set(ORDINARY) == set(OBJECTIVES)
    assert EMERGENCY == {"travel": 80, "slack": 20}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"urgency": "emergency"}, {"service_type": "bath_home", "division_code": "620302"}),
        ({"service_type": "bath_home"}, {"service_type": "daily_living", "division_code": "620302"}),
        ({"service_type": "daily_living"}, {"division_code": "620302001"}),
        ({"division_code": "620302001"}, {"division_code": "620302"}),
        ({"valid_from": DAY}, {"valid_from": DAY - timedelta(days=1)}),
    ],
)
def test_the_closer_fit_wins_whatever_is_newer(better: dict[str, Any], worse: dict[str, Any]) -> None:
    rows = [row(1, **better), row(2, **worse)]
    assert choose(rows, TYPES, PLACES, "emergency", DAY).version == 1
    assert choose([row(2, **better), row(1, **worse)], TYPES, PLACES, "emergency", DAY).version == 2


def test_of_two_equals_the_newer_version_counts_and_the_future_does_not() -> None:
    rows = [row(1), row(2), row(3, valid_from=DAY + timedelta(days=1))]
    assert choose(rows, TYPES, PLACES, "normal", DAY).version == 2
    assert choose([row(1, division_code="110000")], TYPES, PLACES, "normal", DAY).version is None
    assert choose([], TYPES, PLACES, "emergency", DAY).weights == EMERGENCY


@pytest.mark.parametrize(
    ("given", "code"),
    [({"travel": 99}, "weights_sum"), ({"travel": 50, "beauty": 50}, "objective_unknown"), ({}, "weights_sum"),
     ({"travel": 120, "rating": -20}, "weights_sum")],
)  # fmt: skip
def test_what_is_no_set_of_weights_is_refused(given: dict[str, int], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(given)
    assert refused.value.code == code


async def test_the_travel_limit_of_the_row_is_a_work_rule(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=1, home_lng=102.345)
        order = await make_order(tx, town.elder)
        assert order.status == "placed"
        found = await search.look(tx, order, [], TUESDAY_TEN + timedelta(hours=1))
        assert found.refusals == {"too_far": 1}
        await tx.run("UPDATE dispatch_weights SET max_travel_minutes = 120")
        tx.cache.clear()
        found = await search.look(tx, order, [], TUESDAY_TEN + timedelta(hours=1))
        assert [r.candidate.travel_minutes > 60 for r in found.ranked] == [True]


async def test_supervisors_publish_and_what_was_decided_keeps_its_version(
    api: httpx.AsyncClient, database: Database
) -> None:
    today = clock.today()
    async with database.transaction() as tx:
        town = await make_town(tx, hours=(0, 24))
        before = await make_order(tx, town.elder)
    supervisor = await staff_headers(database, roles=("supervisor",))
    body = {**BODY, "valid_from": str(today)}
    made = await api.post("/v1/dispatch-weights", json=body, headers=supervisor)
    assert made.status_code == 201, made.text
    version = made.json()["version"]
    listed = (await api.get("/v1/dispatch-weights", headers=supervisor)).json()
    mine = next(one for one in listed if one["version"] == version)
    assert (mine["reason"], mine["max_travel_minutes"], mine["weights"]) == ("试行", 30, {"travel": 60, "rating": 40})
    assert mine["made_by"].startswith("staff:")
    async with database.transaction() as tx:
        after = await make_order(tx, town.elder)
        versions = await tx.fetch("SELECT order_id, weights_version FROM decision")
        assert {r["order_id"]: r["weights_version"] for r in versions}[after.id] == version
        assert {r["order_id"]: r["weights_version"] for r in versions}[before.id] != version
        told = await tx.fetchval("SELECT reason FROM audit_entry WHERE action = 'dispatch.publish_weights'")
        assert told == "试行"
        assert (await orders.get(tx, after.id)).status == "dispatched"


@pytest.mark.parametrize(
    ("change", "status"),
    [({"weights": {"travel": 10}}, 422), ({"weights": {"luck": 100}}, 422), ({"division_code": "110000"}, 404),
     ({"service_type": "no_such_item"}, 404), ({"valid_from": "2020-01-01"}, 422), ({"reason": " "}, 422)],
)  # fmt: skip
async def test_publishing_nonsense_is_refused(
    api: httpx.AsyncClient, database: Database, change: dict[str, Any], status: int
) -> None:
    supervisor = await staff_headers(database, roles=("supervisor",))
    assert (await api.post("/v1/dispatch-weights", json={**BODY, **change}, headers=supervisor)).status_code == status


async def test_operators_read_and_do_not_publish(api: httpx.AsyncClient, database: Database) -> None:
    operator = await staff_headers(database)
    assert (await api.post("/v1/dispatch-weights", json=BODY, headers=operator)).status_code == 403
    assert (await api.get("/v1/dispatch-weights", headers=operator)).status_code == 200


async def test_shipping_twice_publishes_once(tx: Tx) -> None:
    await weights.load_shipped(tx)
    await weights.load_shipped(tx)
    assert await tx.fetchval("SELECT count(*) FROM dispatch_weights") == len(SHIPPED)
