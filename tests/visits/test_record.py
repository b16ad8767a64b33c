"""Recording what provider apps report: the order follows, whatever the order and number of the reports."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Tx
from app.core.errors import Forbidden
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.orders import flags
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.visits import queries
from app.visits.events import ServiceCompleted, VisitChanged
from app.visits.schemas import EventResult
from app.visits.service import record
from tests.world import World
from tests.world.visits import HOME, Assigned

FAR = HOME | {"lat": 38.60}


def words(results: list[EventResult]) -> list[str]:
    return [result.result for result in results]


async def visit_of(tx: Tx, order_id: UUID) -> dict[str, Any]:
    row = await queries.one(tx, order_id)
    assert row is not None
    return row


@pytest.fixture
def heard(tx: Tx) -> list[Any]:
    """Every event published in this transaction, with nobody else listening."""
    told: list[Any] = []

    async def publish(fact: Any) -> None:
        told.append(fact)

    tx.publish = publish  # type: ignore[method-assign]
    return told


async def test_a_visit_from_departure_to_completion(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.assigned_order(tx)
    assert words(await made.report(tx, made.event("departed", 5), made.event("arrived", 18))) == ["applied"] * 2
    assert (await orders.get(tx, made.order_id)).status == "assigned"
    await made.report(tx, made.event("checked_in", 20))
    assert (await orders.get(tx, made.order_id)).status == "in_service"
    await made.report(tx, made.event("checked_out", 120.5))
    order = await orders.get(tx, made.order_id)
    assert (order.status, order.outcome) == ("completed", "done")
    assert order.completed_at == made.at + timedelta(minutes=120.5)
    assert order.visit is not None
    assert order.visit["minutes"] == 100
    row = await visit_of(tx, made.order_id)
    assert (row["verification"], row["reasons"]) == ("verified", [])
    assert (row["begin_place"], row["begin_distance_m"]) == ("inside", 0)
    done = [fact for fact in heard if isinstance(fact, ServiceCompleted)]
    assert [(fact.minutes, fact.outcome, fact.verification) for fact in done] == [(100, "done", "verified")]
    changes = [fact.status for fact in heard if isinstance(fact, VisitChanged)]
    assert changes == ["arrived", "in_service", "ended"]


async def test_any_arrival_gives_the_same_visit_and_order(tx: Tx, world: World, heard: list[Any]) -> None:
    chance = random.Random(77)
    ends = set()
    for _ in range(25):
        made: Assigned = await world.assigned_order(tx)
        events = [
            made.event("departed", 5),
            made.event("arrived", 18),
            made.event("checked_in", 20),
            made.event("checked_in", 24),
            made.event("checked_out", 110),
            made.event("checked_out", 140),
            made.event("evidence_added", 60),
            made.event("hazard_reported", 61, reason_code="loose_wire"),
            made.event("checked_in", 22, caregiver_id=await world.caregiver(tx, made.provider_id)),
            made.event("checked_in", -90),
        ]
        arrivals = events + chance.choices(events, k=5)
        chance.shuffle(arrivals)
        while arrivals:
            size = chance.randrange(1, 5)
            await made.report(tx, *arrivals[:size])
            arrivals = arrivals[size:]
        row, order = await visit_of(tx, made.order_id), await orders.get(tx, made.order_id)
        minutes_in = {
            name: (row[name] - made.at) / timedelta(minutes=1)
            for name in ("departed_at", "arrived_at", "began_at", "ended_at")
        }
        assert order.completed_at is not None
        told = {name: value for name, value in (order.visit or {}).items() if not name.endswith("_at")}
        ends.add(
            repr(
                [
                    minutes_in,
                    row["minutes"],
                    row["status"],
                    row["verification"],
                    row["reasons"],
                    row["hazards"],
                    order.status,
                    order.outcome,
                    (order.completed_at - made.at) / timedelta(minutes=1),
                    told,
                ]
            )
        )
    assert len(ends) == 1
    assert "'ended_at': 110.0" in ends.pop()
    assert sum(isinstance(fact, ServiceCompleted) for fact in heard) == 25


async def test_failed_and_finished_come_out_alike_whoever_comes_first(tx: Tx, world: World, heard: list[Any]) -> None:
    outcomes = set()
    for order_of_arrival in ([0, 1, 2], [2, 0, 1], [1, 0, 2], [0, 2, 1]):
        made: Assigned = await world.assigned_order(tx)
        events = [
            made.event("checked_in", 30),
            made.event("checked_out", 130),
            made.event("failed", 10, reason_code="elder_absent"),
        ]
        for position in order_of_arrival:
            await made.report(tx, events[position])
        order, row = await orders.get(tx, made.order_id), await visit_of(tx, made.order_id)
        outcomes.add((order.status, order.outcome, order.outcome_reason, row["verification"], tuple(row["reasons"])))
    assert outcomes == {("completed", "not_done", "elder_absent", "review", ("finished_and_failed",))}


async def test_the_same_id_again_changes_nothing_and_another_body_is_refused(
    tx: Tx, world: World, heard: list[Any]
) -> None:
    made: Assigned = await world.assigned_order(tx)
    event = made.event("arrived", 10)
    elsewhere = event.model_copy(update={"occurred_at": event.occurred_at.astimezone(UTC) + timedelta(minutes=1)})
    assert words(await made.report(tx, event, event)) == ["applied", "duplicate"]
    before = await visit_of(tx, made.order_id)
    assert words(await made.report(tx, event)) == ["duplicate"]
    [result] = await made.report(tx, elsewhere)
    assert (result.result, result.reason) == ("rejected", "event_id_reused")
    other: Assigned = await world.assigned_order(tx, provider_id=made.provider_id)
    reused = other.event("arrived", 10, event_id=event.event_id)
    [result] = await other.report(tx, reused)
    assert (result.result, result.reason) == ("rejected", "event_id_reused")
    assert await visit_of(tx, made.order_id) == before


async def test_who_does_not_hold_the_order_cannot_move_it(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.assigned_order(tx)
    colleague = await world.caregiver(tx, made.provider_id)
    [result] = await made.report(tx, made.event("checked_in", 20, caregiver_id=colleague))
    assert (result.result, result.reason) == ("needs_review", "caregiver_does_not_hold_the_order")
    assert (await orders.get(tx, made.order_id)).status == "assigned"
    stranger: Assigned = await world.assigned_order(tx)
    [result] = await record(tx, stranger.app, [made.event("checked_in", 20, caregiver_id=stranger.caregiver_id)])
    assert (result.result, result.reason) == ("rejected", "order_unknown")
    [result] = await record(tx, made.app, [made.event("checked_in", 20, caregiver_id=stranger.caregiver_id)])
    assert (result.result, result.reason) == ("rejected", "caregiver_unknown")
    [result] = await made.report(tx, made.event("arrived", 1, order_id=new_id()))
    assert (result.result, result.reason) == ("rejected", "order_unknown")
    [result] = await made.report(tx, made.event("arrived", 1, evidence=[new_id()]))
    assert (result.result, result.reason) == ("rejected", "evidence_unknown")
    with pytest.raises(Forbidden):
        await record(tx, SYSTEM, [made.event("arrived", 1)])
    caregiver = replace(made.app, kind="caregiver", id=str(colleague))
    [result] = await record(tx, caregiver, [made.event("arrived", 1)])
    assert result.reason == "caregiver_is_not_the_caller"


async def test_events_after_release_stay_as_evidence(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.assigned_order(tx)
    await made.report(tx, made.event("departed", 5))
    order = await orders.locked(tx, made.order_id)
    await orders.release(tx, order, actor="staff:1", reason="caregiver_ill")
    [result] = await made.report(tx, made.event("checked_in", 20))
    assert (result.result, result.reason) == ("needs_review", "order_not_assigned")
    row = await visit_of(tx, made.order_id)
    assert (row["status"], row["departed_at"]) == ("expected", None)


async def test_another_caregiver_starts_with_a_clean_visit(tx: Tx, world: World) -> None:
    """With everybody listening: the old caregiver's way there is not the new one's."""
    made: Assigned = await world.assigned_order(tx)
    await made.report(tx, made.event("departed", 5), made.event("arrived", 9))
    assert ((await orders.get(tx, made.order_id)).visit or {})["status"] == "arrived"
    other = await world.caregiver(tx, made.provider_id)
    order = await orders.locked(tx, made.order_id)
    now = clock.now()
    await orders.advance(tx, order, Status.ASSIGNED, actor="staff:1", caregiver_id=other, assigned_at=now, visit=None)
    row = await visit_of(tx, made.order_id)
    assert (row["status"], row["caregiver_id"], row["arrived_at"]) == ("expected", other, None)
    taken_over = replace(made, caregiver_id=other, at=now - timedelta(minutes=4))
    await made.report(tx, taken_over.event("checked_in", 1), made.event("checked_in", 2))
    row = await visit_of(tx, made.order_id)
    assert (row["status"], row["began_at"]) == ("in_service", now - timedelta(minutes=3))
    released = await world.assigned_order(tx)
    await released.report(tx, released.event("departed", 5))
    await orders.release(tx, await orders.locked(tx, released.order_id), actor="staff:1", reason="ill")
    assert (await orders.get(tx, released.order_id)).visit is None
    assert (await visit_of(tx, released.order_id))["status"] == "expected"


async def test_impossible_times_and_late_events(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.assigned_order(tx)
    results = await made.report(tx, made.event("checked_in", -10), made.event("checked_in", 6 * 60 + 30))
    assert [(r.result, r.reason) for r in results] == [
        ("needs_review", "before_assignment"),
        ("needs_review", "in_the_future"),
    ]
    await made.report(tx, made.event("checked_in", 10), made.event("checked_out", 100))
    [result] = await made.report(tx, made.event("departed", 2))
    assert (result.result, result.reason) == ("late", "order_completed")
    assert (await visit_of(tx, made.order_id))["departed_at"] == made.at + timedelta(minutes=2)


async def test_a_held_order_waits_for_the_flag_to_fall(tx: Tx, world: World, heard: list[Any]) -> None:
    from app.visits.handlers import on_order_flagged

    made: Assigned = await world.assigned_order(tx, flags=["suspended"])
    await made.report(tx, made.event("checked_in", 10), made.event("checked_out", 100))
    assert (await orders.get(tx, made.order_id)).status == "assigned"
    await flags.drop(tx, made.order_id, "suspended", "staff:1")
    await on_order_flagged(tx, heard[-1])
    assert (await orders.get(tx, made.order_id)).status == "completed"


async def test_review_when_away_from_home_short_manual_or_back_filled(tx: Tx, world: World, heard: list[Any]) -> None:
    async def reasons(assigned_hours_ago: int = 6, minutes: int = 100, **overrides: Any) -> list[str]:
        at = clock.now() - timedelta(hours=assigned_hours_ago)
        made: Assigned = await world.assigned_order(tx, assigned_at=at)
        await made.report(
            tx, made.event("checked_in", 5, **overrides), made.event("checked_out", 5 + minutes, **overrides)
        )
        row = await visit_of(tx, made.order_id)
        assert (row["verification"] == "review") == bool(row["reasons"])
        return list(row["reasons"])

    assert await reasons() == []
    assert await reasons(location=FAR) == ["outside_at_both_ends"]
    assert await reasons(location=None) == []
    assert await reasons(minutes=10) == ["duration_short"]
    assert await reasons(method="manual") == ["manual_entry"]
    assert await reasons(assigned_hours_ago=23) == []
    assert await reasons(assigned_hours_ago=27) == ["manual_entry"]


async def test_few_statements_per_event(tx: Tx, world: World, heard: list[Any]) -> None:
    await world.visit(tx)  # the driver looks types up once per connection
    made: Assigned = await world.assigned_order(tx)
    await made.report(tx, made.event("departed", 5))
    asked: list[str] = []
    connection = await tx.raw()
    connection.add_query_logger(lambda entry: asked.append(entry.query))
    await made.report(tx, made.event("checked_in", 20))
    checked_in = len(asked)
    await made.report(tx, made.event("checked_out", 100))
    assert checked_in <= 4
    assert len(asked) - checked_in <= 8
