"""The storm's own judgement: it would see an alarm that is lost, astray or counted twice, and a step that is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from alarmlab import storm
from alarmlab.audit import audit
from alarmlab.city import MAKER
from alarmlab.killing import Watcher
from alarmlab.storm import Device

from app.core.db import Database
from app.seeds.base import load_base
from tests.world.accounts import make_app_key
from tests.world.intake import signed_post

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)


async def sent(doors: httpx.AsyncClient, database: Database) -> list[Device]:
    async with database.transaction() as tx:
        await load_base(tx)
        key = await make_app_key(tx, kind="device", name=MAKER)
    device = Device("d1", by_mqtt=False, bound=False, trusts=False)
    device.sends = [{"msg_id": f"m{number}", "type": "sos"} for number in (1, 2, 2)]
    for said in device.sends:
        await signed_post(doors, key, f"/channels/devices/{MAKER}", {"device_id": "d1", **said})
    return [device]


async def test_all_is_well_when_every_alarm_is_in_one_incident(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    found = await audit(clean_database, await sent(doors, clean_database))
    assert (found.missing, found.astray, found.incidents, found.subjects, found.counted) == (0, 0, 1, 1, True)


async def test_what_was_never_taken_is_missing_and_what_has_no_incident_is_astray(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    devices = await sent(doors, clean_database)
    devices[0].sends.append({"msg_id": "m3", "type": "sos"})
    trusting = Device("d2", by_mqtt=True, bound=False, trusts=True, sends=[{"msg_id": "m4", "type": "sos"}])
    async with clean_database.transaction() as tx:
        await tx.run("DELETE FROM incident_alarm WHERE id = (SELECT max(id::text)::uuid FROM incident_alarm)")
    found = await audit(clean_database, [*devices, trusting])
    assert (found.missing, found.astray, found.trusted, found.trusted_away, found.counted) == (1, 1, 1, 1, False)


def test_a_devices_alarms_are_doubled_shuffled_and_some_of_them_nobody_knows() -> None:
    devices = storm.make(600, 1)
    said: list[Any] = [one for device in devices for one in device.sends]
    assert len({one["msg_id"] for one in said}) == 600 < len(said)
    assert {device.bound for device in devices} == {device.by_mqtt for device in devices} == {True, False}
    assert {one["type"] for one in said} & set(storm.UNKNOWN)
    assert [one["msg_id"] for one in devices[0].sends] != sorted(one["msg_id"] for one in devices[0].sends)


def test_a_step_is_late_from_its_deadline_or_from_the_workers_return(clean_database: Database) -> None:
    def at(seconds: float) -> datetime:
        return NOON + timedelta(seconds=seconds)

    watcher = Watcher(clean_database)
    watcher.seen = {
        (uuid4(), "in_time"): (at(0), at(0.3)),
        (uuid4(), "taken_before"): (at(9.0), at(9.5)),
        (uuid4(), "due_before_and_not_taken"): (at(9.8), at(15.4)),
        (uuid4(), "due_while_away"): (at(12), at(15.2)),
        (uuid4(), "due_after"): (at(16), at(18)),
    }
    there, missed = watcher.late([(at(10), at(15))])
    assert [late.total_seconds() for late in there] == [0.3, 0.5, 2.0]
    assert [round(late.total_seconds(), 3) for late in missed] == [0.2, 0.4]
