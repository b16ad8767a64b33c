"""Falling back, exactly once; channels that rest; receipts in any order; and who is asked first."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Invalid
from app.core.json import loads
from app.jobs.worker import run_once
from app.messaging import breaker, queries, receipts, service
from app.messaging.sender import NotSent, RecordingSender, Refused
from app.messaging.tasks import Delivery
from app.messaging.ways import Way
from tests.messaging.test_delivery import NIGHT, NOON, PHONE, Gateway, deliver, fate, queued, say

LINK = "https://nuanxian.test/f/token"
NAMED = {"template": "caregiver_named", "params": {"item": "助浴", "provider": "", "caregiver": "", "wanted": "",
         "link": LINK}}  # fmt: skip
JOBS = itertools.count(10_000)


async def work_off(database: Database, delivery: Delivery) -> None:
    """What the worker does with every job there is, whenever it is due, and with those that follow."""
    for _ in range(10):
        async with database.transaction() as tx:
            rows = await tx.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'messaging.deliver' RETURNING payload")
        if not rows:
            return
        for row in rows:
            assert await run_once(database, delivery.deliver, next(JOBS), row["payload"])


async def said(database: Database) -> list[tuple[str, str, str | None]]:
    """(channel, status, failure), each message before those that stand in for it."""
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT channel, status, failure FROM outgoing_message ORDER BY length(dedupe_key)")
    return [(row["channel"], row["status"], row["failure"]) for row in rows]


async def bound(database: Database, who: UUID, *ways: Way) -> None:
    async with database.transaction() as tx:
        for way in ways:
            await service.bind_way(tx, "family", who, way)


async def test_what_is_refused_goes_the_next_way_exactly_once(clean_database: Database) -> None:
    """WeChat refuses, the number is dead: an operator calls. Every step has a row of its own."""
    who = uuid4()
    wechat, sms = Gateway(lambda _: Refused("wechat_43101")), Gateway(lambda _: Refused("number_dead"))
    delivery = Delivery(clean_database, {"wechat": wechat, "sms": sms})
    with clock.hold(NOON):
        await bound(clean_database, who, Way("wechat", "oFamily"))
        first = await queued(clean_database, recipient_id=who, **NAMED)
        await asyncio.gather(*(deliver(clean_database, delivery, first, next(JOBS)) for _ in range(5)))
        await work_off(clean_database, delivery)
        async with clean_database.transaction() as tx:
            await service.stand_in(tx, first)
        await work_off(clean_database, delivery)
    assert [len(wechat.reached), len(sms.reached)] == [1, 1]
    assert (wechat.reached[0].address, sms.reached[0].address) == ("oFamily", PHONE)
    assert await said(clean_database) == [
        ("wechat", "failed", "wechat_43101"),
        ("sms", "failed", "number_dead"),
        ("voice", "sent", None),
    ]
    async with clean_database.transaction() as tx:
        (task,) = await tx.fetch("SELECT * FROM callback_task")
        assert (task["reason"], task["status"], task["call_id"]) == ("not_reached", "due", None)
        assert tx.vault.open("callback_task.phone", task["id"], task["phone"]) == PHONE
        words = tx.vault.open("callback_task.words", task["id"], task["words"])
        assert ("助浴" in words, LINK in words) == (True, False), "whoever has the link can rate in the family's name"
        chain = await tx.fetch("SELECT id, stands_in_for FROM outgoing_message ORDER BY length(dedupe_key)")
        assert [row["stands_in_for"] for row in chain] == [None, chain[0]["id"], chain[1]["id"]]


async def test_every_way_says_it_for_the_same_division(clean_database: Database) -> None:
    """What is left to a person is left to the desk of the division it is about."""
    delivery = Delivery(clean_database, {"sms": Gateway(lambda _: Refused("number_dead"))})
    with clock.hold(NOON):
        await queued(clean_database, division_code="620302001001", **NAMED)
        await work_off(clean_database, delivery)
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT division_code FROM callback_task") == "620302001001"


async def test_many_who_say_the_same_at_once_say_it_once(clean_database: Database) -> None:
    """Each in a transaction of its own; on every way once."""
    who = uuid4()
    await bound(clean_database, who, Way("wechat", "oFamily"), Way("push", "device"))

    async def once() -> UUID | None:
        async with clean_database.transaction() as tx:
            return await say(tx, "order-1:completed", recipient_id=who)

    with clock.hold(NOON):
        made = await asyncio.gather(*(once() for _ in range(8)))
    assert len([one for one in made if one is not None]) == 1
    assert sorted(await said(clean_database)) == [("push", "queued", None), ("wechat", "queued", None)]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'messaging.deliver'") == 2


@pytest.mark.parametrize("outcome", [TimeoutError(), "gw-1"])
async def test_what_may_have_arrived_goes_no_other_way(clean_database: Database, outcome: Any) -> None:
    who = uuid4()
    sms = RecordingSender()
    with clock.hold(NOON):
        await bound(clean_database, who, Way("wechat", "oFamily"))
        await queued(clean_database, recipient_id=who, **NAMED)
        await work_off(clean_database, Delivery(clean_database, {"wechat": Gateway(lambda _: outcome), "sms": sms}))
    assert not sms.sent
    assert len(await said(clean_database)) == 1


async def test_an_alarm_goes_every_way_at_once_at_night_and_asks_nobody(clean_database: Database) -> None:
    who = uuid4()
    senders = {channel: RecordingSender() for channel in ("sms", "wechat", "push")}
    with clock.hold(NIGHT):
        await bound(clean_database, who, Way("wechat", "oFamily"), Way("push", "device"))
        async with clean_database.transaction() as tx:
            await service.choose(tx, "family", who, "service", False, "family:1")
            with pytest.raises(Invalid):
                await service.choose(tx, "family", who, "alarm", False, "family:1")
        alarm = {"template": "sos_family", "params": {"elder": "王**", "at": "23:00"}, "urgent": True}
        await queued(clean_database, recipient_id=who, **alarm)
        await work_off(clean_database, Delivery(clean_database, senders))
    assert [len(one.sent) for one in senders.values()] == [1, 1, 1]


async def test_who_declines_news_is_left_alone_and_that_is_written_down(tx: Tx) -> None:
    who = uuid4()
    await service.choose(tx, "family", who, "service", False, "staff:1")
    await say(tx, "a", recipient_id=who)
    row = await tx.fetchrow("SELECT status, failure, address FROM outgoing_message")
    assert tuple(row) == ("suppressed", "declined", None)
    assert await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'messaging.deliver'") == 0
    await service.choose(tx, "family", who, "service", True, "staff:1")
    await say(tx, "b", recipient_id=who)
    assert await tx.fetchval("SELECT status FROM outgoing_message WHERE dedupe_key = 'b'") == "queued"


async def test_a_channel_that_fails_rests_and_nothing_is_lost(clean_database: Database) -> None:
    """Messages wait instead of failing; an urgent one goes all the same; one probe, then everybody."""
    broken = True
    gateway = Gateway(lambda _: NotSent("no_connection") if broken else "gw")
    delivery = Delivery(clean_database, {"sms": gateway})
    with clock.hold(NOON):
        messages = [await queued(clean_database) for _ in range(12)]
        for message_id in messages:
            await deliver(clean_database, delivery, message_id, next(JOBS))
        assert len(gateway.reached) == breaker.TRIPS_AFTER, "the others were not even tried"
        urgent = await queued(clean_database, urgent=True)
        await deliver(clean_database, delivery, urgent, next(JOBS))
        assert gateway.reached[-1].id == urgent
        assert {(await fate(clean_database, one))[0] for one in messages} == {"queued"}
    with clock.hold(NOON + breaker.FIRST_REST):
        await asyncio.gather(*(deliver(clean_database, delivery, one, next(JOBS)) for one in messages[6:]))
        assert len(gateway.reached) == breaker.TRIPS_AFTER + 2, "one probe for all"
    broken = False
    with clock.hold(NOON + 4 * breaker.FIRST_REST):
        for message_id in messages:
            await deliver(clean_database, delivery, message_id, next(JOBS))
    assert {(await fate(clean_database, one))[0] for one in messages} == {"sent"}
    async with clean_database.transaction() as tx:
        jobs = [loads(r["payload"])["message_id"] for r in await tx.fetch("SELECT payload FROM pgqueuer")]
        assert await tx.fetchval("SELECT failures FROM channel_breaker WHERE channel = 'sms'") == 0
    assert set(jobs) >= {str(one) for one in messages}, "whoever waited has a job for later"


async def test_a_limit_of_one_number_does_not_stop_the_channel(clean_database: Database) -> None:
    delivery = Delivery(clean_database, {"sms": Gateway(lambda _: NotSent("too_many", of_channel=False))})
    with clock.hold(NOON):
        for _ in range(breaker.TRIPS_AFTER + 2):
            await deliver(clean_database, delivery, await queued(clean_database), next(JOBS))
    async with clean_database.transaction() as tx:
        assert not await tx.fetchval("SELECT count(*) FROM channel_breaker WHERE failures > 0")


REPORTS = (("gw-1", True, None), ("gw-1", False, "absent"), ("gw-1", False, "blocked"))


@pytest.mark.parametrize("order", list(itertools.permutations([*REPORTS[:2], "answer"])))
async def test_receipts_in_any_order_doubled_or_faster_than_the_answer(
    clean_database: Database, order: tuple[Any, ...]
) -> None:
    """The gateway's own answer is one of the things that come in any order."""
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        for one in order:
            if one == "answer":
                await deliver(
                    clean_database, Delivery(clean_database, {"sms": Gateway(lambda _: "gw-1")}), message_id, 1
                )
                continue
            for _ in range(2):
                async with clean_database.transaction() as tx:
                    name, delivered, code = one
                    await receipts.note_receipt(tx, "sms", name, delivered=delivered, failure=code, address=PHONE)
    assert (await fate(clean_database, message_id))[:2] == ("delivered", None)


async def test_a_receipt_and_the_answer_at_one_moment_find_each_other(clean_database: Database) -> None:
    """Whichever is written first, the other waits for it and sees it; neither passes the other unseen."""
    delivery = Delivery(clean_database, {"sms": Gateway(lambda _: "gw-1")})
    report = {"delivered": True, "address": PHONE}
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        async with clean_database.transaction() as tx:
            await receipts.note_receipt(tx, "sms", "gw-1", **report)  # type: ignore[arg-type]
            answering = asyncio.create_task(deliver(clean_database, delivery, message_id, next(JOBS)))
            await asyncio.sleep(0.3)
        await answering
        assert (await fate(clean_database, message_id))[0] == "delivered"

        other = await queued(clean_database)
        await deliver(clean_database, Delivery(clean_database, {"sms": Gateway(lambda _: TimeoutError())}), other, 1)

        async def reporting() -> None:
            async with clean_database.transaction() as tx:
                await receipts.note_receipt(tx, "sms", "gw-2", **report)  # type: ignore[arg-type]

        async with clean_database.transaction() as tx:
            await tx.one_at_a_time("receipt", "sms", "gw-2")
            assert await queries.settle(tx, other, "sent", "gw-2", None, NOON)
            told = asyncio.create_task(reporting())
            await asyncio.sleep(0.3)
            await receipts.answered(tx, other, "sms", "gw-2")
        await told
        assert (await fate(clean_database, other))[0] == "delivered"


async def test_receipts_touch_only_what_we_sent_to_that_address(clean_database: Database) -> None:
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        await deliver(
            clean_database, Delivery(clean_database, {"sms": Gateway(lambda _: TimeoutError())}), message_id, 1
        )
        async with clean_database.transaction() as tx:
            for wrong in ({"address": "+8613800000009"}, {"address": PHONE, "message_id": uuid4()}):
                named = {"message_id": message_id} | wrong
                assert not await receipts.note_receipt(tx, "sms", "gw-5", delivered=True, **named)
            assert not await receipts.note_receipt(tx, "push", "gw-5", delivered=True, message_id=message_id)
        assert (await fate(clean_database, message_id))[0] == "unknown"
        async with clean_database.transaction() as tx:
            known = {"address": PHONE, "message_id": message_id}
            assert await receipts.note_receipt(tx, "sms", "gw-6", delivered=True, **known)
    assert (await fate(clean_database, message_id))[0] == "delivered"


async def test_what_turns_out_not_to_have_arrived_is_said_another_way_once(clean_database: Database) -> None:
    delivery = Delivery(clean_database, {"sms": Gateway(lambda _: "gw-7")})
    with clock.hold(NOON):
        message_id = await queued(clean_database, **NAMED)
        await deliver(clean_database, delivery, message_id, 1)
        for code in ("absent", "absent", "blocked", "absent"):
            async with clean_database.transaction() as tx:
                await receipts.note_receipt(tx, "sms", "gw-7", delivered=False, failure=code, address=PHONE)
        await work_off(clean_database, delivery)
    assert await said(clean_database) == [("sms", "failed", "absent"), ("voice", "sent", None)]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM callback_task") == 1


async def test_at_night_nobody_is_called_for_what_can_wait(clean_database: Database) -> None:
    with clock.hold(NIGHT - timedelta(hours=2, minutes=1)):
        message_id = await queued(clean_database, **NAMED)
        delivery = Delivery(clean_database, {"sms": Gateway(lambda _: Refused("number_dead"))})
        await deliver(clean_database, delivery, message_id, 1)
    with clock.hold(NIGHT):
        await work_off_once(clean_database, delivery)
        assert [one[1] for one in await said(clean_database)] == ["failed", "queued"]


async def work_off_once(database: Database, delivery: Delivery) -> None:
    async with database.transaction() as tx:
        rows = await tx.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'messaging.deliver' RETURNING payload")
    for row in rows:
        await run_once(database, delivery.deliver, next(JOBS), row["payload"])
