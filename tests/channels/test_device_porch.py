"""Alarms of devices while the database is away: acknowledged once on disk, taken in with the time they came."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.accounts import guard
from app.alarms import service as incidents
from app.channels import device_messages
from app.channels import porch as porches
from app.channels.porch import ALARM, Porch
from app.channels.schemas import DeviceAlarm
from app.channels.vendors import makers
from app.core import clock
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.http import SYSTEM
from app.elders import devices
from app.intake import alarms, contacts
from tests.channels.test_wechat_proofs import Away, arrival, lying
from tests.intake.doors import client_of, small_app
from tests.world.accounts import make_app_key, signed_headers
from tests.world.elders import make_elder
from tests.world.intake import signed_post

TOKEN = "a-long-secret-0001"
PUSH, OWN = "/channels/devices/akang/push", "/channels/devices/watch"
SOS = {"device_id": "d1", "msg_id": "m1", "type": "sos"}


class World:
    """A service whose database goes away, with two makers, each of whom a first message made known."""

    def __init__(self, home: Path, away: Away, whole: Database, key: tuple[str, str]) -> None:
        self.porch, self.away, self.whole, self.key = home / "porch", away, whole, key
        self.app = small_app(away, self.porch)
        self.doors = client_of(self.app)

    async def push(self, body: bytes) -> Any:
        return await self.doors.post(PUSH, content=body, headers={"X-Push-Token": TOKEN})

    async def own(self, said: dict[str, Any]) -> Any:
        return await signed_post(self.doors, self.key, OWN, said)

    async def carry_in(self) -> int:
        self.away.down = False
        porch: Porch = self.app.state.porch
        return await porch.carry_in()

    async def rows(self, query: str) -> list[Any]:
        async with self.whole.transaction() as tx:
            return await tx.fetch(query)


@pytest.fixture
async def world(clean_database: Database, tmp_path: Path) -> Any:
    away = Away(clean_database.dsn, vault=clean_database.vault, bus=clean_database.bus, pool_size=4)
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="device", name="watch")
        await makers.put_maker(tx, SYSTEM, "akang", "form", "wgs84", TOKEN)
        await makers.put_code(tx, SYSTEM, "akang", "3", "sos")
        await makers.put_code(tx, SYSTEM, "akang", "9", "heartbeat")
        await incidents.load_default_rules(tx)
        elder = await make_elder(tx)
        await devices.bind(tx, SYSTEM, elder, "watch", "d1", "button", None)
    away.down = False
    await makers.known(away)
    await guard.device_keys(away)
    away.down = True
    made = World(tmp_path, away, clean_database, key)
    yield made
    await made.doors.aclose()
    await away.close()


async def test_alarms_taken_while_the_database_is_away_are_on_disk_and_then_incidents_once(world: World) -> None:
    before = clock.now()
    told = [await world.push(b"imei=1&data_type=3&date_str=20261122110405") for _ in range(3)]
    told += [await world.own(SOS), await world.own(SOS), await world.own(SOS | {"msg_id": "m2", "type": "fall"})]
    came = clock.now()
    assert {answer.status_code for answer in told} == {200}
    assert [answer.json() for answer in told[2:4]] == [
        {"messages": 1, "fresh": 1},
        {"contact_id": None, "fresh": True, "care_request_id": None},
    ]
    # The form's own number is the minute it came in; copies across a minute meet in the incident.
    assert len(lying(world.porch)) in {3, 4}
    assert all(b"sos" not in file.read_bytes() for file in lying(world.porch))
    with pytest.raises(Unavailable):
        world.away.down = True
        await world.app.state.porch.carry_in()
    await asyncio.sleep(0.3)
    assert await world.carry_in() >= 3
    assert not lying(world.porch)
    found = await world.rows("SELECT id, subject, first_at, last_at, alarms FROM incident ORDER BY subject")
    assert [one["subject"].split(":")[0] for one in found] == ["device", "elder"]
    assert found[1]["alarms"] == 2
    assert all(before <= one["first_at"] <= one["last_at"] <= came for one in found), "the clock runs from then on"
    steps = await world.rows(
        "SELECT min(due_at - first_at) AS wait FROM incident_step s JOIN incident i ON i.id = s.incident_id"
    )
    assert steps[0]["wait"] < timedelta(seconds=1)
    for row in await world.rows(
        "SELECT received_at AS at FROM inbound_contact UNION SELECT created_at FROM care_request"
    ):
        assert before <= row["at"] <= came
    taken_by = await world.rows("SELECT DISTINCT taken_by FROM care_request ORDER BY 1")
    assert [row["taken_by"] for row in taken_by] == sorted(["device:akang", f"device:{world.key[0]}"])
    # Said again, now that the database is back, and carried in again after a kill: nothing new.
    again = await world.own(SOS)
    assert (again.json()["fresh"], again.json()["care_request_id"] is not None) == (False, True)


async def test_a_copy_that_the_database_has_is_carried_in_without_effect(world: World) -> None:
    await world.own(SOS)
    (file,) = lying(world.porch)
    kept = file.read_bytes()
    world.away.down = False
    assert (await world.own(SOS)).json()["fresh"] is True
    assert await world.carry_in() == 1
    file.write_bytes(kept)
    both = await asyncio.gather(*(Porch(world.whole, world.porch).carry_in() for _ in range(2)))
    assert sum(both) >= 1
    counts = await world.rows(
        "SELECT (SELECT count(*) FROM incident_alarm) AS a, (SELECT count(*) FROM care_request) AS r"
    )
    assert tuple(counts[0]) == (1, 1)


async def test_signs_of_life_are_answered_and_not_kept(world: World) -> None:
    assert (await world.push(b"imei=1&data_type=9")).status_code == 200
    assert (await world.own(SOS | {"type": "heartbeat"})).status_code == 200
    assert not world.porch.exists()


async def test_nothing_unproved_is_kept(world: World) -> None:
    assert (await world.doors.post(PUSH, content=b"imei=1&data_type=3")).status_code == 401
    forged = (world.key[0], "another secret")
    assert (await signed_post(world.doors, forged, OWN, SOS)).status_code == 401
    assert (await world.doors.post(OWN, json=SOS)).status_code == 401
    strange = "/channels/devices/other"
    assert (await signed_post(world.doors, world.key, strange, SOS)).status_code == 403
    raw = b'{"device_id":"d1","msg_id":"m1","type":"sos"}'
    headers = signed_headers(*world.key, "POST", OWN, raw)
    changed = raw.replace(b"m1", b"m2")
    assert (await world.doors.post(OWN, content=changed, headers=headers)).status_code == 401
    assert not world.porch.exists()


async def test_without_database_and_disk_an_alarm_is_not_acknowledged(world: World) -> None:
    world.porch.write_text("a file where the directory should be")
    assert (await world.own(SOS)).status_code == 503
    assert (await world.push(b"imei=1&data_type=3")).status_code == 503


async def test_alarms_are_carried_in_before_all_that_came_earlier_and_even_in_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    porch: Porch = world.app.state.porch
    for number in range(porches.AT_ONCE + 5):
        await porch.take(arrival(f"msg:{number}"), contacts.PROCESS)
    await world.own(SOS)
    whole, carried = porches._store, list[str]()

    async def watched(tx: Any, one: Any, job: str) -> Any:
        carried.append(one.channel)
        if len(carried) == 2:
            await porch.keep(
                [device_messages.waiting(SYSTEM, "watch", DeviceAlarm(**SOS | {"msg_id": "m9"}), b"x")], ALARM
            )
        return await whole(tx, one, job)

    monkeypatch.setattr(porches, "_store", watched)
    assert await world.carry_in() == porches.AT_ONCE + 7
    assert carried[0] == "device"
    assert carried.index("device", 1) == porches.AT_ONCE


async def test_what_fails_by_itself_stays_and_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.own(SOS)
    await world.own(SOS | {"device_id": "d2", "msg_id": "m2"})
    whole = alarms.take_alarm

    async def faulty(tx: Any, caller: Any, alarm: Any, at: Any = None) -> Any:
        if alarm.device_id == "d1":
            raise ZeroDivisionError
        return await whole(tx, caller, alarm, at)

    monkeypatch.setattr(alarms, "take_alarm", faulty)
    assert await world.carry_in() == 1
    assert len(lying(world.porch)) == 1
    monkeypatch.setattr(alarms, "take_alarm", whole)
    assert await world.carry_in() == 1


async def test_a_porch_makes_the_makers_known_before_anybody_has_pushed(
    clean_database: Database, tmp_path: Path
) -> None:
    async with clean_database.transaction() as tx:
        await makers.put_maker(tx, SYSTEM, "akang", "form", "wgs84", TOKEN)
    away = Away(clean_database.dsn, vault=clean_database.vault, bus=clean_database.bus, pool_size=2)
    away.down = False
    app = small_app(away, tmp_path / "porch")
    porch: Porch = app.state.porch
    running = asyncio.create_task(porch.run())
    await asyncio.sleep(0.5)
    away.down = True
    async with client_of(app) as doors:
        taken = await doors.post(PUSH, content=b"imei=1&data_type=3", headers={"X-Push-Token": TOKEN})
    running.cancel()
    assert (taken.status_code, len(lying(tmp_path / "porch"))) == (200, 1)
    await away.close()


async def test_an_older_alarm_that_comes_later_brings_the_ladder_forward(world: World) -> None:
    now = clock.now()
    async with world.whole.transaction() as tx:
        ids: set[UUID] = set()
        for number, ago in enumerate((0, 300)):
            alarm = incidents.Alarm(
                source=f"s{number}", kind="sos", channel="device", care_request_id=None, elder_id=None, device="x:1",
                at=now - timedelta(seconds=ago),
            )  # fmt: skip
            ids.add(await incidents.raise_alarm(tx, alarm))
        assert len(ids) == 1
        first = await tx.fetchval("SELECT first_at FROM incident")
        due = await tx.fetchval("SELECT min(due_at) FROM incident_step")
    assert first == now - timedelta(seconds=300)
    assert due < now - timedelta(seconds=200)
