"""What a caregiver reports at the door reaches the desk: at once where it is dangerous, late where the phone was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.alarms.incidents import Severity
from app.core import clock
from app.core.db import Tx
from app.intake import queries, service
from app.visits.hazards import is_urgent
from tests.world import World
from tests.world.visits import Assigned


async def requests_of(tx: Tx, made: Assigned) -> list[Any]:
    found = await queries.find(
        tx, ranges=[("620000000000", "630000000000")], statuses=None, kinds=None, elder_id=made.elder_id,
        with_unplaced=True, updated_since=None, before=None, limit=20,
    )  # fmt: skip
    return [(one, service.opened(tx, one, "note")) for one in found]


async def incidents_of(tx: Tx, made: Assigned) -> list[Any]:
    return await tx.fetch("SELECT * FROM incident WHERE elder_id = $1", made.elder_id)


@pytest.mark.parametrize(
    ("code", "urgent"),
    [("gas", True), ("gas_smell", True), ("fire", True), ("health", True), ("neglect", False), ("fall", False),
     ("gaslight", False), ("unspecified", False)],
)  # fmt: skip
def test_what_waits_for_nobody(code: str, urgent: bool) -> None:
    assert is_urgent(code) is urgent


@pytest.mark.parametrize("code", ["gas", "fire", "health", "gas_smell"])
async def test_danger_is_an_incident_with_the_caregivers_words(tx: Tx, world: World, code: str) -> None:
    made: Assigned = await world.assigned_order(tx, assigned_at=clock.now() - timedelta(hours=1))
    said = made.event("hazard_reported", 59, reason_code=code, note="厨房里不对劲")
    assert [one.result for one in await made.report(tx, said, said)] == ["applied", "duplicate"]
    await made.report(tx, said)
    (incident,) = await incidents_of(tx, made)
    assert (incident["kind"], incident["severity"], incident["alarms"]) == (code.split("_")[0], Severity.CRITICAL, 1)
    assert await tx.fetchval("SELECT count(*) FROM incident_step WHERE incident_id = $1", incident["id"]) > 0
    (entry,) = await tx.fetch("SELECT * FROM incident_entry WHERE incident_id = $1", incident["id"])
    words = tx.vault.open("incident_entry.note", entry["id"], entry["note"])
    assert "厨房里不对劲" in words
    assert "离线" not in words
    assert entry["what"] == "reported"
    ((request, note),) = await requests_of(tx, made)
    assert (request.kind, request.status, request.about_order_id) == ("emergency", "escalated", made.order_id)
    assert note == words


@pytest.mark.parametrize("code", ["neglect", "electricity", "fall", "other", "loose_wire", None])
async def test_everything_else_waits_at_the_desk_until_it_is_answered(tx: Tx, world: World, code: str | None) -> None:
    made: Assigned = await world.assigned_order(tx)
    await made.report(tx, made.event("hazard_reported", 60, reason_code=code, note="已三天无人做饭"))
    ((request, note),) = await requests_of(tx, made)
    assert (request.kind, request.status, request.urgency) == ("service", "new", "urgent")
    assert note is not None
    assert "已三天无人做饭" in note
    assert "5小时0分钟后才传到" in note
    assert await incidents_of(tx, made) == []
    assert await queries.open_of_elders(tx, [made.elder_id]) == []  # relatives are not told of a suspicion


async def test_a_report_reaches_the_desk_though_the_visit_is_over_or_another_has_the_order(
    tx: Tx, world: World
) -> None:
    over: Assigned = await world.visit(tx)
    told = over.event("hazard_reported", 60, reason_code="gas")
    assert [one.result for one in await over.report(tx, told)] == ["late"]
    assert len(await incidents_of(tx, over)) == 1
    moved: Assigned = await world.assigned_order(tx)
    other = await world.caregiver(tx, moved.provider_id)
    told = moved.event("hazard_reported", 60, reason_code="gas", caregiver_id=other)
    assert [one.result for one in await moved.report(tx, told)] == ["needs_review"]
    assert len(await incidents_of(tx, moved)) == 1


async def test_two_dangers_at_one_elder_are_one_incident(tx: Tx, world: World) -> None:
    made: Assigned = await world.assigned_order(tx)
    await made.report(
        tx, made.event("hazard_reported", 60, reason_code="gas"), made.event("hazard_reported", 61, reason_code="fire")
    )
    (incident,) = await incidents_of(tx, made)
    assert incident["alarms"] == 2
    assert len(await requests_of(tx, made)) == 2


async def test_what_was_refused_is_told_to_nobody(tx: Tx, world: World) -> None:
    made: Assigned = await world.assigned_order(tx)
    stranger = await world.caregiver(tx, await world.provider(tx))
    told = made.event("hazard_reported", 60, reason_code="gas", caregiver_id=stranger)
    assert [one.result for one in await made.report(tx, told)] == ["rejected"]
    assert await incidents_of(tx, made) == []
