"""Two caregivers for one visit: found together, booked together or not at all, each replaced without the other."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.accounts import consent
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid
from app.core.http import SYSTEM
from app.dispatch import assignment, mode_rules, queries, service
from app.dispatch.modes import ANY, Mode
from app.dispatch.teams import Team, of_each_provider, teams
from app.followup import family
from app.matching import queries_bookings
from app.matching.queries_bookings import Time
from app.matching.rules import Candidate, Ranked
from app.orders import service as orders
from app.orders.queries import OrderRow
from tests.world.accounts import make_app_key, signed_headers
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town, provider_caller

BATH = "bath_home"
A, B, C = (UUID(int=n) for n in (1, 2, 3))


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(tx: Tx) -> Town:
    return await make_town(tx, providers=2, caregivers=3)


async def bath(tx: Tx, town: Town, **wanted: Any) -> OrderRow:
    return await make_order(tx, town.elder, item_code=BATH, **wanted)


async def live(tx: Tx, order_id: UUID) -> dict[str, tuple[UUID, str]]:
    """Caregiver and status of the order's bookings, by role."""
    rows = await tx.fetch(
        "SELECT role, caregiver_id, status FROM booking WHERE order_id = $1 AND status <> 'released'", order_id
    )
    assert len({row["role"] for row in rows}) == len(rows)
    return {row["role"]: (row["caregiver_id"], row["status"]) for row in rows}


def candidate(caregiver: int, provider: int, score: float) -> Ranked:
    person = Candidate(
        caregiver_id=UUID(int=caregiver), provider_id=UUID(int=provider), caregiver_name="王", provider_name="企业",
        travel_minutes=10, visits=0, rating=4.0,
    )  # fmt: skip
    return Ranked(person, score, {})


# --- the choice, without a database


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 100)), max_size=8))
def test_pairs_are_all_pairs_of_one_provider_by_the_sum_of_their_scores(people: list[tuple[int, int]]) -> None:
    ranked = [candidate(n, provider, score) for n, (provider, score) in enumerate(people)]
    ranked.sort(key=lambda one: -one.score)
    found = teams(ranked, 2)
    expected = [
        (a.score + b.score)
        for a, b in combinations(ranked, 2)
        if a.candidate.provider_id == b.candidate.provider_id
    ]  # fmt: skip
    assert [pair.score for pair in found] == sorted(expected, reverse=True)
    for pair in found:
        lead, second = pair.members
        assert lead.score >= second.score
        assert lead.candidate.provider_id == second.candidate.provider_id
        assert lead.candidate.caregiver_id != second.candidate.caregiver_id
    assert [team.members for team in teams(ranked, 1)] == [(one,) for one in ranked]


def test_the_best_team_of_each_of_the_best_providers_is_asked_to_grab() -> None:
    ranked = [candidate(1, 1, 90), candidate(2, 2, 80), candidate(3, 1, 70), candidate(4, 2, 75), candidate(5, 3, 1)]
    asked = of_each_provider(teams(ranked, 2), 3)
    assert [(team.provider_id.int, team.score) for team in asked] == [(1, 160), (2, 155)]


def test_naming_one_keeps_the_other_and_changing_places_is_possible() -> None:
    assert Team(A, B).with_lead(C) == Team(C, B)
    assert Team(A, B).with_second(C) == Team(A, C)
    assert Team(A, B).with_lead(B) == Team(B, A)
    assert Team(A, B).with_second(A) == Team(B, A)
    assert Team(A).with_lead(B) == Team(B)
    with pytest.raises(ValueError, match="twice"):
        Team(A, A)


# --- offered, accepted, changed, released


async def test_two_of_one_provider_are_held_with_one_offer(tx: Tx, town: Town) -> None:
    order = await bath(tx, town)
    offer = await queries.open_offer(tx, order.id)
    assert await live(tx, order.id) == {
        "lead": (offer["caregiver_id"], "held"), "second": (offer["second_caregiver_id"], "held")
    }  # fmt: skip
    team = town.caregivers[town.providers.index(offer["provider_id"])]
    assert {offer["caregiver_id"], offer["second_caregiver_id"]} < set(team)


async def test_a_provider_with_one_free_caregiver_is_passed_over(tx: Tx, town: Town) -> None:
    first, second = town.providers
    await tx.run(
        "UPDATE caregiver SET status = 'inactive' WHERE provider_id = $1 AND id <> $2", first, town.caregivers[0][0]
    )
    assert (await bath(tx, town)).provider_id == second
    await tx.run("UPDATE provider SET status = 'suspended' WHERE id = $1", second)
    order = await bath(tx, town)
    assert (order.status, await live(tx, order.id)) == ("placed", {})
    # One is enough for other work.
    assert (await make_order(tx, town.elder)).provider_id == first


async def test_accepting_books_both_and_the_order_keeps_the_lead(tx: Tx, town: Town) -> None:
    order = await bath(tx, town)
    offer = await queries.open_offer(tx, order.id)
    done = await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], offer["caregiver_id"])
    assert (done.status, done.caregiver_id, done.second_caregiver_id) == (
        "assigned", offer["caregiver_id"], offer["second_caregiver_id"]
    )  # fmt: skip
    assert {status for _, status in (await live(tx, order.id)).values()} == {"booked"}


@pytest.mark.parametrize("role", ["lead", "second"])
async def test_naming_one_at_acceptance_keeps_the_other(tx: Tx, town: Town, role: str) -> None:
    order = await bath(tx, town)
    offer = await queries.open_offer(tx, order.id)
    third = await spare(tx, town, offer)
    names = (third, None) if role == "lead" else (offer["caregiver_id"], third)
    done = await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], *names)
    kept = offer["second_caregiver_id"] if role == "lead" else offer["caregiver_id"]
    expected = {"lead": third, "second": kept} if role == "lead" else {"lead": kept, "second": third}
    assert {name: who for name, (who, _) in (await live(tx, order.id)).items()} == expected
    assert (done.caregiver_id, done.second_caregiver_id) == (expected["lead"], expected["second"])


@pytest.mark.parametrize("role", ["lead", "second"])
async def test_changing_one_keeps_the_others_booking(tx: Tx, town: Town, role: str) -> None:
    order, offer = await assigned(tx, town)
    other_role = "second" if role == "lead" else "lead"
    booking = await tx.fetchval("SELECT id FROM booking WHERE order_id = $1 AND role = $2", order.id, other_role)
    third = await spare(tx, town, offer)
    caller = provider_caller(offer["provider_id"])
    changed = await assignment.name_caregiver(tx, caller, order.id, third, "请假", role)
    after = await live(tx, order.id)
    assert after[role] == (third, "booked")
    assert after[other_role][0] == (order.caregiver_id if other_role == "lead" else order.second_caregiver_id)
    assert booking == await tx.fetchval(
        "SELECT id FROM booking WHERE order_id = $1 AND role = $2 AND status = 'booked'", order.id, other_role
    )
    assert {changed.caregiver_id, changed.second_caregiver_id} == {who for who, _ in after.values()}
    unchanged = await assignment.name_caregiver(tx, caller, order.id, third, "再点一次", role)
    assert unchanged.version == changed.version


async def test_the_two_may_change_places(tx: Tx, town: Town) -> None:
    order, offer = await assigned(tx, town)
    assert order.second_caregiver_id is not None
    caller = provider_caller(offer["provider_id"])
    changed = await assignment.name_caregiver(tx, caller, order.id, order.second_caregiver_id, "换组长")
    assert (changed.caregiver_id, changed.second_caregiver_id) == (order.second_caregiver_id, order.caregiver_id)
    assert {who for who, _ in (await live(tx, order.id)).values()} == {order.caregiver_id, order.second_caregiver_id}


async def test_a_busy_second_cannot_be_named_and_nothing_changes(tx: Tx, town: Town) -> None:
    order, offer = await assigned(tx, town)
    third = await spare(tx, town, offer)
    await tx.run("UPDATE provider SET status = 'suspended' WHERE id <> $1", offer["provider_id"])
    other = await make_order(tx, town.elder)
    assert (await queries.open_offer(tx, other.id))["caregiver_id"] == third
    before = await live(tx, order.id)
    with pytest.raises(Conflict) as refused:
        async with tx.savepoint():
            await assignment.name_caregiver(
                tx, provider_caller(offer["provider_id"]), order.id, third, "请假", "second"
            )
    assert refused.value.code == "caregiver_busy"
    assert await live(tx, order.id) == before


async def test_a_second_where_one_is_enough_is_refused(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    team = town.caregivers[town.providers.index(offer["provider_id"])]
    other = next(c for c in team if c != offer["caregiver_id"])
    caller = provider_caller(offer["provider_id"])
    with pytest.raises(Invalid) as refused:
        await service.accept(tx, caller, offer["id"], offer["caregiver_id"], other)
    assert refused.value.code == "second_not_needed"
    pair = await bath(tx, town, wanted_from=TUESDAY_TEN + timedelta(hours=5))
    offer = await queries.open_offer(tx, pair.id)
    with pytest.raises(Invalid) as twice:
        await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], other, other)
    assert twice.value.code == "caregiver_named_twice"


@pytest.mark.parametrize("end", ["refuse", "cancel", "redispatch"])
async def test_an_ended_offer_frees_both(tx: Tx, town: Town, end: str) -> None:
    order = await bath(tx, town)
    offer = await queries.open_offer(tx, order.id)
    if end == "refuse":
        await service.refuse(tx, provider_caller(offer["provider_id"]), offer["id"], "no_capacity", None)
    elif end == "cancel":
        await orders.cancel(tx, SYSTEM, order.id, "not_needed", "elder")
    else:
        await service.redispatch(tx, SYSTEM, order.id, "家属要求")
    mine = [offer["caregiver_id"], offer["second_caregiver_id"]]
    assert (
        await tx.fetchval("SELECT count(*) FROM booking WHERE caregiver_id = ANY($1) AND status <> 'released'", mine)
        == 0
    )
    after = await orders.get(tx, order.id)
    assert (after.caregiver_id, after.second_caregiver_id) == (None, None)


async def test_half_a_team_is_nobody(tx: Tx, town: Town) -> None:
    """The lead's time is free, the second's is taken: neither is booked."""
    order = await make_order(tx, town.elder)
    taken = (await live(tx, order.id))["lead"][0]
    free = next(c for team in town.caregivers for c in team if c != taken)
    other = await make_order(tx, town.elder, wanted_from=TUESDAY_TEN + timedelta(days=3), urgency="appointment")
    await tx.run("UPDATE booking SET status = 'released' WHERE order_id = $1", other.id)
    time = Time(
        other.id, [(free, "lead", TUESDAY_TEN), (taken, "second", TUESDAY_TEN)], TUESDAY_TEN + timedelta(hours=6),
        TUESDAY_TEN, 60,
    )  # fmt: skip
    assert not await queries_bookings.book(tx, time, "booked", TUESDAY_TEN)
    assert await live(tx, other.id) == {}
    await queries_bookings.free(tx, order.id)
    assert await queries_bookings.book(tx, time, "booked", TUESDAY_TEN)
    assert set(await live(tx, other.id)) == {"lead", "second"}


async def test_a_pair_tries_the_next_pair_when_one_is_taken_meanwhile(tx: Tx, town: Town) -> None:
    first = await bath(tx, town)
    second = await bath(tx, town)
    third = await bath(tx, town)
    booked = [who for order in (first, second) for who, _ in (await live(tx, order.id)).values()]
    assert len(set(booked)) == 4
    # One of each provider is left: no pair, now or later in the window of one visit.
    assert third.status == "dispatched"
    starts = (await queries.open_offer(tx, third.id))["starts_at"]
    assert starts > (await queries.open_offer(tx, second.id))["starts_at"]


async def test_an_order_has_one_lead_whatever_the_code_believes(tx: Tx, town: Town) -> None:
    order = await bath(tx, town)
    with pytest.raises(asyncpg.UniqueViolationError, match="ix_booking_one_live"):
        async with tx.savepoint():
            await tx.run("UPDATE booking SET role = 'lead' WHERE order_id = $1", order.id)


async def test_a_pair_may_be_grabbed(tx: Tx, town: Town) -> None:
    await mode_rules.add_rule(
        tx, SYSTEM, division_code="620302", item_code=ANY, urgency=ANY, mode=Mode.GRAB, breadth=2,
        valid_from=clock.today(), reason="试行",
    )  # fmt: skip
    order = await bath(tx, town)
    first, second = await queries.live_offers(tx, order.id)
    assert await live(tx, order.id) == {}
    won = await service.accept(tx, provider_caller(first["provider_id"]), first["id"], None)
    assert (won.status, {status for _, status in (await live(tx, order.id)).values()}) == ("accepted", {"held"})
    suggested = await queries.open_offer(tx, order.id)
    done = await assignment.name_caregiver(
        tx, provider_caller(first["provider_id"]), order.id, suggested["caregiver_id"], None
    )
    assert {who for who, _ in (await live(tx, order.id)).values()} == {done.caregiver_id, done.second_caregiver_id}
    assert (await queries.offer(tx, second["id"]))["status"] == "withdrawn"


async def test_by_hand_a_named_caregiver_gets_somebody_beside(tx: Tx, town: Town) -> None:
    order = await bath(tx, town)
    chosen = town.caregivers[1][2]
    await service.offer_by_hand(tx, SYSTEM, order.id, town.providers[1], chosen, "老人指定")
    assert chosen in {who for who, _ in (await live(tx, order.id)).values()}
    assert set(await live(tx, order.id)) == {"lead", "second"}


# --- seen


async def test_desk_provider_and_family_see_both(api: httpx.AsyncClient, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        town = await make_town(tx, providers=1, caregivers=2)
        order, offer = await assigned(tx, town)
        key = await make_app_key(tx, provider_id=offer["provider_id"])
        names = dict(await tx.fetch("SELECT id, name FROM caregiver"))
        await consent.grant(tx, SYSTEM, town.elder, "family_page", "family", "hotline")
        page = await family.page(tx, order.id)
    path = f"/v1/provider/orders/{order.id}"
    shown = (await api.get(path, headers=signed_headers(*key, "GET", path))).json()
    assert [shown[name]["name"] for name in ("caregiver", "second_caregiver")] == [
        names[order.caregiver_id], names[order.second_caregiver_id]
    ]  # fmt: skip
    assert page.who is not None
    assert page.who.caregiver
    assert page.who.second_caregiver


async def assigned(tx: Tx, town: Town) -> tuple[OrderRow, Any]:
    """A bath that a provider has accepted with the two suggested."""
    order = await bath(tx, town)
    offer = await queries.open_offer(tx, order.id)
    return await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], offer["caregiver_id"]), offer


async def spare(tx: Tx, town: Town, offer: Any) -> UUID:
    """The provider's third caregiver."""
    team = set(town.caregivers[town.providers.index(offer["provider_id"])])
    return (team - {offer["caregiver_id"], offer["second_caregiver_id"]}).pop()
