"""What pops up: everybody a number may belong to, their orders, and nobody's data to whoever may not see it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx

from app.calls import service as calls
from app.calls.record import CallEventFacts, EventType
from app.calls.service import Reported
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.elders.facts import NewFamilyMember, NewTag
from app.orders import service as orders
from tests.calls.test_record import ABANDONED_CALL, ANSWERED_CALL, START
from tests.intake.conftest import Headers
from tests.world.accounts import staff_token
from tests.world.elders import make_elder
from tests.world.orders import Town, make_order
from tests.world.providers import make_caregiver

LANDLINE, CHILDS, AT_WORK = "0935-8210001", "13800000002", "13800000003"


async def ring(tx: Tx, caller: str | None, call_id: str = "c1", second: int = 0) -> UUID:
    """A call that rings at 8001; its id."""
    at = START + timedelta(seconds=second)
    events = [
        CallEventFacts(EventType.QUEUED, "1", at, caller=caller, called="12349", queue="home-care"),
        CallEventFacts(EventType.OFFERED, "2", at + timedelta(seconds=1), agent="8001"),
    ]
    await calls.record(tx, [Reported("pbx", "one", call_id, event) for event in events])
    found: UUID = await tx.fetchval("SELECT id FROM call WHERE call_id = $1", call_id)
    return found


async def screen(doors: httpx.AsyncClient, headers: dict[str, str], call_id: UUID) -> dict[str, Any]:
    answer = await doors.get(f"/v1/calls/{call_id}/screen", headers=headers)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_one_landline_two_elders_and_a_child_with_their_orders(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, town: Town
) -> None:
    async with clean_database.transaction() as tx:
        wife = await make_elder(
            tx, name="王秀兰", dialect="兰州话", tags=(NewTag("living_alone", date(2020, 1, 1), "登记"),),
            family=(NewFamilyMember("王强", "child", CHILDS, approved=True),),
        )  # fmt: skip
        over = [await make_order(tx, wife) for _ in range(4)]
        for order in over:
            await orders.cancel(tx, SYSTEM, order.id, "elder_declined", "elder")
        open_ = await make_order(tx, town.elder)
        calls = [await ring(tx, LANDLINE), await ring(tx, CHILDS, "c2")]
    shown = await screen(doors, operator(), calls[0])
    behind = {one["elder"]["id"]: one for one in shown["behind"]}
    assert set(behind) == {str(town.elder), str(wife)}
    assert [one["id"] for one in behind[str(town.elder)]["open_orders"]] == [str(open_.id)]
    assert [one["id"] for one in behind[str(wife)]["last_orders"]] == [str(one.id) for one in over[:0:-1]]
    assert behind[str(wife)]["elder"]["dialect"] == "兰州话"
    assert [tag["tag"] for tag in behind[str(wife)]["elder"]["tags"]] == ["living_alone"]
    assert shown["call"]["caller"]
    assert "8210001" not in str(shown)
    by_child = await screen(doors, operator(), calls[1])
    assert [(one["elder"]["id"], one["relation"]) for one in by_child["behind"]] == [
        (str(wife), "child"),
        (str(town.elder), "household"),
    ]


async def test_a_caregivers_phone_is_shown_as_such(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, town: Town
) -> None:
    async with clean_database.transaction() as tx:
        caregiver = await make_caregiver(tx, town.providers[0], phone=f"+86{AT_WORK}")
        call = await ring(tx, AT_WORK)
    shown = await screen(doors, operator(), call)
    assert shown["behind"] == []
    assert [(one["id"], one["provider_id"]) for one in shown["caregivers"]] == [
        (str(caregiver), str(town.providers[0]))
    ]


async def test_another_district_learns_only_that_there_is_somebody(
    doors: httpx.AsyncClient, clean_database: Database, town: Town
) -> None:
    async with clean_database.transaction() as tx:
        call = await ring(tx, LANDLINE)
    token = await staff_token(clean_database, divisions=("620321",))
    shown = await screen(doors, {"Authorization": f"Bearer {token}"}, call)
    assert (shown["behind"], shown["elsewhere"]) == ([], 1)
    assert str(town.elder) not in str(shown)


async def test_a_withheld_number_shows_nobody_and_a_stranger_only_earlier_calls(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, town: Town
) -> None:
    async with clean_database.transaction() as tx:
        hidden = await ring(tx, None)
        earlier = [await ring(tx, "13800000009", f"before {n}", n) for n in range(7)]
        now = await ring(tx, "13800000009", "now", 100)
    assert (await screen(doors, operator(), hidden))["calls_before"] == []
    shown = await screen(doors, operator(), now)
    assert shown["behind"] == []
    assert [one["id"] for one in shown["calls_before"]] == [str(one) for one in earlier[:1:-1]]
    missing = await doors.get(f"/v1/calls/{town.elder}/screen", headers=operator())
    assert missing.status_code == 404


async def test_the_line_and_the_past(doors: httpx.AsyncClient, operator: Headers, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await calls.record(tx, [Reported("pbx", "one", "answered", event) for event in ANSWERED_CALL])
        await calls.record(tx, [Reported("pbx", "one", "lost", event) for event in ABANDONED_CALL])
        ringing = await ring(tx, LANDLINE)
    everything = (await doors.get("/v1/calls", headers=operator())).json()["items"]
    assert [one["state"] for one in everything] == ["ringing", "over", "over"]
    on_the_line = (await doors.get("/v1/calls?state=ringing", headers=operator())).json()["items"]
    assert [one["id"] for one in on_the_line] == [str(ringing)]
    (lost,) = (await doors.get("/v1/calls?outcome=abandoned", headers=operator())).json()["items"]
    assert (lost["waited_s"], lost["callback"], lost["recorded"]) == (7, "abandoned", False)
    (answered,) = (await doors.get("/v1/calls?agent=8002", headers=operator())).json()["items"]
    assert (answered["waited_s"], answered["callback"], answered["recorded"]) == (12, None, True)
    one = await doors.get(f"/v1/calls/{lost['id']}", headers=operator())
    assert one.json() == lost
