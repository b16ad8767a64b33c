"""The exchange's and the devices' doors."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.elders import devices
from app.jobs import feed
from app.jobs.feed import Position
from tests.world.accounts import make_app_key
from tests.world.elders import make_elder
from tests.world.intake import signed_post

PHONE, DEVICE = "/channels/phone/events", "/channels/devices/aiqiangua"
QUEUED = {
    "source": "freeswitch", "source_instance": "pbx-1", "call_id": "c1", "type": "call.queued",
    "at": "2026-11-24T09:00:00+08:00", "caller": "13800000001", "called": "12349",
}  # fmt: skip


@pytest.fixture
async def pbx(clean_database: Database) -> tuple[str, str]:
    async with clean_database.transaction() as tx:
        return await make_app_key(tx, kind="telephony", name="pbx")


@pytest.fixture
async def maker(clean_database: Database) -> tuple[str, str]:
    async with clean_database.transaction() as tx:
        return await make_app_key(tx, kind="device", name="aiqiangua")


async def test_one_event_or_many_once_or_often(doors: httpx.AsyncClient, pbx: Any, clean_database: Database) -> None:
    later = [
        {**QUEUED, "type": "agent.offered", "agent": "8001", "seq": 2},
        {**QUEUED, "type": "call.answered", "agent": "8001", "seq": 3},
        {**QUEUED, "type": "call.ended", "seq": 4, "duration_s": 61.5, "cause": "terminated"},
    ]
    single = await signed_post(doors, pbx, PHONE, QUEUED)
    assert single.json() == {"results": [{"call_id": "c1", "type": "call.queued", "result": "applied"}]}
    batch = await signed_post(doors, pbx, PHONE, {"events": [*later[::-1], QUEUED]})
    assert [r["result"] for r in batch.json()["results"]] == ["applied", "applied", "applied", "duplicate"]
    again = await signed_post(doors, pbx, PHONE, {"events": later})
    assert {r["result"] for r in again.json()["results"]} == {"duplicate"}
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT state, outcome, agent, caller FROM call")
    assert (row["state"], row["outcome"], row["agent"]) == ("over", "answered", "8001")
    assert b"13800000001" not in bytes(row["caller"])


async def test_an_exchange_that_is_back_says_which_calls_there_are(
    doors: httpx.AsyncClient, pbx: Any, clean_database: Database
) -> None:
    for call, instance in (("gone", "pbx-1"), ("there", "pbx-1"), ("elsewhere", "pbx-2")):
        await signed_post(doors, pbx, PHONE, QUEUED | {"call_id": call, "source_instance": instance})
    back = {"source": "freeswitch", "source_instance": "pbx-1", "type": "source.restored", "open_calls": ["there"]}
    # Asked a moment after these calls began, the exchange may not have listed them yet.
    await signed_post(doors, pbx, PHONE, back | {"at": "2026-11-24T09:00:05+08:00"})
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM call WHERE outcome IS NULL") == 3
    await signed_post(doors, pbx, PHONE, back | {"at": "2026-11-24T09:01:00+08:00"})
    async with clean_database.transaction() as tx:
        rows = {row["call_id"]: row["outcome"] for row in await tx.fetch("SELECT call_id, outcome FROM call")}
        assert rows == {"gone": "unknown", "there": None, "elsewhere": None}
        assert await tx.fetchval("SELECT count(*) FROM callback_task WHERE status = 'due'") == 1
    wrong = await signed_post(doors, pbx, PHONE, QUEUED | {"open_calls": ["there"]})
    assert wrong.status_code == 422


async def test_a_lost_exchange_is_told_to_the_desk(
    doors: httpx.AsyncClient, pbx: Any, clean_database: Database
) -> None:
    lost = {"source": "freeswitch", "type": "source.lost", "at": "2026-11-24T09:00:00+08:00"}
    for _ in range(2):
        assert (await signed_post(doors, pbx, PHONE, lost)).status_code == 200
    async with clean_database.transaction() as tx:
        assert [row["type"] for row in await feed.read(tx, "desk", Position(), 10)] == ["source.lost"]
        assert await tx.fetchval("SELECT count(*) FROM call") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"type": "call.presumed_ended"},
        {"type": "nonsense"},
        {"call_id": None},
        {"at": "2026-11-24T09:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"duration_s": "NaN"},
        {"extra": 1},
    ],
)
async def test_events_that_are_none(doors: httpx.AsyncClient, pbx: Any, change: dict[str, Any]) -> None:
    assert (await signed_post(doors, pbx, PHONE, QUEUED | change)).status_code == 422


async def test_unsigned_and_wrongly_signed_posts_store_nothing(
    doors: httpx.AsyncClient, pbx: Any, maker: Any, clean_database: Database
) -> None:
    assert (await doors.post(PHONE, json=QUEUED)).status_code == 401
    assert (await signed_post(doors, (pbx[0], "wrong"), PHONE, QUEUED)).status_code == 401
    assert (await signed_post(doors, maker, PHONE, QUEUED)).status_code == 403
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM call_event") == 0


SOS: dict[str, Any] = {"device_id": "860000000000015", "msg_id": "1", "type": "sos", "battery": 81}


async def test_an_unknown_device_raises_an_emergency_all_the_same(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database
) -> None:
    body = SOS | {"location": {"lng": 102.19, "lat": 38.52, "crs": "wgs84"}, "occurred_at": "2003-01-01T00:00:00Z"}
    answers = await asyncio.gather(*(signed_post(doors, maker, DEVICE, body) for _ in range(4)))
    assert {a.status_code for a in answers} == {200}
    assert sorted(a.json()["fresh"] for a in answers) == [False, False, False, True]
    assert len({a.json()["care_request_id"] for a in answers}) == 1
    async with clean_database.transaction() as tx:
        (row,) = await tx.fetch("SELECT id, kind, status, urgency, channel, elder_id, address FROM care_request")
        told = [e["type"] for e in await feed.read(tx, "desk", Position(), 10)]
        assert told == ["emergency.received", "incident.raised"]
        assert tx.vault.open("care_request.address", row["id"], row["address"]).startswith("102.19")
    assert (row["kind"], row["status"], row["urgency"]) == ("emergency", "escalated", "emergency")
    assert (row["channel"], row["elder_id"]) == ("device", None)


async def test_a_bound_device_names_its_elder_and_needs_no_position(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
        await devices.bind(tx, SYSTEM, elder, "aiqiangua", SOS["device_id"], "button", "卧室床头")
    await signed_post(doors, maker, DEVICE, SOS)
    await signed_post(doors, maker, DEVICE, SOS | {"device_id": "860000000000099"})
    async with clean_database.transaction() as tx:
        bound, unbound = await tx.fetch("SELECT id, elder_id, division_code, note FROM care_request ORDER BY id")
        said = [tx.vault.open("care_request.note", row["id"], row["note"]) for row in (bound, unbound)]
        assert await tx.fetchval("SELECT battery FROM elder_device") == 81
    assert (bound["elder_id"], bound["division_code"]) == (elder, "620302001001")
    assert (unbound["elder_id"], "位于卧室床头" in said[0], "未绑定" in said[1]) == (None, True, True)


async def test_pressing_again_within_a_minute_is_the_same_emergency(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database
) -> None:
    now = clock.now()
    made = []
    for seconds, change in ((0, {"msg_id": "1"}), (30, {"msg_id": "2"}), (31, {"msg_id": "3", "type": "fall"})):
        with clock.hold(now + timedelta(seconds=seconds)):
            made.append((await signed_post(doors, maker, DEVICE, SOS | change)).json()["care_request_id"])
    with clock.hold(now + timedelta(seconds=120)):
        made.append((await signed_post(doors, maker, DEVICE, SOS | {"msg_id": "4"})).json()["care_request_id"])
    assert made[0] == made[1]
    assert len(set(made)) == 3


async def test_two_presses_at_once_are_one_emergency(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database
) -> None:
    presses = (signed_post(doors, maker, DEVICE, SOS | {"msg_id": str(i)}) for i in range(5))
    assert len({a.json()["care_request_id"] for a in await asyncio.gather(*presses)}) == 1


@pytest.mark.parametrize(
    ("kind", "alarm"), [("test", False), ("restore", False), ("LOW_BATTERY", False), ("fall", True), ("x-99", True)]
)
async def test_what_is_an_alarm(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database, kind: str, alarm: bool
) -> None:
    answer = await signed_post(doors, maker, DEVICE, SOS | {"type": kind})
    assert (answer.json()["care_request_id"] is not None) is alarm
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM inbound_contact WHERE processed_at IS NOT NULL") == 1


async def test_no_key_speaks_for_another_maker(doors: httpx.AsyncClient, maker: Any, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        other = await make_app_key(tx, kind="device", name="other")
    refused = await signed_post(doors, other, DEVICE, SOS)
    assert (refused.status_code, refused.json()["code"]) == (403, "vendor_of_another_key")
    assert (await signed_post(doors, maker, DEVICE, SOS)).json()["fresh"] is True


async def test_a_number_that_is_used_again_for_something_else_is_another_message(
    doors: httpx.AsyncClient, maker: Any
) -> None:
    assert (await signed_post(doors, maker, DEVICE, SOS)).json()["fresh"] is True
    assert (await signed_post(doors, maker, DEVICE, SOS)).json()["fresh"] is False
    assert (await signed_post(doors, maker, DEVICE, SOS | {"battery": 80})).json()["fresh"] is True


async def test_signs_of_life_are_not_kept_but_remembered(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await devices.bind(tx, SYSTEM, await make_elder(tx), "aiqiangua", SOS["device_id"], "button", None)
    for kind in ("heartbeat", "Online"):
        answer = await signed_post(doors, maker, DEVICE, SOS | {"type": kind})
        assert answer.json() == {"contact_id": None, "fresh": True, "care_request_id": None}
    many = {"devices": [{"device_id": SOS["device_id"], "battery": 55}, {"device_id": "nobody"}]}
    assert (await signed_post(doors, maker, f"{DEVICE}/heartbeats", many)).json() == {"known": 1}
    assert (await signed_post(doors, maker, "/channels/devices/other/heartbeats", many)).status_code == 403
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM inbound_contact") == 0
        row = await tx.fetchrow("SELECT seen_at, silent_at, battery FROM elder_device")
    assert (row["battery"], row["silent_at"] > row["seen_at"]) == (55, True)


async def test_the_same_words_a_day_later_are_another_press(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database
) -> None:
    """A button without clock and memory begins to count anew with each battery."""
    now, fresh = clock.now(), []
    for hours in (0, 23, 25, 26, 50):
        with clock.hold(now + timedelta(hours=hours)):
            fresh.append((await signed_post(doors, maker, DEVICE, SOS)).json()["fresh"])
    assert fresh == [True, False, True, False, True]


async def test_a_maker_may_say_that_a_device_is_off_line(
    doors: httpx.AsyncClient, maker: Any, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await devices.bind(tx, SYSTEM, await make_elder(tx), "aiqiangua", SOS["device_id"], "button", None)
    for number, kind in enumerate(("offline", "offline", "sos", "offline")):
        await signed_post(doors, maker, DEVICE, SOS | {"type": kind, "msg_id": str(number)})
    async with clean_database.transaction() as tx:
        told = [e["type"] for e in await feed.read(tx, "desk", Position(), 20)]
        assert await tx.fetchval("SELECT offline_at FROM elder_device") is not None
    assert [one for one in told if one.startswith("device.")] == ["device.offline", "device.back", "device.offline"]
