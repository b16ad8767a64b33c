"""A plan becomes bookings, offers and assignments: all of it or nothing, once, and never from a stale day."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.core import clock
from app.core.db import Database
from app.core.errors import Conflict, Stale
from app.core.http import SYSTEM
from app.dispatch import queries as dispatch_queries
from app.matching import queries_availability
from app.orders import service as orders
from app.providers import workforce
from app.rounds import publishing, storing
from tests.rounds.days import WEDNESDAY, accepted, at, everything, live, plan_row, planned, small_day
from tests.world.orders import TUESDAY_TEN, make_order


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


async def test_every_visit_is_booked_as_planned_and_the_days_are_marked(database: Database) -> None:
    await small_day(database)
    plan_id = await planned(database)
    row = await plan_row(database, plan_id)
    assert (row["status"], row["failure"]) == ("ready", None), row["failure_detail"]
    async with database.transaction() as tx:
        counts = await publishing.publish(tx, SYSTEM, plan_id, row["version"])
    plan = storing.plan_from(row["plan"])
    assert plan.unserved == ()
    midnight = clock.day_bounds(WEDNESDAY)[0]
    expected = {
        (UUID(stop.task.split("/")[0]), UUID(one.caregiver)): midnight + timedelta(seconds=stop.starts)
        for one in plan.rounds
        for stop in one.stops
    }
    async with database.transaction() as tx:
        booked = {(b[0], b[2]): b[6] for b in await live(tx)}
        assert booked == expected
        assert sum(counts.values()) == 6
        for order_id, _ in expected:
            order = await orders.get(tx, order_id)
            offer = await dispatch_queries.open_offer(tx, order_id)
            assert order.status in ("dispatched", "accepted", "assigned")
            assert offer["starts_at"] == next(when for (name, _), when in expected.items() if name == order_id)
            assert offer["provider_id"] == order.provider_id
            people = {who for name, who in expected if name == order_id}
            assert people == {offer["caregiver_id"], offer["second_caregiver_id"]} - {None}
            if order.status == "assigned":
                assert people == {order.caregiver_id, order.second_caregiver_id} - {None}
        assert await queries_availability.drifted(tx, WEDNESDAY) == []
        assert await tx.fetchval("SELECT count(*) FROM care_order WHERE status = 'dispatched'") == 3
    assert (await plan_row(database, plan_id))["status"] == "published"


async def test_what_was_offered_by_the_plan_is_accepted_like_any_other(database: Database) -> None:
    await small_day(database)
    plan_id = await planned(database)
    async with database.transaction() as tx:
        await publishing.publish(tx, SYSTEM, plan_id, None)
        offers = await tx.fetch("SELECT order_id FROM offer WHERE mode = 'round' AND status = 'offered'")
        assert offers
        for row in offers:
            order = await accepted(tx, await orders.get(tx, row["order_id"]))
            assert order.status == "assigned"


async def test_one_booking_in_the_way_fails_the_whole_and_names_it(database: Database) -> None:
    town = await small_day(database)
    plan_id = await planned(database)
    row = await plan_row(database, plan_id)
    waiting = str(await _waiting(database))
    offered = next(
        stop
        for one in row["plan"]["rounds"] for stop in one[4]
        if stop[0].startswith(waiting)
    )  # fmt: skip
    who = next(UUID(one[0]) for one in row["plan"]["rounds"] if offered in one[4])
    begin = clock.day_bounds(WEDNESDAY)[0] + timedelta(seconds=offered[2])
    async with database.transaction() as tx:
        other = await make_order(tx, town.elder, urgency="emergency")
        await tx.run("UPDATE booking SET status = 'released' WHERE order_id = $1", other.id)
        await tx.run(
            """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
            VALUES ($1, $2, $3, 'lead', 'booked', tstzrange($4, $5), $4, 30, $4)""",
            uuid4(), who, other.id, begin, begin + timedelta(minutes=30),
        )  # fmt: skip
        await tx.run("UPDATE care_order SET wanted_from = $2 WHERE id = $1", other.id, at(40))
    before = await everything(database)
    with pytest.raises(Conflict) as lost:
        async with database.transaction() as tx:
            await publishing.publish(tx, SYSTEM, plan_id, None)
    assert lost.value.code == "caregiver_busy"
    assert lost.value.facts["order_id"] == offered[0].split("/")[0]
    assert lost.value.facts["booked_from"] == begin.isoformat()
    assert await everything(database) == before
    assert (await plan_row(database, plan_id))["status"] == "ready"
    # Negative control: without that booking the same plan is published.
    async with database.transaction() as tx:
        await tx.run("DELETE FROM booking WHERE order_id = $1", other.id)
        await publishing.publish(tx, SYSTEM, plan_id, None)


async def _waiting(database: Database) -> UUID:
    async with database.transaction() as tx:
        return await tx.fetchval("SELECT id FROM care_order WHERE status = 'placed'")


async def test_a_stale_plan_is_refused_with_the_orders_that_changed(database: Database) -> None:
    await small_day(database)
    plan_id = await planned(database)
    async with database.transaction() as tx:
        order_id = await tx.fetchval("SELECT id FROM care_order WHERE status = 'dispatched' LIMIT 1")
        cancelled = await orders.cancel(tx, SYSTEM, order_id, "not_needed", "family")
    before = await everything(database)
    with pytest.raises(Conflict) as stale:
        async with database.transaction() as tx:
            await publishing.publish(tx, SYSTEM, plan_id, None)
    assert stale.value.code == "plan_stale"
    assert stale.value.facts["orders"] == [{"id": str(order_id), "number": cancelled.number}]
    assert await everything(database) == before


async def test_a_caregiver_who_is_away_meanwhile_makes_a_plan_outdated(database: Database) -> None:
    await small_day(database)
    plan_id = await planned(database)
    row = await plan_row(database, plan_id)
    who = UUID(row["plan"]["rounds"][0][0])
    async with database.transaction() as tx:
        await workforce.excuse(tx, SYSTEM, who, {"starts_at": at(8), "ends_at": at(20), "reason": "病假"})
    before = await everything(database)
    with pytest.raises(Conflict) as outdated:
        async with database.transaction() as tx:
            await publishing.publish(tx, SYSTEM, plan_id, None)
    assert outdated.value.code == "plan_outdated"
    assert any(str(who) in one["detail"] for one in outdated.value.facts["violations"])
    assert await everything(database) == before


async def test_of_two_publications_at_once_one_wins(database: Database) -> None:
    await small_day(database)
    one, other = await planned(database), await planned(database)

    async def publish(plan_id: UUID) -> str:
        try:
            async with database.transaction() as tx:
                await publishing.publish(tx, SYSTEM, plan_id, None)
        except Conflict as refused:
            return refused.code
        return "published"

    assert sorted(await asyncio.gather(publish(one), publish(one))) == ["plan_state", "published"]
    assert await publish(other) == "plan_stale"
    async with database.transaction() as tx:
        overlaps = """SELECT count(*) FROM booking a JOIN booking b ON a.caregiver_id = b.caregiver_id AND a.id < b.id
          AND a.during && b.during WHERE a.status <> 'released' AND b.status <> 'released'"""
        assert await tx.fetchval(overlaps) == 0


async def test_another_version_of_the_plan_is_not_published(database: Database) -> None:
    await small_day(database)
    plan_id = await planned(database)
    with pytest.raises(Stale):
        async with database.transaction() as tx:
            await publishing.publish(tx, SYSTEM, plan_id, 1)


async def test_publishing_what_stands_already_changes_no_order(database: Database) -> None:
    """Only orders that move have another version; the ways of the others may be booked anew."""
    await small_day(database)
    first = await planned(database)
    async with database.transaction() as tx:
        await publishing.publish(tx, SYSTEM, first, None)
        versions = [tuple(r) for r in await tx.fetch("SELECT id, version FROM care_order ORDER BY id")]

    second = await planned(database)
    row = await plan_row(database, second)
    async with database.transaction() as tx:
        counts = await publishing.publish(tx, SYSTEM, second, None)
        after = [tuple(r) for r in await tx.fetch("SELECT id, version FROM care_order ORDER BY id")]
    assert row["cost_after"]["total"] <= row["cost_before"]["total"]
    assert sum(one != other for one, other in zip(versions, after, strict=True)) == 6 - counts["keep"]
