"""A day breaks: repairs from the quietest to the whole day, one of them chosen, and booked like any plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Database
from app.core.errors import Conflict, Invalid
from app.core.http import SYSTEM
from app.dispatch import service
from app.orders import service as orders
from app.rounds import disruptions, publishing, queries
from app.rounds.disruptions import Broken, Seeker
from app.rounds.lifecycle import Kind
from app.routing import repair
from app.routing.frontier import Frontier
from app.routing.workers import SolverFailed
from tests.rounds.days import DISTRICT, WEDNESDAY, at, everything, live, planned, small_day, wanted
from tests.world.orders import TUESDAY_TEN


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


async def mender(*what: Any) -> Frontier:
    """The real one, in this process and for a third of a second."""
    return repair.frontier(*what, budget_cpu_s=0.3)


async def no_mender(*_: Any) -> Frontier:
    raise SolverFailed("out_of_memory")


async def published_day(database: Database, caregivers: int = 3) -> Any:
    town = await small_day(database, caregivers)
    plan_id = await planned(database)
    async with database.transaction() as tx:
        await publishing.publish(tx, SYSTEM, plan_id, None)
    return town


async def reported(database: Database, kind: Kind, mend: Any = mender, **facts: Any) -> UUID:
    async with database.transaction() as tx:
        repair_id = await disruptions.report(
            tx, SYSTEM, Broken(kind=kind, facts=facts, service_day=WEDNESDAY, division=DISTRICT)
        )
    await Seeker(mend).seek(database, {"round_repair_id": str(repair_id)})
    return repair_id


async def row_of(database: Database, repair_id: UUID) -> Any:
    async with database.transaction() as tx:
        return await queries.repair(tx, repair_id)


async def ill(database: Database, mend: Any = mender) -> tuple[UUID, UUID, set[UUID]]:
    """The caregiver with most visits is ill on Wednesday: who, the disruption, which orders."""
    async with database.transaction() as tx:
        visits: dict[UUID, set[UUID]] = {}
        for row in await live(tx):
            visits.setdefault(row[2], set()).add(row[0])
    who = max(visits, key=lambda one: (len(visits[one]), one))
    repair_id = await reported(database, Kind.CAREGIVER_ILL, mend, caregiver_id=who, from_at=at(0), to_at=at(24))
    return who, repair_id, visits[who]


async def test_who_is_ill_is_absent_and_the_chosen_repair_is_booked(database: Database) -> None:
    await published_day(database)
    who, repair_id, lost = await ill(database)
    row = await row_of(database, repair_id)
    assert (row["status"], row["failure"]) == ("open", None), row["failure_detail"]
    assert row["round_plan_id"] is not None
    best = row["frontier"][-1]
    assert best["rescued"] >= len(lost)
    assert best["saved"] > 0
    assert {one["order_id"] for one in best["changes"]} >= {str(one) for one in lost}
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM caregiver_absence WHERE caregiver_id = $1", who) == 1
        await disruptions.choose(tx, SYSTEM, repair_id, best["level"], row["version"])
    async with database.transaction() as tx:
        booked = await live(tx)
        assert who not in {one[2] for one in booked}
        planned_visits = {
            (stop[0].split("/")[0], one[0]) for one in best["plan"]["rounds"] for stop in one[4]
        }  # fmt: skip
        assert {(str(one[0]), str(one[2])) for one in booked} == planned_visits
        after = await queries.repair(tx, repair_id)
    assert (after["status"], after["chosen"]) == ("chosen", best["level"])
    with pytest.raises(Conflict) as again:
        async with database.transaction() as tx:
            await disruptions.choose(tx, SYSTEM, repair_id, best["level"], None)
    assert again.value.code == "disruption_state"


async def test_who_could_come_to_a_lost_visit_is_counted_over_everybody(database: Database) -> None:
    town = await published_day(database)
    _, repair_id, lost = await ill(database)
    row = await row_of(database, repair_id)
    assert {one["order_id"] for one in row["lost"]} == {str(one) for one in lost}
    for one in row["lost"]:
        counted = sum(one[why] for why in ("has_room", "not_allowed", "out_of_shift", "no_gap"))
        assert counted == sum(map(len, town.caregivers)) - 1  # the one who is ill does not count
    assert any(one["saved_by"] for one in row["lost"])


async def test_the_quietest_repair_moves_nobody_elses_visit_to_others(database: Database) -> None:
    await published_day(database)
    _, repair_id, lost = await ill(database)
    frontier = (await row_of(database, repair_id))["frontier"]
    totals = [one["cost"]["total"] for one in frontier]
    assert totals == sorted(totals, reverse=True)
    assert [one["visits"] for one in frontier] == sorted(one["visits"] for one in frontier)
    pinned = next((one for one in frontier if one["level"] == "pinned"), None)
    if pinned is not None:
        others = {one["order_id"] for one in pinned["changes"] if one["others"]}
        assert others <= {str(one) for one in lost}


async def test_an_emergency_is_inserted(database: Database) -> None:
    town = await published_day(database)
    async with database.transaction() as tx:
        order = await wanted(tx, town.elder, 9, 12, urgency="urgent", minutes=60)
        if order.status != "placed":
            await service.take_back(tx, await orders.locked(tx, order.id), SYSTEM.actor, "test")
    repair_id = await reported(database, Kind.EMERGENCY, order_id=order.id)
    row = await row_of(database, repair_id)
    best = row["frontier"][-1]
    assert str(order.id) in {one["order_id"] for one in best["changes"]}
    async with database.transaction() as tx:
        await disruptions.choose(tx, SYSTEM, repair_id, best["level"], None)
        assert (await orders.get(tx, order.id)).status == "dispatched"


async def test_a_visit_that_takes_longer_loses_what_cannot_wait_for_it(database: Database) -> None:
    await published_day(database, caregivers=1)
    async with database.transaction() as tx:
        rows = await tx.fetch(
            """SELECT b.order_id, b.caregiver_id, b.starts_at, upper(b.during) AS until, o.status = 'assigned' AS named
            FROM booking b JOIN care_order o ON o.id = b.order_id WHERE b.status <> 'released' ORDER BY b.starts_at"""
        )
        first = next(row for row in rows if row["named"])
        await tx.run("UPDATE care_order SET status = 'in_service' WHERE id = $1", first["order_id"])
    with clock.hold(first["starts_at"] + timedelta(minutes=30)):
        repair_id = await reported(database, Kind.OVERRUN, order_id=first["order_id"], minutes=300)
        row = await row_of(database, repair_id)
        assert row["status"] == "open", row["failure_detail"]
        free_at = first["until"] + timedelta(minutes=300)
        hers = [
            one for one in rows if one["caregiver_id"] == first["caregiver_id"] and one["starts_at"] >= first["until"]
        ]
        late = {str(one["order_id"]) for one in hers if one["starts_at"] < free_at - timedelta(minutes=15)}
        assert late
        assert late <= {one["order_id"] for one in row["lost"]}
        free = (free_at - clock.day_bounds(WEDNESDAY)[0]).total_seconds()
        for one in row["frontier"]:
            leaves = [leaves for who, leaves, *_ in one["plan"]["rounds"] if who == str(first["caregiver_id"])]
            assert all(at >= free for at in leaves)
        async with database.transaction() as tx:
            await disruptions.choose(tx, SYSTEM, repair_id, row["frontier"][-1]["level"], None)
            assert (await orders.get(tx, first["order_id"])).status == "in_service"


async def test_no_repair_changes_nothing_but_the_absence_and_says_why(database: Database) -> None:
    await published_day(database)
    async with database.transaction() as tx:
        before = await live(tx)
    _, repair_id, _ = await ill(database, no_mender)
    row = await row_of(database, repair_id)
    assert (row["status"], row["failure"]) == ("failed", "out_of_memory")
    async with database.transaction() as tx:
        assert await live(tx) == before


async def test_an_unknown_level_and_a_stale_day_are_refused(database: Database) -> None:
    await published_day(database)
    _, repair_id, _ = await ill(database)
    row = await row_of(database, repair_id)
    with pytest.raises(Invalid):
        async with database.transaction() as tx:
            await disruptions.choose(tx, SYSTEM, repair_id, "7", None)
    async with database.transaction() as tx:
        order_id = await tx.fetchval("SELECT id FROM care_order WHERE status = 'dispatched' LIMIT 1")
        await orders.cancel(tx, SYSTEM, order_id, "not_needed", "family")
    before = await everything(database)
    with pytest.raises(Conflict) as stale:
        async with database.transaction() as tx:
            await disruptions.choose(tx, SYSTEM, repair_id, row["frontier"][-1]["level"], None)
    assert stale.value.code == "plan_stale"
    assert await everything(database) == before
    assert (await row_of(database, repair_id))["status"] == "open"


async def test_facts_that_are_missing_are_asked_for(database: Database) -> None:
    async with database.transaction() as tx:
        for kind in Kind:
            with pytest.raises(Invalid) as missing:
                await disruptions.report(
                    tx, SYSTEM, Broken(kind=kind, facts={}, service_day=WEDNESDAY, division=DISTRICT)
                )
            assert missing.value.code == "fact_missing"
