"""What is said when nobody knows what became of a message, and what is not said any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.core import clock
from app.core.db import Database
from app.messaging import receipts, service, tasks
from app.messaging.sender import Refused
from app.messaging.tasks import Delivery
from tests.messaging.test_delivery import NIGHT, NOON, PHONE, Gateway, deliver, queued
from tests.messaging.test_ways_out import JOBS, NAMED, said, work_off

SOS: dict[str, Any] = {"template": "sos_family", "params": {"elder": "王**", "at": "23:00"}, "urgent": True}


async def test_an_alarm_of_unknown_fate_is_said_by_an_operator_too_and_once(clean_database: Database) -> None:
    delivery = Delivery(clean_database, {"sms": Gateway(lambda _: TimeoutError())})
    with clock.hold(NIGHT):
        message_id = await queued(clean_database, **SOS)
        await work_off(clean_database, delivery)
    assert await said(clean_database) == [("sms", "unknown", "TimeoutError"), ("voice", "sent", None)]
    with clock.hold(NIGHT + timedelta(minutes=5)):
        assert await swept(clean_database) == 0
        async with clean_database.transaction() as tx:
            known: Any = {"address": PHONE, "message_id": message_id}
            await receipts.note_receipt(tx, "sms", "gw-1", delivered=False, failure="absent", **known)
        await work_off(clean_database, delivery)
    async with clean_database.transaction() as tx:
        (task,) = await tx.fetch("SELECT * FROM callback_task")
    assert task["due_at"] == NIGHT


async def test_an_alarm_whose_worker_was_killed_is_said_by_an_operator_after_a_minute(clean_database: Database) -> None:
    class Killed(BaseException):
        pass

    delivery = Delivery(clean_database, {"sms": Gateway(lambda _: Killed())})
    with clock.hold(NIGHT):
        alarm = await queued(clean_database, **SOS)
        code = await queued(clean_database, template="one_time_code", params={"code": 1, "minutes": 5}, urgent=True)
        for message_id in (alarm, code):
            with pytest.raises(Killed):
                await deliver(clean_database, delivery, message_id, next(JOBS))
            assert await deliver(clean_database, delivery, message_id, next(JOBS)), "the job comes again"
    swept_after = {}
    for seconds in (59, 60, 61):
        with clock.hold(NIGHT + timedelta(seconds=seconds)):
            swept_after[seconds] = await swept(clean_database)
            await work_off(clean_database, delivery)
    assert swept_after == {59: 0, 60: 2, 61: 0}
    assert sorted(await said(clean_database)) == [
        ("sms", "unknown", "lost"), ("sms", "unknown", "lost"), ("voice", "sent", None),
    ]  # fmt: skip
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM callback_task") == 1


async def swept(database: Database) -> int:
    async with database.transaction() as tx:
        return await tasks.see_to_lost(tx)


@pytest.mark.parametrize("channel", ["sms", "voice"])
async def test_who_declines_news_is_spared_what_waits_and_what_would_stand_in(
    clean_database: Database, channel: str
) -> None:
    """A text message that waits, and a call that would make up for one that was refused."""
    who = uuid4()
    sms = Gateway(lambda _: Refused("number_dead"))
    delivery = Delivery(clean_database, {"sms": sms})
    with clock.hold(NOON):
        first = await queued(clean_database, recipient_id=who, **NAMED)
        alarm = await queued(clean_database, recipient_id=who, **SOS)
        if channel == "voice":
            await deliver(clean_database, delivery, first, next(JOBS))
        async with clean_database.transaction() as tx:
            await service.choose(tx, "family", who, "service", False, "family:1")
        await work_off(clean_database, delivery)
    async with clean_database.transaction() as tx:
        kept = await tx.fetch("SELECT template_code, channel, status, failure FROM outgoing_message")
        called = await tx.fetch("SELECT message_id FROM callback_task")
    of_news = {row["channel"]: (row["status"], row["failure"]) for row in kept if row["template_code"] != "sos_family"}
    assert of_news[channel] == ("suppressed", "declined")
    assert [row["channel"] for row in kept if row["template_code"] == "sos_family"] == ["sms", "voice"]
    assert len(called) == 1, "for the alarm alone"
    assert alarm in {message.id for message in sms.reached}


async def test_what_is_held_back_goes_no_other_way_when_it_fails(clean_database: Database) -> None:
    who = uuid4()
    delivery = Delivery(clean_database, {"sms": Gateway(lambda message: f"gw-{message.id}")})
    with clock.hold(NOON):
        news = await queued(clean_database, recipient_id=who, **NAMED)
        alarm = await queued(clean_database, recipient_id=who, **SOS)
        await work_off(clean_database, delivery)
        async with clean_database.transaction() as tx:
            assert await service.hold_back(tx, "family", [who], "consent_withdrawn") == 0
            for one in (news, alarm):
                await receipts.note_receipt(tx, "sms", f"gw-{one}", delivered=False, failure="absent")
        await work_off(clean_database, delivery)
    assert sorted(await said(clean_database)) == [
        ("sms", "failed", "absent"), ("sms", "failed", "absent"), ("voice", "sent", None),
    ]  # fmt: skip
