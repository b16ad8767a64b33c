"""A city's gateways: configured at a door, used by the worker, their keys seen by nobody; and the log of it all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app import wiring
from app.channels.gateways.accounts import Configured
from app.core import clock
from app.core.config import Settings
from app.core.db import Database
from app.elders import registration
from app.elders.facts import NewFamilyMember
from app.jobs.worker import run_once
from app.messaging import breaker, service
from app.messaging.tasks import Delivery
from tests.channels.gateways import stands_in
from tests.channels.gateways.stands_in import says, standing_in
from tests.messaging.test_delivery import NOON, PARAMS, PHONE, fate, queued
from tests.messaging.test_ways_out import JOBS, NAMED, work_off
from tests.world.accounts import staff_headers
from tests.world.elders import make_elder

KEY = "an-access-key-secret"
ALIYUN = {"vendor": "aliyun", "key_id": "an-id", "key": KEY, "sign_name": "金昌12349"}

LETTER = {"external_code": "S", "params": ["item"], "valid_from": "2026-11-01"}


async def put(doors: httpx.AsyncClient, database: Database, where: str, body: dict[str, Any]) -> httpx.Response:
    headers = await staff_headers(database, roles=("administrator",))
    return await doors.put(f"/v1/message-gateways/{where}", json=body, headers=headers)


@asynccontextmanager
async def wired(database: Database, settings: Settings) -> AsyncIterator[Delivery]:
    """The task as the worker is wired, with its own pool, closed afterwards."""
    task: Any = wiring.tasks(database, settings)[service.DELIVER]
    delivery: Delivery = task.__self__
    try:
        yield delivery
    finally:
        for sender in delivery._senders.values():
            if isinstance(sender, Configured):
                await sender.close()
        await delivery._outbox.close()


async def one_round(database: Database, settings: Settings, message_id: UUID) -> None:
    """One run of the job."""
    async with wired(database, settings) as delivery:
        await run_once(database, delivery.deliver, next(JOBS), f'{{"message_id": "{message_id}"}}'.encode())


async def test_from_a_door_to_the_wire(doors: httpx.AsyncClient, clean_database: Database, settings: Settings) -> None:
    async with standing_in(says(stands_in.ALIYUN_OK)) as company:
        assert (await put(doors, clean_database, "main", ALIYUN | {"endpoint": company.url})).status_code == 200
        letter = {"external_code": "SMS_1", "params": ["item", "at", "link_token"], "valid_from": "2026-11-01"}
        assert (await put(doors, clean_database, "main/templates/completed", letter)).status_code == 200
        newer = letter | {"external_code": "SMS_2", "params": ["item"], "valid_from": "2026-11-22"}
        await put(doors, clean_database, "main/templates/completed", newer)
        for day, code in ((0, "SMS_1"), (1, "SMS_2")):
            with clock.hold(NOON + timedelta(days=day)):
                clean_database.cache.clear()
                message_id = await queued(clean_database)
                await one_round(clean_database, settings, message_id)
                assert (await fate(clean_database, message_id))[0] == "sent"
                assert company.asked[-1].parameters["TemplateCode"] == code
                assert stands_in.aliyun_signature_holds(company.asked[-1], "an-id", KEY)
    async with clean_database.transaction() as tx:
        name = await tx.fetchval("SELECT external_id FROM outgoing_message LIMIT 1")
    assert name == f"main:{stands_in.ALIYUN_OK['BizId']}"


@pytest.mark.parametrize("behave", [stands_in.resets, stands_in.half, says(b"", "502 Bad Gateway")])
async def test_what_may_have_been_taken_is_never_sent_again(
    doors: httpx.AsyncClient, clean_database: Database, settings: Settings, behave: stands_in.Behaviour
) -> None:
    """From the job to the wire and back: the company is asked once, however often the job comes."""
    async with standing_in(behave) as company:
        await put(doors, clean_database, "main", ALIYUN | {"endpoint": company.url})
        await put(doors, clean_database, "main/templates/completed", LETTER)
        with clock.hold(NOON):
            message_id = await queued(clean_database)
            for _ in range(3):
                await one_round(clean_database, settings, message_id)
        assert len(company.asked) == 1
    assert (await fate(clean_database, message_id))[0] == "unknown"


async def test_without_a_gateway_the_demo_writes_its_outbox(
    clean_database: Database, settings: Settings, tmp_path: Path
) -> None:
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        await one_round(clean_database, settings.model_copy(update={"demo": True}), message_id)
        push = await queued(clean_database, channel="push", address="device", template="offer", params={
            "number": "1", "item": "x", "wanted": "y", "accept_until": "z"})  # fmt: skip
        await one_round(clean_database, settings, push)
    assert "助浴" in (tmp_path / "demo" / "outbox.jsonl").read_text()
    assert await fate(clean_database, push) == ("failed", "no_gateway", 1)


async def test_without_a_gateway_in_production_an_operator_calls(clean_database: Database, settings: Settings) -> None:
    """No text message has left the house: saying that it has would leave an alarm unheard."""
    city = settings.model_copy(update={"environment": "production"})
    with clock.hold(NOON):
        alarm = await queued(
            clean_database, template="sos_family", params={"elder": "王**", "at": "12:00"}, urgent=True
        )
        await one_round(clean_database, city, alarm)
        assert await fate(clean_database, alarm) == ("failed", "no_gateway", 1)
        async with wired(clean_database, city) as delivery:
            await work_off(clean_database, delivery)
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM callback_task WHERE status = 'due'") == 1


async def test_channels_without_a_gateway_are_told(doors: httpx.AsyncClient, clean_database: Database) -> None:
    headers = await staff_headers(clean_database, roles=("administrator",))

    async def missing() -> list[str]:
        found: list[str] = (await doors.get("/v1/message-gateways", headers=headers)).json()["without_gateway"]
        return found

    assert await missing() == ["push", "sms"]
    await put(doors, clean_database, "one", ALIYUN)
    assert await missing() == ["push"]
    await put(doors, clean_database, "one", ALIYUN | {"active": False})
    assert await missing() == ["push", "sms"]


async def test_one_gateway_of_a_channel_is_active_and_keys_are_seen_by_nobody(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    tencent = ALIYUN | {"vendor": "tencent", "app_id": "1400006666", "receipt_secret": "s" * 40}
    assert (await put(doors, clean_database, "one", ALIYUN)).json()["active"] is True
    assert (await put(doors, clean_database, "two", tencent)).json()["receipts"] is True
    assert (await put(doors, clean_database, "app", {"vendor": "jpush", "key_id": "a", "key": KEY})).status_code == 200
    taken = await put(doors, clean_database, "three", ALIYUN | {"receipt_secret": "s" * 40})
    assert (taken.status_code, taken.json()["code"]) == (422, "receipt_secret_taken")
    headers = await staff_headers(clean_database, roles=("administrator",))
    listed = await doors.get("/v1/message-gateways", headers=headers)
    active = {one["name"]: one["active"] for one in listed.json()["items"]}
    assert active == {"one": False, "two": True, "app": True}
    async with clean_database.transaction() as tx:
        rows = [*await tx.fetch("SELECT * FROM message_gateway"), *await tx.fetch("SELECT * FROM audit_entry")]
    everything = listed.text + "".join(str(value) for row in rows for value in row)
    assert KEY not in everything
    assert "s" * 40 not in everything


@pytest.mark.parametrize(
    ("where", "body", "status"),
    [
        ("x", {"vendor": "aliyun", "key_id": "i", "key": "k"}, 422),
        ("x", ALIYUN | {"vendor": "tencent"}, 422),
        ("x", ALIYUN | {"endpoint": "http://169.254.169.254"}, 422),
        ("x", ALIYUN | {"endpoint": "https://user@host"}, 422),
        ("x", ALIYUN | {"receipt_secret": "short"}, 422),
        ("X Y", ALIYUN, 422),
        ("none/templates/completed", {"external_code": "S", "params": ["item"]}, 404),
        ("none/templates/birthday", {"external_code": "S", "params": []}, 404),
        ("none/templates/completed", {"external_code": "S", "params": ["password"]}, 422),
    ],
)
async def test_what_cannot_be_meant(
    doors: httpx.AsyncClient, clean_database: Database, where: str, body: dict[str, Any], status: int
) -> None:
    assert (await put(doors, clean_database, where, body)).status_code == status


async def test_only_administrators_touch_gateways(doors: httpx.AsyncClient, clean_database: Database) -> None:
    for role in ("operator", "auditor"):
        headers = await staff_headers(clean_database, roles=(role,))
        assert (await doors.get("/v1/message-gateways", headers=headers)).status_code == 403
        assert (await doors.put("/v1/message-gateways/x", json=ALIYUN, headers=headers)).status_code == 403


@pytest.fixture
async def member(clean_database: Database) -> UUID:
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
        return await registration.add_family(
            tx, elder, NewFamilyMember("曾小明", "child", "13800000000", approved=True)
        )


async def test_the_log_shows_what_happened_and_nothing_personal(
    doors: httpx.AsyncClient, clean_database: Database, settings: Settings, member: UUID
) -> None:
    async with standing_in(says(stands_in.aliyun_error("isv.MOBILE_NUMBER_ILLEGAL"))) as company:
        await put(doors, clean_database, "main", ALIYUN | {"endpoint": company.url, "receipt_secret": "r" * 40})
        await put(doors, clean_database, "main/templates/caregiver_named", LETTER)
        order = uuid4()
        with clock.hold(NOON):
            link = NAMED["params"] | {"link": "https://nuanxian.test/f/token"}  # type: ignore[operator]
            await queued(clean_database, recipient_id=member, order_id=order, **(NAMED | {"params": link}))
            async with wired(clean_database, settings) as delivery:
                await work_off(clean_database, delivery)
    headers = await staff_headers(clean_database)
    listed = (await doors.get(f"/v1/messages?order_id={order}", headers=headers)).json()["items"]
    assert [(one["channel"], one["status"], one["failure"], one["address"]) for one in listed] == [
        ("voice", "sent", None, "138****0000"),
        ("sms", "failed", "isv.MOBILE_NUMBER_ILLEGAL", "138****0000"),
    ]
    assert listed[0]["stands_in_for"] == listed[1]["id"]
    whole = (await doors.get(f"/v1/messages/{listed[1]['id']}", headers=headers)).json()
    assert "助浴" in whole["words"]
    assert "token" not in whole["words"]
    auditor = await staff_headers(clean_database, roles=("auditor",))
    assert (await doors.get("/v1/messages?status=failed&channel=sms", headers=auditor)).json()["items"] == listed[1:]
    elsewhere = await staff_headers(clean_database, divisions=("620321",))
    assert (await doors.get(f"/v1/messages?recipient_id={member}", headers=elsewhere)).json()["items"] == []
    assert (await doors.get(f"/v1/messages/{listed[1]['id']}", headers=elsewhere)).status_code == 404
    tasks = (await doors.get("/v1/callback-tasks", headers=headers)).json()["items"]
    assert [(one["reason"], one["phone"], one["words"]) for one in tasks] == [("not_reached", "138****0000", None)]
    opened = (await doors.get(f"/v1/callback-tasks/{tasks[0]['id']}", headers=headers)).json()
    assert (opened["phone"], "助浴" in opened["words"], opened["message_id"]) == (PHONE, True, listed[0]["id"])
    done = await doors.post(
        f"/v1/callback-tasks/{tasks[0]['id']}/completion", json={"result": "reached"}, headers=headers
    )
    assert done.json()["status"] == "done"


async def test_receipts_stand_beside_their_message_and_codes_are_not_shown(
    doors: httpx.AsyncClient, clean_database: Database, settings: Settings
) -> None:
    async with standing_in(says(stands_in.TENCENT_OK)) as company:
        body = {"app_id": "14", "endpoint": company.url, "receipt_secret": "r" * 40, "vendor": "tencent"}
        await put(doors, clean_database, "t", ALIYUN | body)
        await put(doors, clean_database, "t/templates/one_time_code", LETTER | {"params": ["code"]})
        with clock.hold(NOON):
            code = {"template": "one_time_code", "params": {"code": "123456", "minutes": 5}, "recipient_id": None}
            message_id = await queued(clean_database, urgent=True, **code)
            await one_round(clean_database, settings, message_id)
    report = {
        "nationcode": "86", "mobile": PHONE[3:], "report_status": "FAIL", "errmsg": "MK:0001",
        "sid": "5000:1045710669157053657849499619",
    }  # fmt: skip
    assert (await doors.post(f"/channels/sms/tencent/{'r' * 40}", json=[report, report])).status_code == 200
    whole = (await doors.get(f"/v1/messages/{message_id}", headers=await staff_headers(clean_database))).json()
    assert (whole["status"], whole["failure"], whole["words"]) == ("failed", "MK:0001", None)
    assert [(one["delivered"], one["code"]) for one in whole["receipts"]] == [(False, "MK:0001")]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM outgoing_message") == 1, "nobody reads a code out"


async def test_how_the_channels_do(doors: httpx.AsyncClient, clean_database: Database, settings: Settings) -> None:
    await put(doors, clean_database, "main", ALIYUN | {"endpoint": "http://127.0.0.1:1"})
    await put(doors, clean_database, "main/templates/completed", LETTER)
    with clock.hold(NOON):
        for _ in range(breaker.TRIPS_AFTER + 1):
            await one_round(clean_database, settings, await queued(clean_database))
    items = (await doors.get("/v1/message-channels", headers=await staff_headers(clean_database))).json()["items"]
    (sms,) = [one for one in items if one["channel"] == "sms"]
    assert (sms["state"], sms["failures"], sms["waiting"], sms["last_failure"]) == ("open", 5, 6, "no_connection")
    assert {one["channel"]: one["state"] for one in items} == {
        "push": "closed", "sms": "open", "voice": "closed", "wechat": "closed"
    }  # fmt: skip


async def test_a_relative_who_wants_no_news(doors: httpx.AsyncClient, clean_database: Database, member: UUID) -> None:
    path = f"/v1/family-members/{member}/news"
    headers = await staff_headers(clean_database)
    assert (await doors.get(path, headers=headers)).json()["allowed"] is True
    said = await doors.put(path, json={"allowed": False, "evidence": "recording 7"}, headers=headers)
    assert said.json()["allowed"] is False
    assert (await doors.get(path, headers=headers)).json()["allowed"] is False
    with clock.hold(NOON):
        message_id = await queued(clean_database, recipient_id=member, params=PARAMS)
        assert await fate(clean_database, message_id) == ("suppressed", "declined", 0)
    elsewhere = await staff_headers(clean_database, divisions=("620321",))
    assert (await doors.put(path, json={"allowed": True}, headers=elsewhere)).status_code == 404
    assert (await doors.get(f"/v1/family-members/{uuid4()}/news", headers=headers)).status_code == 404
    async with clean_database.transaction() as tx:
        entry = await tx.fetchrow("SELECT action, reason FROM audit_entry WHERE object_type = 'family_member'")
    assert tuple(entry) == ("consents.withdraw", "recording 7")
