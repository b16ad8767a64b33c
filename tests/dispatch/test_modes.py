"""One after the other, to grab, by contract, by hand: which way an order goes out, and what becomes of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import SYSTEM, Caller
from app.dispatch import cascade, handlers, mode_rules, queries, service, tasks
from app.dispatch.mode_rules import NewContract
from app.dispatch.modes import ANY, Contract, Mode, Rule, contract_for, plan, rule_for, waits_for_batch
from app.dispatch.offers import MAX_ATTEMPTS, furthest
from app.matching import queries_decisions
from app.orders import queries_reading
from app.orders import service as orders
from app.orders.queries import OrderRow
from app.providers.events import ProviderSuspended
from app.regions.divisions import lineage
from tests.world.accounts import make_app_key, signed_headers, staff_token
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town, provider_caller

PLACES = lineage("620302001001")
DAY = date(2026, 3, 3)
RULE = Rule(1, "620302", "clean_home", "normal", Mode.GRAB, 3, date(2026, 1, 1))
CONTRACT = Contract(UUID(int=7), UUID(int=8), "620302", ANY, ANY, date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(tx: Tx) -> Town:
    return await make_town(tx, providers=4, caregivers=2)


async def grabbing(tx: Tx, breadth: int = 3, **rule: Any) -> int:
    return await set_mode(tx, mode=Mode.GRAB, breadth=breadth, **rule)


async def set_mode(tx: Tx, **rule: Any) -> int:
    usual = {
        "division_code": "620302", "item_code": ANY, "urgency": ANY, "mode": Mode.RANKED, "breadth": None,
        "valid_from": DAY, "reason": "试行",
    }  # fmt: skip
    return await mode_rules.add_rule(tx, SYSTEM, **{**usual, **rule})


async def fix(tx: Tx, provider_id: UUID, **contract: Any) -> UUID:
    usual = {
        "provider_id": provider_id, "division_code": "620302", "item_code": ANY, "scheme_code": ANY,
        "contract_number": "17", "valid_from": DAY, "valid_to": None,
    }  # fmt: skip
    return await mode_rules.add_contract(tx, SYSTEM, NewContract(**{**usual, **contract}))


async def told(tx: Tx, provider_id: UUID) -> list[tuple[str, Any]]:
    await tx.flush()
    rows = await tx.fetch(
        "SELECT type, facts::json ->> 'reason' AS reason FROM feed_entry WHERE audience = $1 ORDER BY id",
        f"provider:{provider_id}",
    )
    return [(row["type"], row["reason"]) for row in rows]


async def story(tx: Tx, order_id: UUID) -> list[tuple[str, str | None]]:
    return [(row["after"], row["reason"]) for row in await queries_reading.timeline(tx, order_id)]


def by(offer: Any) -> Caller:
    return provider_caller(offer["provider_id"])


# --- the choice, without a database


@pytest.mark.parametrize(
    "nearer",
    [
        {"division_code": "620302001"},
        {"division_code": "620302001001", "item_code": ANY, "urgency": ANY},
        {"valid_from": date(2026, 2, 1)},
        {"version": 2},
    ],
)
def test_the_nearest_and_newest_rule_counts(nearer: dict[str, Any]) -> None:
    other = replace(RULE, **{"version": 9, "mode": Mode.RANKED, "breadth": None, **nearer})
    assert rule_for([RULE, other], PLACES, "clean_home", "normal", DAY) == other


@pytest.mark.parametrize(
    "foreign",
    [{"division_code": "620321"}, {"item_code": "bath_home"}, {"urgency": "urgent"}, {"valid_from": date(2026, 3, 4)}],
)
def test_a_rule_for_something_else_or_later_does_not_count(foreign: dict[str, Any]) -> None:
    assert rule_for([replace(RULE, **foreign)], PLACES, "clean_home", "normal", DAY) is None


def test_its_own_item_goes_before_its_own_urgency() -> None:
    by_item = replace(RULE, urgency=ANY)
    by_urgency = replace(RULE, item_code=ANY, version=5)
    assert rule_for([by_urgency, by_item], PLACES, "clean_home", "normal", DAY) == by_item


@pytest.mark.parametrize(
    ("contract", "holds"),
    [
        ({}, True), ({"valid_to": None}, True), ({"valid_from": DAY, "valid_to": DAY}, True),
        ({"valid_to": date(2026, 3, 2)}, False), ({"valid_from": date(2026, 3, 4)}, False),
        ({"item_code": "bath_home"}, False), ({"scheme_code": "ltci"}, False), ({"scheme_code": "gov"}, True),
        ({"division_code": "620321"}, False),
    ],
)  # fmt: skip
def test_a_contract_holds_on_its_days_for_what_it_names(contract: dict[str, Any], holds: bool) -> None:
    found = contract_for([replace(CONTRACT, **contract)], PLACES, "clean_home", {"gov"}, DAY)
    assert (found is not None) == holds


def test_a_contract_for_the_scheme_goes_before_one_for_the_item() -> None:
    scheme = replace(CONTRACT, scheme_code="gov")
    item = replace(CONTRACT, item_code="clean_home", id=UUID(int=1))
    assert contract_for([item, scheme], PLACES, "clean_home", {"gov"}, DAY) == scheme


def test_a_fixed_provider_is_asked_once_and_then_the_order_goes_on_ranked() -> None:
    fixed = replace(RULE, mode=Mode.FIXED, breadth=None)
    assert plan(fixed, CONTRACT, []).provider_id == CONTRACT.provider_id
    for asked, contract, because in (
        ([CONTRACT.provider_id], CONTRACT, "fixed_provider_declined"),
        ([], None, "no_contract"),
    ):
        made = plan(fixed, contract, asked)
        assert (made.mode, made.provider_id, made.because) == (Mode.RANKED, None, because)
    assert plan(None, CONTRACT, []).mode is Mode.RANKED


def test_an_emergency_never_waits() -> None:
    for urgency in ("emergency", "urgent"):
        assert not waits_for_batch(urgency, timedelta(days=1), scarce=True)
    assert waits_for_batch("normal", timedelta(hours=2), scarce=True)
    assert not waits_for_batch("normal", timedelta(hours=2), scarce=False)
    assert not waits_for_batch("appointment", timedelta(minutes=30), scarce=True)


def test_an_order_shows_the_furthest_of_its_offers() -> None:
    assert furthest(["queued", "fetched", "sent"]) == "fetched"
    assert furthest(["queued"]) == "queued"


# --- to grab


async def test_several_are_asked_at_once_and_nobody_is_held(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    offers = await queries.live_offers(tx, order.id)
    assert (order.status, order.provider_id, order.offer_id, order.delivery) == ("dispatched", None, None, "queued")
    assert len({offer["provider_id"] for offer in offers}) == len(offers) == 3
    assert len({offer["decision_id"] for offer in offers}) == 1
    assert await tx.fetchval("SELECT count(*) FROM booking") == 0
    for offer in offers:
        assert await told(tx, offer["provider_id"]) == [("offer.made", None)]


async def test_the_first_acceptance_wins_and_the_others_are_told(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    first, *others = await queries.live_offers(tx, order.id)
    won = await service.accept(tx, by(first), first["id"], first["caregiver_id"])
    assert (won.status, won.provider_id, won.offer_id) == ("assigned", first["provider_id"], first["id"])
    assert await tx.fetchval("SELECT array_agg(status) FROM booking") == ["booked"]
    for other in others:
        assert await told(tx, other["provider_id"]) == [("offer.made", None), ("offer.withdrawn", "taken_by_other")]
        with pytest.raises(Conflict) as late:
            await service.accept(tx, by(other), other["id"], None)
        assert (late.value.code, late.value.facts["reason"]) == ("offer_withdrawn", "taken_by_other")
        with pytest.raises(Conflict):
            await service.refuse(tx, by(other), other["id"], "no_capacity", None)
    moves = await queries_reading.timeline(tx, order.id)
    assert {str(other["id"]) for other in others} == set(moves[-1]["facts"]["withdrawn"])


async def test_a_grab_without_a_name_holds_somebody_of_the_winner(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    offer = (await queries.live_offers(tx, order.id))[1]
    team = town.caregivers[town.providers.index(offer["provider_id"])]
    # Whoever was suggested is busy by now.
    busy = await make_order(tx, town.elder)
    await tx.run("UPDATE offer SET status = 'expired' WHERE order_id = $1", busy.id)
    await book(tx, busy, offer["caregiver_id"])
    won = await service.accept(tx, by(offer), offer["id"], None)
    held = await tx.fetch("SELECT caregiver_id, status FROM booking WHERE order_id = $1", order.id)
    other = next(c for c in team if c != offer["caregiver_id"])
    assert (won.status, [tuple(row) for row in held]) == ("accepted", [(other, "held")])
    assert (await queries.offer(tx, offer["id"]))["caregiver_id"] == other


async def test_a_winner_with_nobody_left_loses_and_the_others_may_still_grab(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    poor, rich, _ = await queries.live_offers(tx, order.id)
    busy = await make_order(tx, town.elder)
    for number, caregiver in enumerate(town.caregivers[town.providers.index(poor["provider_id"])]):
        await book(tx, busy, caregiver, role=("lead", "second")[number])
    for name in (None, poor["caregiver_id"]):
        with pytest.raises(Conflict) as refused:
            async with tx.savepoint():
                await service.accept(tx, by(poor), poor["id"], name)
        assert refused.value.code == ("nobody_left" if name is None else "caregiver_busy")
    assert {offer["status"] for offer in await queries.live_offers(tx, order.id)} == {"offered"}
    assert (await service.accept(tx, by(rich), rich["id"], None)).status == "accepted"


async def test_the_order_waits_until_the_last_has_refused_and_then_goes_on(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    offers = await queries.live_offers(tx, order.id)
    for offer in offers[:-1]:
        await service.refuse(tx, by(offer), offer["id"], "no_capacity", None)
        assert (await orders.get(tx, order.id)).status == "dispatched"
    last = offers[-1]
    await service.refuse(tx, by(last), last["id"], "no_capacity", None)
    after = await orders.get(tx, order.id)
    assert (after.status, after.provider_id) == (
        "dispatched",
        (set(town.providers) - {o["provider_id"] for o in offers}).pop(),
    )
    assert [reason for status, reason in await story(tx, order.id) if reason and "refused" in reason] == [
        "refused:no_capacity"
    ] * 3
    # With one provider left nobody competes: it is offered as usual, with a caregiver held.
    assert (await queries.open_offer(tx, order.id))["mode"] == "ranked"
    assert (await queries_decisions.decisions(tx, order.id))[-1]["reason"] == "nobody_to_compete"


async def test_a_grab_that_nobody_answers_expires_as_one_round(tx: Tx, town: Town) -> None:
    await grabbing(tx, breadth=2)
    order = await make_order(tx, town.elder)
    first = await queries.live_offers(tx, order.id)
    with clock.hold(TUESDAY_TEN + timedelta(minutes=16)):
        assert await tasks.expire_offers(tx) == 2
        second = await queries.live_offers(tx, order.id)
    assert {o["provider_id"] for o in first}.isdisjoint(o["provider_id"] for o in second)
    assert [offer["attempt"] for offer in second] == [2, 2]
    expired = [await queries.offer(tx, offer["id"]) for offer in first]
    assert [(offer["status"], offer["delivery"]) for offer in expired] == [("expired", "expired")] * 2


async def test_a_cancelled_grab_is_withdrawn_from_everybody(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    offers = await queries.live_offers(tx, order.id)
    await orders.cancel(tx, SYSTEM, order.id, "not_needed", "elder")
    for offer in offers:
        assert (await told(tx, offer["provider_id"]))[-1] == ("offer.withdrawn", "order_cancelled")
    last = (await queries_reading.timeline(tx, order.id))[-1]
    assert (last["after"], set(last["facts"]["withdrawn"])) == ("cancelled", {str(o["id"]) for o in offers})


async def test_taking_back_a_grab_withdraws_all_and_says_so(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    offers = await queries.live_offers(tx, order.id)
    await service.redispatch(tx, SYSTEM, order.id, "家属要求")
    released = next(
        row for row in await queries_reading.timeline(tx, order.id) if row["after"] == "placed" and row["before"]
    )
    assert set(released["facts"]["withdrawn"]) == {str(o["id"]) for o in offers}


async def test_one_is_accepted_whatever_the_code_believes(tx: Tx, town: Town) -> None:
    """The rule is the index: two accepted offers of one order cannot be, nor two open ones that nobody may grab."""
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    with pytest.raises(asyncpg.UniqueViolationError, match="ix_offer_one_accepted"):
        async with tx.savepoint():
            await tx.run("UPDATE offer SET status = 'accepted' WHERE order_id = $1", order.id)
    with pytest.raises(asyncpg.UniqueViolationError, match="ix_offer_one_open"):
        async with tx.savepoint():
            await tx.run("UPDATE offer SET mode = 'ranked' WHERE order_id = $1", order.id)


async def test_the_candidates_of_a_grab_see_a_masked_order_until_one_has_it(
    api: httpx.AsyncClient, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        town = await make_town(tx, providers=3)
        await grabbing(tx, breadth=2)
        order = await make_order(tx, town.elder)
        offers = await queries.live_offers(tx, order.id)
        keys = [await make_app_key(tx, provider_id=offer["provider_id"]) for offer in offers]
        third = next(p for p in town.providers if p not in {offer["provider_id"] for offer in offers})
        stranger = await make_app_key(tx, provider_id=third)

    async def get(key: Any, path: str) -> httpx.Response:
        return await api.get(path, headers=signed_headers(*key, "GET", path))

    for key in keys:
        event = (await get(key, "/v1/provider/feed")).json()["events"][-1]
        assert (event["type"], event["offer"]["mode"]) == ("offer.made", "grab")
        assert event["order"]["elder"].get("address") is None
        assert event["order"]["provider"] is None
    path = f"/v1/provider/orders/{order.id}"
    assert (await get(stranger, path)).status_code == 404
    accept = f"/v1/provider/offers/{offers[0]['id']}/acceptance"
    headers = signed_headers(*keys[0], "POST", accept, b"{}", **{"Idempotency-Key": "grab-1"})
    answer = await api.post(accept, content=b"{}", headers=headers)
    assert answer.json()["elder"]["address"]
    assert (await get(keys[1], path)).status_code == 404
    lost = (await get(keys[1], "/v1/provider/feed")).json()["events"][-1]
    assert (lost["type"], lost["facts"], lost["order"]) == ("offer.withdrawn", {"reason": "taken_by_other"}, None)


# --- by contract


async def test_the_contracted_provider_is_asked_whatever_the_ranking_says(tx: Tx, town: Town) -> None:
    await set_mode(tx, mode=Mode.FIXED)
    ranking = {offer["provider_id"] for offer in await ask_around(tx, town)}
    chosen = next(p for p in town.providers if p not in ranking)
    await fix(tx, chosen)
    order = await make_order(tx, town.elder)
    assert (order.provider_id, (await queries.open_offer(tx, order.id))["mode"]) == (chosen, "fixed")


async def ask_around(tx: Tx, town: Town) -> list[Any]:
    """Who would be asked without a contract."""
    order = await make_order(tx, town.elder)
    offers = await queries.live_offers(tx, order.id)
    await orders.cancel(tx, SYSTEM, order.id, "not_needed", "elder")
    return offers


@pytest.mark.parametrize("why", ["refuses", "has nobody", "is not contracted"])
async def test_without_the_contracted_provider_the_order_goes_on_ranked_and_says_why(
    tx: Tx, town: Town, why: str
) -> None:
    version = await set_mode(tx, mode=Mode.FIXED)
    if why != "is not contracted":
        await fix(tx, town.providers[0])
    if why == "has nobody":
        await tx.run("UPDATE caregiver SET status = 'inactive' WHERE provider_id = $1", town.providers[0])
    order = await make_order(tx, town.elder)
    if why == "refuses":
        offer = await queries.open_offer(tx, order.id)
        await service.refuse(tx, by(offer), offer["id"], "no_capacity", None)
    offer = await queries.open_offer(tx, order.id)
    decision = (await queries_decisions.decisions(tx, order.id))[-1]
    assert offer["mode"] == "ranked"
    if why != "is not contracted":  # Without a contract the first provider is one among four.
        assert offer["provider_id"] != town.providers[0]
    because = {
        "refuses": "fixed_provider_declined", "has nobody": "fixed_provider_has_nobody",
        "is not contracted": "no_contract",
    }[why]  # fmt: skip
    assert (decision["reason"], decision["mode_version"]) == (because, version)
    assert (await story(tx, order.id))[-1] == ("dispatched", because)


async def test_two_contracts_for_the_same_cannot_hold_together(tx: Tx, town: Town) -> None:
    first = await fix(tx, town.providers[0], valid_to=DAY + timedelta(days=30))
    with pytest.raises(Conflict):
        await fix(tx, town.providers[1])
    await fix(tx, town.providers[1], item_code="clean_home")
    await mode_rules.end_contract(tx, SYSTEM, first, DAY, "终止")
    await fix(tx, town.providers[1], valid_from=DAY + timedelta(days=1))


async def test_a_contract_cannot_end_before_what_was_done_under_it(tx: Tx, town: Town) -> None:
    made = await fix(tx, town.providers[0])
    with pytest.raises(Invalid):
        await mode_rules.end_contract(tx, SYSTEM, made, DAY - timedelta(days=3), "终止")
    with pytest.raises(NotFound):
        await mode_rules.end_contract(tx, SYSTEM, uuid4(), DAY, "终止")


# --- the rules' doors


async def test_a_supervisor_changes_the_mode_and_it_stands_in_the_audit(
    api: httpx.AsyncClient, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        town = await make_town(tx, providers=3)
    operator, supervisor = [await staff_token(clean_database, (role,)) for role in ("operator", "supervisor")]
    body = {
        "division_code": "620302", "mode": "grab", "breadth": 2, "valid_from": "2026-03-03", "reason": "试行抢单"
    }  # fmt: skip

    async def post(token: str, key: str, path: str = "/v1/dispatch-modes", json: Any = body) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return await api.post(path, json=json, headers=headers)

    assert (await post(operator, "mode-a")).status_code == 403
    assert (await post(supervisor, "mode-b", json=body | {"breadth": None})).status_code == 422
    made = await post(supervisor, "mode-c")
    assert made.status_code == 201
    contract = {
        "provider_id": str(town.providers[0]), "division_code": "620302", "contract_number": "17",
        "valid_from": "2026-03-03",
    }  # fmt: skip
    fixed = await post(supervisor, "mode-d", "/v1/fixed-providers", contract)
    assert fixed.status_code == 201
    assert (await post(supervisor, "mode-e", "/v1/fixed-providers", contract)).status_code == 409
    headers = {"Authorization": f"Bearer {operator}"}
    shown = (await api.get("/v1/dispatch-modes?division=620302001", headers=headers)).json()
    assert [(row["version"], row["mode"], row["breadth"]) for row in shown] == [(made.json()["version"], "grab", 2)]
    fixed_view = (await api.get("/v1/fixed-providers", headers=headers)).json()
    assert [row["id"] for row in fixed_view] == [fixed.json()["id"]]
    async with clean_database.transaction() as tx:
        audited = await tx.fetch("SELECT action FROM audit_entry WHERE action LIKE 'dispatch.%' ORDER BY at, id")
        order = await make_order(tx, town.elder)
    assert [row["action"] for row in audited] == ["dispatch.set_mode", "dispatch.fix_provider"]
    asked = (await api.get(f"/v1/orders/{order.id}/offers", headers=headers)).json()
    assert [(offer["mode"], offer["status"], offer["delivery"]) for offer in asked] == [
        ("grab", "offered", "queued")
    ] * 2


# --- the story


async def test_an_emergency_is_offered_in_the_transaction_that_places_it(tx: Tx, town: Town) -> None:
    assert (await make_order(tx, town.elder, urgency="emergency")).status == "dispatched"


@pytest.mark.parametrize("how", ["refused", "expired", "taken back", "cancelled", "by hand"])
async def test_every_end_of_an_offer_stands_in_the_orders_timeline(tx: Tx, town: Town, how: str) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    if how == "refused":
        await service.refuse(tx, by(offer), offer["id"], "no_capacity", None)
    elif how == "expired":
        await service.expire(tx, offer["id"], order.id)
    elif how == "taken back":
        await service.redispatch(tx, SYSTEM, order.id, "家属要求")
    elif how == "cancelled":
        await orders.cancel(tx, SYSTEM, order.id, "not_needed", "elder")
    else:
        await service.offer_by_hand(tx, SYSTEM, order.id, town.providers[0], None, "老人指定")
    rows = await queries_reading.timeline(tx, order.id)
    ended = next(row for row in rows if row["before"] == "dispatched")
    reasons = {
        "refused": "refused:no_capacity", "expired": "offer_expired", "taken back": "家属要求",
        "cancelled": "not_needed", "by hand": "老人指定",
    }  # fmt: skip
    assert ended["reason"] == reasons[how]
    assert str(offer["id"]) in str(ended["facts"])
    assert str(offer["provider_id"]) in str(ended["facts"])
    if how == "by hand":
        assert (rows[-1]["after"], rows[-1]["reason"], rows[-1]["facts"]["mode"]) == (
            "dispatched",
            "老人指定",
            "manual",
        )


async def test_rounds_are_counted_not_offers(tx: Tx, town: Town) -> None:
    await grabbing(tx, breadth=4)
    order = await make_order(tx, town.elder)
    assert cascade.next_attempt(await queries.past_offers(tx, order.id)) == 2
    await tx.run("UPDATE offer SET attempt = $1", MAX_ATTEMPTS)
    await service.redispatch(tx, SYSTEM, order.id, "再试")
    assert (await queries_decisions.decisions(tx, order.id))[-1]["reason"] == "attempts_used_up"


async def test_a_suspended_providers_part_of_a_grab_does_not_hold_the_others_up(tx: Tx, town: Town) -> None:
    await grabbing(tx)
    order = await make_order(tx, town.elder)
    first, second, _ = await queries.live_offers(tx, order.id)
    won = await service.accept(tx, by(second), second["id"], None)
    await handlers.on_provider_suspended(tx, suspended(second["provider_id"]))
    after = await orders.get(tx, order.id)
    assert won.provider_id != after.provider_id != first["provider_id"]


def suspended(provider_id: UUID) -> Any:
    return ProviderSuspended(provider_id=provider_id, reason="检查", actor="staff:test", at=clock.now())


async def book(tx: Tx, order: OrderRow, caregiver_id: UUID, role: str = "lead") -> None:
    """Take a caregiver's day."""
    await tx.run("UPDATE booking SET status = 'released' WHERE order_id = $1 AND role = $2", order.id, role)
    await tx.run(
        """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
        VALUES (gen_random_uuid(), $1, $2, $3, 'booked', tstzrange($4, $5), $4, 60, $4)""",
        caregiver_id, order.id, role, TUESDAY_TEN - timedelta(hours=5), TUESDAY_TEN + timedelta(hours=9),
    )  # fmt: skip
