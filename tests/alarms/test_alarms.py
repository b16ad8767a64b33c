"""Emergencies on a real database: one incident for one event, and a ladder that is climbed until somebody looks."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.alarms import service, tasks
from app.alarms.service import Alarm
from app.core import clock
from app.core.crypto import SealBroken
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.elders import devices
from app.elders.facts import NewFamilyMember
from app.jobs import feed
from app.jobs.feed import Position
from tests.intake.conftest import Headers
from tests.world.accounts import make_app_key, staff_token
from tests.world.elders import make_elder
from tests.world.intake import signed_post
from tests.world.orders import TUESDAY_TEN
from tests.world.providers import make_caregiver, make_provider

SOS: dict[str, Any] = {"device_id": "860000000000015", "type": "sos"}
DOOR = "/channels/devices/aiqiangua"
STEPS = "SELECT step, due_at, taken_at, told FROM incident_step WHERE incident_id = $1 ORDER BY due_at"


@pytest.fixture
async def rules(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await service.load_default_rules(tx)


@pytest.fixture
async def maker(clean_database: Database, rules: None) -> tuple[str, str]:
    async with clean_database.transaction() as tx:
        return await make_app_key(tx, kind="device", name="aiqiangua")


@pytest.fixture
async def elder(clean_database: Database) -> UUID:
    """With a relative who may know, and a button by the bed."""
    async with clean_database.transaction() as tx:
        made = await make_elder(tx, family=(NewFamilyMember("曾小芳", "child", "13800000001", approved=True),))
        await devices.bind(tx, SYSTEM, made, "aiqiangua", SOS["device_id"], "button", None)
        return made


async def raised(tx: Tx, elder_id: UUID | None, **change: Any) -> UUID:
    usual = {"source": str(uuid4()), "kind": "sos", "channel": "device", "care_request_id": None, "elder_id": elder_id}
    return await service.raise_alarm(tx, Alarm(**usual | change))


async def climb(tx: Tx) -> None:
    """What the worker's sweeps do together."""
    await tasks.call_desk(tx)
    await tasks.tell_people(tx)


async def climb_at(database: Database, at: datetime) -> dict[str, int | None]:
    """What was told by the steps that were taken at this moment."""
    with clock.hold(at):
        return await climbed(database)


async def climbed(database: Database) -> dict[str, int | None]:
    async with database.transaction() as tx:
        await climb(tx)
        rows = await tx.fetch("SELECT step, told FROM incident_step WHERE taken_at = $1", clock.now())
    return {row["step"]: row["told"] for row in rows}


async def incidents(database: Database) -> list[Any]:
    async with database.transaction() as tx:
        return await tx.fetch("SELECT * FROM incident ORDER BY id")


async def test_repeats_join_and_the_clock_is_not_set_back(
    doors: httpx.AsyncClient, maker: Any, elder: UUID, clean_database: Database
) -> None:
    now = clock.now()
    pressed = ((0, "1", "sos"), (20, "2", "sos"), (30, "3", "fall"), (100, "4", "sos"), (100, "4", "sos"))
    for seconds, msg_id, kind in pressed:
        with clock.hold(now + timedelta(seconds=seconds)):
            assert (await signed_post(doors, maker, DOOR, SOS | {"msg_id": msg_id, "type": kind})).status_code == 200
    (one,) = await incidents(clean_database)
    assert (one["alarms"], one["elder_id"], one["severity"], one["kind"]) == (4, elder, "critical", "sos")
    assert (one["first_at"], one["last_at"]) == (now, now + timedelta(seconds=100))
    assert (one["lng"], one["lat"], one["place"]) == (102.19, 38.52, "home")
    async with clean_database.transaction() as tx:
        due = {row["step"]: row["due_at"] - now for row in await tx.fetch(STEPS, one["id"])}
    assert {step: at.total_seconds() for step, at in due.items()} == {
        "operator": 0, "family": 60, "helper": 120, "authority": 180,
    }  # fmt: skip


async def test_presses_at_once_make_one_incident(rules: None, elder: UUID, clean_database: Database) -> None:
    async def press(source: str) -> UUID:
        async with clean_database.transaction() as tx:
            return await raised(tx, elder, source=source)

    found = await asyncio.gather(*(press(f"s{number % 8}") for number in range(24)))
    assert len(set(found)) == 1
    (one,) = await incidents(clean_database)
    assert one["alarms"] == 8


async def test_the_ladder_is_climbed_while_nobody_looks(rules: None, elder: UUID, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        provider = await make_provider(tx)
        near = [await make_caregiver(tx, provider, home_lng=102.19 + place / 1000) for place in range(5)]
        await make_caregiver(tx, provider, hours=(20, 22), home_lng=102.19, home_lat=38.52)  # nearest, but off duty
        with clock.hold(TUESDAY_TEN):
            await raised(tx, elder)
    taken = [await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=s)) for s in (0, 59, 60, 120, 180, 999)]
    assert taken == [{"operator": 1}, {}, {"family": 1}, {"helper": 3}, {"authority": 1}, {}]
    async with clean_database.transaction() as tx:
        messages = await tx.fetch("SELECT template_code, recipient_id, urgent, not_before FROM outgoing_message")
        told = [entry["type"] for entry in await feed.read(tx, "desk", Position(), 20)]
    assert {row["recipient_id"] for row in messages if row["template_code"] == "sos_helper"} == set(map(str, near[:3]))
    assert all(row["urgent"] for row in messages)
    assert told == ["incident.raised", "incident.waiting", "incident.call_authority"]


async def test_who_presses_again_and_again_holds_up_no_step(rules: None, elder: UUID, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        with clock.hold(TUESDAY_TEN):
            await raised(tx, elder)
    with clock.hold(TUESDAY_TEN + timedelta(seconds=60)):
        async with clean_database.transaction() as pressing:
            await raised(pressing, elder)
            taken = await climbed(clean_database)
    assert taken == {"operator": 1, "family": 1}


async def test_steps_missed_while_everything_was_down_are_taken_at_once_and_once(
    rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        with clock.hold(TUESDAY_TEN):
            await raised(tx, elder)
    with clock.hold(TUESDAY_TEN + timedelta(hours=1)):  # once for all: the clock belongs to the process
        sweeps = await asyncio.gather(*(climbed(clean_database) for _ in range(4)))
    assert set().union(*sweeps) == {"operator", "family", "helper", "authority"}
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM outgoing_message WHERE template_code = 'sos_family'") == 1


async def test_taking_it_on_stops_no_ladder_but_verifying_does(
    doors: httpx.AsyncClient, operator: Headers, rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        with clock.hold(TUESDAY_TEN):
            incident = await raised(tx, elder)
    path = f"/v1/incidents/{incident}"
    taken = await doors.post(f"{path}/acknowledgement", headers=operator())
    assert (taken.status_code, taken.json()["status"]) == (200, "acknowledged"), taken.text
    again = await doors.post(f"{path}/acknowledgement", headers=operator())
    assert (again.status_code, again.json()["code"]) == (409, "incident_moved_on")
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=60)) == {"operator": None, "family": 1}
    early = await doors.post(f"{path}/closure", json={"note": "x"}, headers=operator())
    assert early.status_code == 409
    body = {"finding": "false_alarm", "code": "pressed_by_mistake", "note": "电话核实"}
    verified = await doors.post(f"{path}/verification", json=body, headers=operator())
    assert (verified.json()["finding"], verified.json()["code"]) == ("false_alarm", "pressed_by_mistake")
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=300)) == {"helper": None, "authority": None}
    closed = await doors.post(f"{path}/closure", json={"note": "已回访"}, headers=operator())
    assert [entry["what"] for entry in closed.json()["entries"]] == ["acknowledged", "verified", "closed"]
    assert closed.json()["entries"][1]["note"] == "电话核实"
    assert (await doors.get("/v1/incidents", headers=operator())).json()["items"] == []
    assert len((await doors.get("/v1/incidents?closed=true", headers=operator())).json()["items"]) == 1


async def test_after_it_is_closed_the_next_press_is_a_new_incident(
    rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        first = await raised(tx, elder, source="s1")
        await tx.run("UPDATE incident SET status = 'closed', finding = 'real'")
        assert await raised(tx, elder, source="s1") == first  # told late and twice, it is still the old one
        assert await raised(tx, elder, source="s2") != first


async def test_after_a_false_alarm_the_next_press_is_a_new_incident_but_not_while_help_is_under_way(
    rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        mistaken = await raised(tx, elder)
        await tx.run("UPDATE incident SET status = 'verified', finding = 'false_alarm', code = 'testing'")
        real = await raised(tx, elder)
        assert real != mistaken
        assert len(await tx.fetch(STEPS, real)) == 4
        await tx.run("UPDATE incident SET status = 'verified', finding = 'real' WHERE id = $1", real)
        assert await raised(tx, elder) == real


async def test_what_was_real_and_never_closed_swallows_no_later_alarm(
    rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        with clock.hold(TUESDAY_TEN):
            monday = await raised(tx, elder)
            await tx.run("UPDATE incident SET status = 'verified', finding = 'real'")
        with clock.hold(TUESDAY_TEN + timedelta(minutes=29)):
            assert await raised(tx, elder) == monday
        with clock.hold(TUESDAY_TEN + timedelta(minutes=60)):
            thursday = await raised(tx, elder)
        assert thursday != monday
        assert await tx.fetchval("SELECT status FROM incident WHERE id = $1", monday) == "closed"
        assert len(await tx.fetch(STEPS, thursday)) == 4


async def test_one_caregiver_whose_number_cannot_be_read_keeps_it_from_nobody_else(
    rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        provider = await make_provider(tx)
        near = [await make_caregiver(tx, provider, home_lng=102.19 + place / 1000) for place in range(3)]
        await tx.run("UPDATE caregiver SET phone = decode('00', 'hex') || phone WHERE id = $1", near[0])
        with clock.hold(TUESDAY_TEN):
            await raised(tx, elder)
    assert (await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=200)))["helper"] == 2


async def test_a_step_that_fails_stops_no_other(
    rules: None, elder: UUID, clean_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with clean_database.transaction() as tx:
        with clock.hold(TUESDAY_TEN):
            await raised(tx, elder)

    async def broken(*_: object) -> int:
        raise SealBroken("made with another key")

    monkeypatch.setattr(tasks, "_family", broken)
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=200)) == {
        "operator": 1, "family": 0, "helper": 0, "authority": 1,
    }  # fmt: skip
    async with clean_database.transaction() as tx:
        told = [entry["type"] for entry in await feed.read(tx, "desk", Position(), 20)]
    assert told == ["incident.raised", "incident.waiting", "incident.call_authority", "incident.step_failed"]


@pytest.mark.parametrize(
    "body", [{"finding": "false_alarm"}, {"finding": "real", "code": "testing"}, {"finding": "maybe"}]
)
async def test_a_false_alarm_says_why(
    doors: httpx.AsyncClient, operator: Headers, rules: None, clean_database: Database, body: dict[str, str]
) -> None:
    async with clean_database.transaction() as tx:
        incident = await raised(tx, None, device="aiqiangua:1")
    answer = await doors.post(f"/v1/incidents/{incident}/verification", json=body, headers=operator())
    assert answer.status_code == 422


async def test_what_nobody_knows_is_everybodys_and_what_is_known_stays_in_its_district(
    doors: httpx.AsyncClient, operator: Headers, rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        known, unknown = await raised(tx, elder), await raised(tx, None, device="x:1", kind="x-99")
    elsewhere = {"Authorization": f"Bearer {await staff_token(clean_database, divisions=('620321',))}"}
    seen = (await doors.get("/v1/incidents", headers=elsewhere)).json()["items"]
    assert [(one["id"], one["severity"]) for one in seen] == [(str(unknown), "serious")]
    assert (await doors.get(f"/v1/incidents/{known}", headers=elsewhere)).status_code == 404
    both = (await doors.get("/v1/incidents?limit=1", headers=operator())).json()
    assert both["next_cursor"]
    called = await doors.post(
        f"/v1/incidents/{known}/calls", json={"whom": "120", "note": "8 分钟"}, headers=operator()
    )
    assert called.json()["entries"][0]["facts"] == {"whom": "120"}


async def test_a_graver_alarm_makes_the_incident_graver_and_brings_its_steps_forward(
    rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        with clock.hold(TUESDAY_TEN):
            incident = await raised(tx, elder, kind="water")
        with clock.hold(TUESDAY_TEN + timedelta(seconds=30)):
            assert await raised(tx, elder, kind="fall", lng=102.2, lat=38.6) == incident
        due = {row["step"]: (row["due_at"] - TUESDAY_TEN).total_seconds() for row in await tx.fetch(STEPS, incident)}
    (one,) = await incidents(clean_database)
    assert (one["severity"], one["kind"], one["place"], one["lng"]) == ("critical", "fall", "device", 102.2)
    assert due == {"operator": 0, "family": 60, "helper": 120, "authority": 180}


async def test_what_no_message_could_say_is_said_by_the_elders_own_desk(
    rules: None, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        with clock.hold(TUESDAY_TEN):
            incident = await raised(tx, elder)
            division = await tx.fetchval("SELECT division_code FROM incident WHERE id = $1", incident)
    await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=300))
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT division_code FROM outgoing_message WHERE template_code LIKE 'sos%'")
    assert {row["division_code"] for row in rows} == {division}
    assert division is not None
