"""After the visit: who is called, what ratings do, when orders close, what complaints hold up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.clock import SHANGHAI
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.followup import complaints, handlers, queries_complaints, service, tasks
from app.followup.complaints import Grievance
from app.followup.events import ComplaintDecided, ComplaintOpened, FollowupClosed, RatingRecorded
from app.followup.schemas import Attempt, FamilyRating
from app.intake.events import ComplaintReceived
from app.orders import flags
from app.orders import service as orders
from app.orders.events import OrderFlagged
from app.visits.events import ServiceCompleted
from tests.world import World
from tests.world.visits import Assigned

CITY = ("620300",)
ANOTHER = Caller(kind="staff", id="2", name="李", roles=frozenset({"operator"}), divisions=CITY)
TAKER = Caller(kind="staff", id="operator-1", name="王", roles=frozenset({"operator"}), divisions=CITY)
FAMILY = Caller(kind="family", id="link", name="家属")


@pytest.fixture
def heard(tx: Tx) -> list[Any]:
    """Everything published; of the hearers only the planning of follow-ups is at work."""
    told: list[Any] = []

    async def publish(fact: Any) -> None:
        told.append(fact)
        if isinstance(fact, ServiceCompleted):
            await handlers.on_service_completed(tx, fact)

    tx.publish = publish  # type: ignore[method-assign]
    return told


@pytest.fixture
def of(heard: list[Any]) -> Callable[[type], list[Any]]:
    return lambda kind: [fact for fact in heard if isinstance(fact, kind)]


async def followup_of(tx: Tx, order_id: UUID) -> Any:
    return await tx.fetchrow("SELECT * FROM followup WHERE order_id = $1", order_id)


async def not_sampled(tx: Tx, world: World) -> Assigned:
    """A finished visit whose follow-up passes by itself."""
    first: Assigned = await world.visit(tx)
    rule = "UPDATE followup SET selection = 'not_sampled', status = 'watching', next_call_at = NULL, passes_at = $2"
    made: Assigned = await world.visit(
        tx, elder_id=first.elder_id, provider_id=first.provider_id, caregiver_id=first.caregiver_id
    )
    await tx.run(rule + " WHERE order_id = $1", made.order_id, clock.now() + timedelta(hours=72))
    return made


async def test_a_first_visit_is_called_the_next_is_drawn(tx: Tx, world: World, heard: list[Any]) -> None:
    first: Assigned = await world.visit(tx)
    row = await followup_of(tx, first.order_id)
    assert (row["selection"], row["selected_because"], row["status"]) == ("always", "first_visit", "due")
    deadline = await tx.fetchval(
        "SELECT due_at FROM order_deadline WHERE order_id = $1 AND name = 'follow_up'", first.order_id
    )
    assert row["due_at"] == deadline or deadline is None
    selections = set()
    for _ in range(12):
        again: Assigned = await world.visit(
            tx, elder_id=first.elder_id, provider_id=first.provider_id, caregiver_id=first.caregiver_id
        )
        row = await followup_of(tx, again.order_id)
        selections.add(row["selection"])
        assert (row["status"] == "watching") == (row["selection"] == "not_sampled")
        assert row["selected_because"] == "sample"
    assert selections <= {"sampled", "not_sampled"}
    assert "not_sampled" in selections


async def test_what_was_not_done_is_called(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.assigned_order(tx)
    await made.report(tx, made.event("failed", 30, reason_code="elder_absent"))
    row = await followup_of(tx, made.order_id)
    assert (row["selection"], row["selected_because"]) == ("always", "outcome_not_done")


async def test_a_call_with_a_score_closes_the_order(tx: Tx, world: World, of: Callable[[type], list[Any]]) -> None:
    made: Assigned = await world.visit(tx)
    followup_id = await world.followup_id_of(tx, made.order_id)
    result = await service.attempt(tx, ANOTHER, followup_id, Attempt(outcome="reached", solved=True, score=5))
    assert (result.counts, result.complaint_id) == (True, None)
    order = await orders.get(tx, made.order_id)
    assert (order.status, order.rating) == ("closed", 5)
    card = await tx.fetchrow("SELECT ratings, score_sum FROM scorecard WHERE caregiver_id = $1", made.caregiver_id)
    assert tuple(card.values()) == (1, 5)
    assert [(r.score, r.source) for r in of(RatingRecorded)] == [(5, "call")]
    assert [f.outcome for f in of(FollowupClosed)] == ["reached"]
    with pytest.raises(Conflict, match="over"):
        await service.attempt(tx, ANOTHER, followup_id, Attempt(outcome="reached", score=1))


async def test_whoever_took_the_order_does_not_ask(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.visit(tx)
    followup_id = await world.followup_id_of(tx, made.order_id)
    with pytest.raises(Forbidden) as refused:
        await service.attempt(tx, TAKER, followup_id, Attempt(outcome="reached", score=5))
    assert refused.value.code == "own_order"
    elsewhere = Caller(kind="staff", id="3", name="赵", roles=frozenset({"operator"}), divisions=("110000",))
    with pytest.raises(NotFound):
        await service.attempt(tx, elsewhere, followup_id, Attempt(outcome="no_answer"))
    assert (await followup_of(tx, made.order_id))["attempts"] == 0


async def test_three_unanswered_calls_on_three_parts_of_the_day(
    tx: Tx, world: World, of: Callable[[type], list[Any]]
) -> None:
    morning = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)
    with clock.hold(morning):
        made: Assigned = await world.visit(tx)
    followup_id = await world.followup_id_of(tx, made.order_id)
    tried = []
    for outcome in ("no_answer", "wrong_number", "no_answer"):
        at = (await followup_of(tx, made.order_id))["next_call_at"]
        tried.append(at.astimezone(SHANGHAI).hour)
        with clock.hold(at):
            await service.attempt(tx, ANOTHER, followup_id, Attempt(outcome=outcome))
    assert tried == [10, 14, 18]
    row = await followup_of(tx, made.order_id)
    assert (row["status"], row["outcome"], row["attempts"]) == ("closed", "unreachable", 3)
    order = await orders.get(tx, made.order_id)
    assert (order.status, order.rating) == ("closed", None)
    assert of(RatingRecorded) == []


async def test_a_refusal_is_not_satisfaction(tx: Tx, world: World, of: Callable[[type], list[Any]]) -> None:
    made: Assigned = await world.visit(tx)
    await service.attempt(tx, ANOTHER, await world.followup_id_of(tx, made.order_id), Attempt(outcome="refused"))
    row = await followup_of(tx, made.order_id)
    assert (row["outcome"], row["solved"]) == ("refused", None)
    assert (await orders.get(tx, made.order_id)).rating is None
    assert of(RatingRecorded) == []


async def test_the_first_word_counts_the_second_is_history(
    tx: Tx, world: World, of: Callable[[type], list[Any]]
) -> None:
    made = await not_sampled(tx, world)
    first = await service.rate_as_family(tx, FAMILY, made.order_id, FamilyRating(score=4, tags=["准时"]))
    again = await service.rate_as_family(tx, FAMILY, made.order_id, FamilyRating(score=5, tags=[]))
    assert (first.counts, again.counts) == (True, False)
    assert (await orders.get(tx, made.order_id)).rating == 4
    assert (await followup_of(tx, made.order_id))["outcome"] == "rated"
    assert [r.score for r in of(RatingRecorded)] == [4]
    rows = await tx.fetch("SELECT counts, first_of_source FROM rating WHERE order_id = $1 ORDER BY id", made.order_id)
    assert [tuple(row.values()) for row in rows] == [(True, True), (False, False)]
    assert await tx.fetchval("SELECT score_sum FROM scorecard WHERE caregiver_id = $1", made.caregiver_id) == 4


async def test_a_rating_before_the_end_is_refused(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.assigned_order(tx)
    with pytest.raises(Conflict) as refused:
        await service.rate_as_family(tx, FAMILY, made.order_id, FamilyRating(score=4, tags=[]))
    assert refused.value.code == "order_not_completed"


async def test_a_bad_rating_opens_a_complaint_that_flags_the_order(
    tx: Tx, world: World, of: Callable[[type], list[Any]]
) -> None:
    made = await not_sampled(tx, world)
    result = await service.rate_as_family(tx, FAMILY, made.order_id, FamilyRating(score=2, tags=[], comment="没擦窗"))
    assert result.complaint_id is not None
    order = await orders.get(tx, made.order_id)
    assert (order.status, order.rating, order.flags) == ("closed", 2, ["complaint"])
    assert len(of(ComplaintOpened)) == 1
    worse = await service.rate_as_family(tx, FAMILY, made.order_id, FamilyRating(score=1, tags=[]))
    assert worse.complaint_id == result.complaint_id
    boss = Caller(kind="staff", id="9", name="陈", roles=frozenset({"supervisor"}), divisions=CITY)
    await complaints.decide(
        tx, boss, result.complaint_id, upheld="full", measures="企业补做", rework=True, version=None
    )
    order = await orders.get(tx, made.order_id)
    assert order.flags == []
    row = await queries_complaints.shown(tx, result.complaint_id)
    rework = await orders.get(tx, row["rework_order_id"])
    assert (rework.rework_of, rework.price_fen) == (made.order_id, 0)
    assert [d.upheld for d in of(ComplaintDecided)] == ["full"]
    with pytest.raises(Conflict) as refused:
        await complaints.decide(tx, boss, result.complaint_id, upheld="no", measures="", rework=False, version=None)
    assert refused.value.code == "complaint_decided"


async def test_not_solved_with_rework_orders_the_work_again(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.visit(tx)
    followup_id = await world.followup_id_of(tx, made.order_id)
    said = Attempt(outcome="reached", solved=False, score=4, remedy="rework")
    result = await service.attempt(tx, ANOTHER, followup_id, said)
    assert result.complaint_id is not None
    row = await queries_complaints.shown(tx, result.complaint_id)
    assert row["reason_code"] == "not_solved"
    assert (await orders.get(tx, row["rework_order_id"])).rework_of == made.order_id


async def test_what_nobody_drew_passes_after_72_hours_unless_somebody_complains(
    tx: Tx, world: World, of: Callable[[type], list[Any]]
) -> None:
    quiet, loud = await not_sampled(tx, world), await not_sampled(tx, world)
    assert await tasks.auto_pass(tx) == 0
    grievance = Grievance(
        source="desk", reason_code="late", urgency="normal", order_id=loud.order_id, elder_id=loud.elder_id,
        provider_id=loud.provider_id, division_code="620302001001",
    )  # fmt: skip
    await complaints.open_(tx, ANOTHER.actor, grievance)
    with clock.hold(clock.now() + timedelta(hours=72, seconds=1)):
        assert await tasks.auto_pass(tx) == 1
        assert await tasks.auto_pass(tx) == 0
    assert (await orders.get(tx, quiet.order_id)).status == "closed"
    assert (await followup_of(tx, quiet.order_id))["outcome"] == "passed"
    assert (await followup_of(tx, loud.order_id))["status"] == "due"
    assert (await orders.get(tx, loud.order_id)).status == "completed"


async def test_a_rating_after_passing_still_counts(tx: Tx, world: World, of: Callable[[type], list[Any]]) -> None:
    made = await not_sampled(tx, world)
    with clock.hold(clock.now() + timedelta(hours=73)):
        await tasks.auto_pass(tx)
        result = await service.rate_as_family(tx, FAMILY, made.order_id, FamilyRating(score=3, tags=[]))
    assert result.counts
    assert (await orders.get(tx, made.order_id)).rating == 3
    assert [r.score for r in of(RatingRecorded)] == [3]


async def test_calls_are_announced_once(tx: Tx, world: World, heard: list[Any]) -> None:
    with clock.hold(datetime(2026, 3, 2, 22, 0, tzinfo=SHANGHAI)):
        made: Assigned = await world.visit(tx)
        assert await tasks.announce_due(tx) == 0
    with clock.hold(datetime(2026, 3, 3, 8, 0, tzinfo=SHANGHAI)):
        assert await tasks.announce_due(tx) == 1
        assert await tasks.announce_due(tx) == 0
    entry = await tx.fetchrow("SELECT audience, type FROM feed_entry WHERE order_id = $1", made.order_id)
    assert tuple(entry.values()) == ("desk", "followup.due")


async def test_complaint_deadlines_run_in_working_days(tx: Tx, world: World, heard: list[Any]) -> None:
    from app.regions import service as regions

    await regions.load_calendar(tx)
    friday = datetime(2026, 3, 6, 16, 0, tzinfo=SHANGHAI)
    reply, close = await complaints.deadlines(tx, "620302", "normal", friday)
    assert (reply, close) == (
        datetime(2026, 3, 9, 16, 0, tzinfo=SHANGHAI),
        datetime(2026, 3, 17, 16, 0, tzinfo=SHANGHAI),
    )
    reply, close = await complaints.deadlines(tx, "620302", "emergency", friday)
    assert (reply - friday, close - friday) == (timedelta(hours=2), timedelta(hours=24))


async def test_a_complaint_told_to_the_desk_becomes_one_complaint(
    tx: Tx, world: World, of: Callable[[type], list[Any]]
) -> None:
    made: Assigned = await world.visit(tx)
    for _ in range(2):
        event = ComplaintReceived(
            care_request_id=new_id(), elder_id=made.elder_id, order_id=made.order_id, channel="hotline",
            words="迟到一小时", taken_by="staff:5", at=clock.now(),
        )  # fmt: skip
        await tx.run("SET CONSTRAINTS ALL DEFERRED")
        await tx.run(
            """INSERT INTO care_request (id, channel, kind, status, urgency, elder_id, about_order_id, division_code,
              taken_by, created_at, updated_at, version)
            VALUES ($1, 'hotline', 'complaint', 'new', 'urgent', $2, $3, '620302001001', 'staff:5', $4, $4, 1)""",
            event.care_request_id, made.elder_id, made.order_id, clock.now(),
        )  # fmt: skip
        await handlers.on_complaint_received(tx, event)
    assert len(of(ComplaintOpened)) == 1
    assert (await orders.get(tx, made.order_id)).flags == ["complaint"]


async def test_a_held_order_closes_when_the_flag_falls(tx: Tx, world: World, heard: list[Any]) -> None:
    made: Assigned = await world.visit(tx)
    await flags.add(tx, made.order_id, "exception:overlap", "staff:1")
    followup_id = await world.followup_id_of(tx, made.order_id)
    await service.attempt(tx, ANOTHER, followup_id, Attempt(outcome="reached", score=5))
    order = await orders.get(tx, made.order_id)
    assert (order.status, order.rating) == ("completed", 5)
    await flags.drop(tx, made.order_id, "exception:overlap", "staff:1")
    fallen = next(fact for fact in reversed(heard) if isinstance(fact, OrderFlagged))
    await handlers.on_order_flagged(tx, fallen)
    assert (await orders.get(tx, made.order_id)).status == "closed"


async def test_a_family_rating_costs_few_statements(tx: Tx, world: World, heard: list[Any]) -> None:
    warm = await not_sampled(tx, world)  # the driver looks types up once per connection
    await service.rate_as_family(tx, FAMILY, warm.order_id, FamilyRating(score=5, tags=[]))
    made = await not_sampled(tx, world)
    asked: list[str] = []
    (await tx.raw()).add_query_logger(lambda entry: asked.append(entry.query))
    await service.rate_as_family(tx, FAMILY, made.order_id, FamilyRating(score=5, tags=[]))
    assert len(asked) <= 6
