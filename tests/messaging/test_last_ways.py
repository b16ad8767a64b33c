"""What is said when nobody knows what became of a message, and what is not said any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from app.core.db import Database
from app.messaging import receipts, tasks
from app.messaging.tasks import Delivery
from tests.messaging.test_delivery import NIGHT, PHONE, Gateway, deliver, queued
from tests.messaging.test_ways_out import JOBS, said, work_off

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
