"""From a placed order to a named caregiver, and every way it can go wrong in between."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.dispatch import assignment, queries, service, tasks
from app.dispatch.offers import MOVES, OfferStatus
from app.matching import availability, queries_decisions, replay
from app.orders import flags
from app.orders import service as orders
from app.orders import tasks as order_tasks
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town, provider_caller


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(tx: Tx) -> Town:
    return await make_town(tx)


def test_a_closed_offer_stays_closed() -> None:
    for status in (OfferStatus.REFUSED, OfferStatus.EXPIRED, OfferStatus.WITHDRAWN):
        assert not MOVES[status]


async def test_a_placed_order_is_offered_with_a_held_caregiver_and_a_kept_reason(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    assert (order.status, order.delivery) == ("dispatched", "queued")
    offer = await queries.open_offer(tx, order.id)
    assert offer["deadline_at"] == TUESDAY_TEN + timedelta(minutes=15)
    held = await tx.fetchrow("SELECT caregiver_id, status FROM booking WHERE order_id = $1", order.id)
    assert (held["caregiver_id"], held["status"]) == (offer["caregiver_id"], "held")
    decision = (await replay.decisions(tx, order.id))[0]
    assert decision["ranked"][0]["caregiver_id"] == str(offer["caregiver_id"])
    assert decision["weights_version"] is not None
    assert len(decision["ranked"]) == 4


async def test_accepting_with_the_suggested_caregiver_books_what_was_held(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    done = await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], offer["caregiver_id"])
    assert (done.status, done.caregiver_id) == ("assigned", offer["caregiver_id"])
    assert await tx.fetchval("SELECT status FROM booking WHERE order_id = $1", order.id) == "booked"


async def test_accepting_with_another_caregiver_moves_the_booking(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    team = town.caregivers[town.providers.index(offer["provider_id"])]
    other = next(c for c in team if c != offer["caregiver_id"])
    done = await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], other)
    assert done.caregiver_id == other
    live = await tx.fetch("SELECT caregiver_id FROM booking WHERE order_id = $1 AND status <> 'released'", order.id)
    assert [row["caregiver_id"] for row in live] == [other]


async def test_another_providers_offer_does_not_exist(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    stranger = next(p for p in town.providers if p != offer["provider_id"])
    with pytest.raises(NotFound):
        await service.accept(tx, provider_caller(stranger), offer["id"], None)


async def test_a_refused_offer_goes_to_the_next_provider_and_then_to_a_person(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    asked = []
    for _ in town.providers:
        offer = await queries.open_offer(tx, order.id)
        asked.append(offer["provider_id"])
        await service.refuse(tx, provider_caller(offer["provider_id"]), offer["id"], "no_capacity", None)
    assert set(asked) == set(town.providers)
    assert (await orders.get(tx, order.id)).status == "placed"
    told = await tx.fetch("SELECT type FROM feed_entry WHERE audience = 'desk'")
    assert [row["type"] for row in told if row["type"] != "order.changed"] == ["order.nobody_found"]
    assert await tx.fetchval("SELECT count(*) FROM booking WHERE status <> 'released'") == 0


async def test_an_offer_nobody_answers_expires_and_goes_on(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    first = await queries.open_offer(tx, order.id)
    with clock.hold(TUESDAY_TEN + timedelta(minutes=16)):
        with pytest.raises(Conflict) as late:
            await service.accept(tx, provider_caller(first["provider_id"]), first["id"], None)
        assert late.value.code == "offer_expired"
        assert await tasks.expire_offers(tx) == 1
        second = await queries.open_offer(tx, order.id)
    assert second["provider_id"] != first["provider_id"]
    assert (await queries.offer(tx, first["id"]))["status"] == "expired"


async def test_whoever_is_still_under_way_is_offered_a_later_time(tx: Tx) -> None:
    town = await make_town(tx, providers=1, caregivers=1)
    first = await make_order(tx, town.elder)
    busy = await tx.fetchrow("SELECT upper(during) AS until FROM booking WHERE order_id = $1", first.id)
    # Free from here on, says the calendar; but the way to the next door begins before that.
    second = await make_order(tx, town.elder, wanted_from=busy["until"])
    assert second.status == "dispatched"
    offer = await queries.open_offer(tx, second.id)
    assert offer["starts_at"] == busy["until"] + timedelta(minutes=30)


async def test_the_search_for_a_later_time_ends_while_the_clock_runs(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    town = await make_town(tx, providers=1, caregivers=1)
    first = await make_order(tx, town.elder)
    busy = await tx.fetchrow("SELECT upper(during) AS until FROM booking WHERE order_id = $1", first.id)
    # As soon as possible is just when the calendar says free; the way there begins before that, at any later moment.
    looked = iter(busy["until"] - timedelta(minutes=30) + n * timedelta(milliseconds=1) for n in range(10_000))
    monkeypatch.setattr(clock, "now", lambda: next(looked))
    second = await make_order(tx, town.elder, wanted_from=TUESDAY_TEN)
    assert second.status == "dispatched"
    offer = await queries.open_offer(tx, second.id)
    late = offer["starts_at"] - busy["until"] - timedelta(minutes=30)
    assert timedelta(0) <= late < timedelta(seconds=1)


async def test_a_window_without_a_later_time_goes_to_a_person(tx: Tx) -> None:
    town = await make_town(tx, providers=1, caregivers=1)
    first = await make_order(tx, town.elder)
    busy = await tx.fetchrow("SELECT upper(during) AS until FROM booking WHERE order_id = $1", first.id)
    window = {"wanted_from": busy["until"], "wanted_to": busy["until"] + timedelta(minutes=120)}
    second = await make_order(tx, town.elder, **window)
    assert second.status == "placed"
    assert (await queries_decisions.decisions(tx, second.id))[-1]["chosen_caregiver_id"] is None


async def test_a_suspended_order_loses_its_offer_in_time_and_holds_nobody_up(tx: Tx, town: Town) -> None:
    held = await make_order(tx, town.elder)
    other = await make_order(tx, town.elder)
    await flags.suspend(tx, SYSTEM, held.id, "老人住院")
    with clock.hold(TUESDAY_TEN + timedelta(minutes=16)):
        assert await tasks.expire_offers(tx) == 2
        waiting = await orders.get(tx, held.id)
        assert (waiting.status, waiting.flags) == ("placed", ["suspended"])
        assert (await orders.get(tx, other.id)).status == "dispatched"
        await flags.drop(tx, held.id, "suspended", "system:test", "出院")
    assert (await orders.get(tx, held.id)).status == "dispatched"


async def test_one_order_that_cannot_move_leaves_the_others_their_turn(
    tx: Tx, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = await make_order(tx, town.elder), await make_order(tx, town.elder)
    expire = service.expire

    async def stubborn(tx: Tx, offer_id: UUID, order_id: UUID) -> bool:
        if order_id == stuck.id:
            raise Conflict("order_blocked")
        return await expire(tx, offer_id, order_id)

    monkeypatch.setattr(service, "expire", stubborn)
    with clock.hold(TUESDAY_TEN + timedelta(minutes=16)):
        assert await tasks.expire_offers(tx) == 1
    assert (await orders.get(tx, stuck.id)).status == "dispatched"
    assert (await queries.past_offers(tx, other.id))[0]["status"] == "expired"


async def test_a_provider_that_names_nobody_loses_the_order(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    first = await queries.open_offer(tx, order.id)
    await service.accept(tx, provider_caller(first["provider_id"]), first["id"], None)
    with clock.hold(TUESDAY_TEN + timedelta(minutes=31)):
        await order_tasks.announce_missed_deadlines(tx)
        second = await queries.open_offer(tx, order.id)
    assert second["provider_id"] != first["provider_id"]


async def test_a_cancelled_orders_offer_cannot_be_accepted(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    await orders.cancel(tx, SYSTEM, order.id, "not_needed", "elder")
    with pytest.raises(Conflict) as refused:
        await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], None)
    assert refused.value.code == "offer_withdrawn"
    assert await tx.fetchval("SELECT count(*) FROM booking WHERE status <> 'released'") == 0


async def test_a_busy_caregiver_cannot_be_named(tx: Tx) -> None:
    town = await make_town(tx, providers=1, caregivers=2)
    provider = provider_caller(town.providers[0])
    first = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, first.id)
    await service.accept(tx, provider, offer["id"], offer["caregiver_id"])
    second = await make_order(tx, town.elder)
    suggestion = await queries.open_offer(tx, second.id)
    assert suggestion["caregiver_id"] != offer["caregiver_id"]
    with pytest.raises(Conflict) as refused:
        await service.accept(tx, provider, suggestion["id"], offer["caregiver_id"])
    assert refused.value.code == "caregiver_busy"
    assert refused.value.facts["booked_from"]


async def test_changing_the_caregiver_frees_the_first(tx: Tx) -> None:
    town = await make_town(tx, providers=1, caregivers=2)
    provider = provider_caller(town.providers[0])
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    await service.accept(tx, provider, offer["id"], offer["caregiver_id"])
    other = next(c for c in town.caregivers[0] if c != offer["caregiver_id"])
    changed = await assignment.name_caregiver(tx, provider, order.id, other, "请假")
    assert (changed.status, changed.caregiver_id) == ("assigned", other)
    live = await tx.fetch("SELECT caregiver_id FROM booking WHERE status <> 'released'")
    assert [row["caregiver_id"] for row in live] == [other]


async def test_by_hand_the_rules_hold_but_not_the_score(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    first = await queries.open_offer(tx, order.id)
    chosen = next(p for p in town.providers if p != first["provider_id"])
    await service.offer_by_hand(tx, SYSTEM, order.id, chosen, None, "家属指定")
    second = await queries.open_offer(tx, order.id)
    assert (second["provider_id"], second["mode"]) == (chosen, "manual")
    assert (await queries.offer(tx, first["id"]))["status"] == "withdrawn"
    await tx.run("UPDATE provider SET status = 'suspended' WHERE id = $1", first["provider_id"])
    with pytest.raises(Conflict) as refused:
        await service.offer_by_hand(tx, SYSTEM, order.id, first["provider_id"], None, "家属指定")
    assert refused.value.facts["funnel"][-1]["rule"] == "provider_suspended"


async def test_resuming_a_suspended_order_dispatches_it(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    await service.take_back(tx, await orders.locked(tx, order.id), "system:test", "for the test")
    await flags.suspend(tx, SYSTEM, order.id, "住院")
    assert await service.dispatch(tx, order.id) is None
    await tx.run("DELETE FROM offer")
    await flags.drop(tx, order.id, "suspended", "system:test")
    assert (await orders.get(tx, order.id)).status == "dispatched"


async def test_a_caregiver_of_another_provider_cannot_be_named(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    strangers = town.caregivers[1 - town.providers.index(offer["provider_id"])]
    with pytest.raises(NotFound):
        await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], strangers[0])


async def test_an_unfit_caregiver_is_refused_with_the_rule(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    offer = await queries.open_offer(tx, order.id)
    team = town.caregivers[town.providers.index(offer["provider_id"])]
    other = next(c for c in team if c != offer["caregiver_id"])
    await tx.run("DELETE FROM caregiver_shift WHERE caregiver_id = $1", other)
    await availability.renew(tx, [other])
    with pytest.raises(Invalid) as refused:
        await service.accept(tx, provider_caller(offer["provider_id"]), offer["id"], other)
    assert refused.value.facts["rules"] == ["off_shift"]


async def test_waiting_orders_are_tried_again(tx: Tx, town: Town) -> None:
    await tx.run("UPDATE caregiver SET status = 'inactive'")
    order = await make_order(tx, town.elder)
    assert order.status == "placed"
    await tx.run("UPDATE caregiver SET status = 'active'")
    assert await availability.put_right(tx, clock.today()) == 4
    assert await tasks.dispatch_waiting(tx) == 0
    with clock.hold(TUESDAY_TEN + timedelta(minutes=6)):
        assert await tasks.dispatch_waiting(tx) == 1


async def test_an_unknown_offer_does_not_exist(tx: Tx, town: Town) -> None:
    with pytest.raises(NotFound):
        await service.refuse(tx, provider_caller(town.providers[0]), new_id(), "no_capacity", None)
