"""Contract shares and fairness: shown, and used in the score."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict
from app.core.http import SYSTEM
from app.dispatch import queries, service
from app.matching import availability, queries_shares, search, shares
from app.matching.fairness import gini, spread
from tests.world.accounts import staff_headers
from tests.world.orders import TUESDAY_TEN, make_order, make_town, provider_caller

MARCH = date(2026, 3, 1)
amounts = st.lists(st.integers(0, 10_000), min_size=1, max_size=30)


@given(amounts)
def test_gini_lies_between_none_and_all_but_one(given_amounts: list[int]) -> None:
    found = gini(given_amounts)
    assert -1e-9 <= found <= 1 - 1 / len(given_amounts) + 1e-9
    assert spread(given_amounts) == max(given_amounts) - min(given_amounts)


@given(amounts, st.integers(1, 9))
def test_gini_does_not_change_with_the_unit(given_amounts: list[int], factor: int) -> None:
    assert gini(given_amounts) == pytest.approx(gini([one * factor for one in given_amounts]))


def test_gini_of_known_teams() -> None:
    assert gini([5, 5, 5]) == pytest.approx(0)
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert gini([1, 2, 3, 4]) == pytest.approx(0.25)
    assert gini([]) == 0 == gini([0, 0])
    with pytest.raises(ValueError, match="not negative"):
        gini([-1, 2])


async def agree(tx: Tx, provider: UUID, percent: float, valid_from: date = date(2026, 1, 1)) -> None:
    share = {"provider_id": provider, "division_code": "620302", "percent": percent, "source": "合同"}
    await shares.agree(tx, SYSTEM, {**share, "valid_from": valid_from, "valid_to": None})


async def test_whoever_is_below_its_contract_is_chosen_before_an_equal(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=2, caregivers=3)
        order = await make_order(tx, town.elder)
        first = (await queries.open_offer(tx, order.id))["provider_id"]
        other = next(one for one in town.providers if one != first)
        await agree(tx, first, 10)
        await agree(tx, other, 90)
        await shares.count(tx)
        found = await search.look(tx, order, [], TUESDAY_TEN + timedelta(hours=5))
        gaps = {r.candidate.provider_id: r.candidate.share_gap for r in found.ranked}
        assert gaps == {first: 90.0, other: -90.0}
        assert found.ranked[0].candidate.provider_id == other
        view = await shares.month(tx, "620302", MARCH)
        rows = {row["provider_id"]: row for row in view["shares"]}
        assert (rows[first]["actual_percent"], rows[first]["contract_percent"], rows[first]["deviation"]) == (
            100,
            10,
            90,
        )
        assert (rows[other]["orders"], rows[other]["deviation"], view["orders"]) == (0, -90.0, 1)


async def test_a_new_share_ends_the_one_before_and_later_ones_are_not_overrun(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        provider = (await make_town(tx, providers=1)).providers[0]
        await agree(tx, provider, 10)
        await agree(tx, provider, 20, date(2026, 4, 1))
        rows = await queries_shares.agreed(tx, ["620302"], MARCH, date(2026, 12, 31))
        assert [(r["share_bp"], r["valid_to"]) for r in rows] == [(2000, None), (1000, date(2026, 3, 31))]
        with pytest.raises(Conflict) as refused:
            await agree(tx, provider, 30, date(2026, 2, 1))
        assert refused.value.code == "share_overlaps"


async def test_limits_of_a_provider_are_counted_not_guessed(tx: Tx) -> None:
    """A count that is a minute old never lets a provider have more than its limit."""
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=4)
        await tx.run("UPDATE provider SET daily_capacity = 2")
        await shares.count(tx)
        made = [await make_order(tx, town.elder, wanted_from=TUESDAY_TEN) for _ in range(3)]
        assert [order.status for order in made] == ["dispatched", "dispatched", "placed"]
        found = await search.look(tx, made[2], [], TUESDAY_TEN + timedelta(hours=1))
        assert found.refusals == {"provider_full": 4}
        await tx.run("UPDATE provider SET daily_capacity = 5000")
        found = await search.look(tx, made[2], [], TUESDAY_TEN + timedelta(hours=5))
        assert len(found.ranked) == 4


async def test_the_week_of_a_team_is_shown_with_its_spread(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=2)
        evening = TUESDAY_TEN + timedelta(hours=8)
        order = await make_order(tx, town.elder, urgency="appointment", wanted_from=evening, minutes=60)
        offer = await queries.open_offer(tx, order.id)
        await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], offer["caregiver_id"])
        team = (await shares.week(tx, "620302", date(2026, 3, 2)))["teams"][0]
        assert (team["spread_minutes"], team["spread_unpopular"]) == (60, 1)
        assert (team["gini_minutes"], team["gini_unpopular"]) == (0.5, 0.5)
        assert [(c["minutes"], c["evening"], c["day_off"]) for c in team["caregivers"]] == [(60, 1, 0), (0, 0, 0)]


async def test_whoever_worked_less_this_week_comes_first(tx: Tx) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=1, caregivers=2)
        wednesday = TUESDAY_TEN + timedelta(days=1)
        first = await make_order(tx, town.elder, urgency="appointment", wanted_from=wednesday)
        busy = (await queries.open_offer(tx, first.id))["caregiver_id"]
        await availability.put_right(tx, date(2026, 3, 5))
        await availability.prepare(tx, [date(2026, 3, 5)])
        found = await search.look(tx, first, [], wednesday + timedelta(days=1))
        ahead = {r.candidate.caregiver_id: r.candidate.ahead_minutes for r in found.ranked}
        assert ahead[busy] == max(ahead.values()) == min(ahead.values()) + first.minutes
        assert found.ranked[0].candidate.caregiver_id != busy


async def test_the_doors_show_and_agree(api: httpx.AsyncClient, database: Database) -> None:
    async with database.transaction() as tx:
        town = await make_town(tx, providers=1, caregivers=1, hours=(0, 24))
        await make_order(tx, town.elder)
    supervisor, operator = await staff_headers(database, roles=("supervisor",)), await staff_headers(database)
    body = {
        "provider_id": str(town.providers[0]), "division_code": "620302", "percent": 25.5, "source": "合同第三条",
        "valid_from": str(clock.today().replace(day=1)),
    }  # fmt: skip
    assert (await api.post("/v1/dispatch/shares", json=body, headers=operator)).status_code == 403
    assert (await api.post("/v1/dispatch/shares", json=body, headers=supervisor)).status_code == 201
    month = f"{clock.today():%Y-%m}"
    shown = (await api.get(f"/v1/dispatch/shares?division=620302&month={month}", headers=operator)).json()
    assert [row["contract_percent"] for row in shown["shares"]] == [25.5]
    year, week, _ = clock.today().isocalendar()
    path = f"/v1/dispatch/fairness?division=620302&week={year}-W{week:02d}"
    assert (await api.get(path, headers=operator)).json()["teams"][0]["caregivers"][0]["visits"] == 0
    assert (await api.get("/v1/dispatch/fairness?division=620302&week=2025-W53", headers=operator)).status_code == 422
    assert (await api.get(f"/v1/dispatch/shares?division=110000&month={month}", headers=operator)).status_code == 404
